"""Registration of the OMAP cache controller."""

from pathlib import Path

from pimlico.hdl.omap.config import OmapConfig

from .block import Block

BLOCK = Block(
    name="omap-controller",
    summary="Key-value map whose trace in host memory says nothing of keys or operations",
    config=OmapConfig,
    component="pimlico.hdl.omap.core:OmapController",
    cycles="pimlico.verif.omap.cycles:OmapCycles",
    stimulus="pimlico.verif.omap.stimulus:episodes",
    presets=Path(__file__).parent / "presets" / "omap-controller",
    properties="pimlico.hdl.omap.properties:properties",
    diagram="pimlico.hdl.omap.diagram:stages",
)
