"""Registration of the Ascon-AEAD128 core."""

from pathlib import Path

from pimlico.hdl.ascon.config import AsconConfig

from .block import Block

BLOCK = Block(
    name="ascon-aead128",
    summary="Ascon-AEAD128 of NIST SP 800-232: authenticated encryption of messages of bytes",
    config=AsconConfig,
    component="pimlico.hdl.ascon.core:AsconAead",
    cycles="pimlico.verif.ascon.cycles:AsconCycles",
    stimulus="pimlico.verif.ascon.stimulus:episodes",
    presets=Path(__file__).parent / "presets" / "ascon-aead128",
    properties="pimlico.hdl.ascon.properties:properties",
    diagram="pimlico.hdl.ascon.diagram:stages",
)
