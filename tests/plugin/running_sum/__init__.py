"""A block that adds up the values of a packet, as an example of a package outside Pimlico."""

from pathlib import Path

from pimlico.generators.block import Block

from .config import RunningSumConfig

BLOCK = Block(
    name="running-sum",
    summary="Sums of the values of each packet so far",
    config=RunningSumConfig,
    component="running_sum.core:RunningSum",
    cycles="running_sum.cycles:RunningSumCycles",
    stimulus="running_sum.stimulus:episodes",
    presets=Path(__file__).parent / "presets",
)
