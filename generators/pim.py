"""Registration of the PIM bank and the PIM channel."""

from pathlib import Path

from pimlico.hdl.pim.config import PimBankConfig, PimConfig

from .block import Block

_PRESETS = Path(__file__).parent / "presets"
_PARTS = {
    "component": "pimlico.hdl.pim.channel:PimChannel",
    "cycles": "pimlico.verif.pim.cycles:PimCycles",
    "stimulus": "pimlico.verif.pim.stimulus:episodes",
    "properties": "pimlico.hdl.pim.properties:properties",
    "diagram": "pimlico.hdl.pim.diagram:stages",
}

BANK = Block(
    name="pim-bank",
    summary="DRAM-style bank that multiplies its open row by a vector, timing rules checked",
    config=PimBankConfig,
    presets=_PRESETS / "pim-bank",
    **_PARTS,
)

CHANNEL = Block(
    name="pim-channel",
    summary="Up to 16 PIM banks on one command bus, with a global buffer and all-bank MAC",
    config=PimConfig,
    presets=_PRESETS / "pim-channel",
    **_PARTS,
)
