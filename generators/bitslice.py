"""Registration of the bit-sliced PE array."""

from pathlib import Path

from pimlico.hdl.bitslice.config import BitsliceConfig

from .block import Block

BLOCK = Block(
    name="bitslice-array",
    summary="Bit-sliced PE array: precision as time or lanes, zero digits skipped, nested weights",
    config=BitsliceConfig,
    component="pimlico.hdl.bitslice.core:bitslice_array",
    cycles="pimlico.verif.bitslice.cycles:cycles",
    stimulus="pimlico.verif.bitslice.stimulus:episodes",
    presets=Path(__file__).parent / "presets" / "bitslice-array",
    properties="pimlico.hdl.bitslice.properties:properties",
    diagram="pimlico.hdl.bitslice.diagram:stages",
)
