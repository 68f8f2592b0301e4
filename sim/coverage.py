"""Line and toggle coverage of a block's Verilog under its stimulus, counted by Verilator."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from pimlico.generators.block import Block
from pimlico.generators.verilog import Emitted
from pimlico.hdl.common.config import BlockConfig

from .recorder import record
from .replay import Player, build_player, pins_of
from .verify import Progress

_POINT = re.compile(r"C '.*\x01page\x02v_(?P<kind>\w+)/.*' (?P<count>\d+)$")


def measure(block: Block, config: BlockConfig, design: Emitted, cycles: int, seed: int,
            report: Progress) -> dict[str, float]:
    """Percent of the design's points that the first `cycles` cycles of its stimulus reach.

    Returns
    -------
    dict
        ``line``: statements executed, branches taken; ``toggle``: bits of signals that changed.

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    """
    library = build_player(design, config.ports, report, coverage=True)
    pins = pins_of(design)
    stimulus = block.load("stimulus")(config, np.random.default_rng(seed))
    chunks, outcome = record(block, config, stimulus, pins, seed, cycles, report)
    with tempfile.TemporaryDirectory(prefix="pimlico-") as name:
        path = Path(name) / "coverage"
        with Player(library, config.ports, pins) as player:
            for chunk in chunks:
                player.play(chunk)
                report("coverage: running", outcome.cycles, cycles)
            player.write_coverage(path)
        report("coverage: running", cycles, cycles)
        return _percentages(path.read_text(errors="replace"))


def _percentages(text: str) -> dict[str, float]:
    points, reached = Counter[str](), Counter[str]()
    for line in text.splitlines():
        if point := _POINT.match(line):
            kind = "toggle" if point["kind"] == "toggle" else "line"
            points[kind] += 1
            reached[kind] += int(point["count"]) > 0
    return {kind: round(100 * reached[kind] / points[kind], 2) for kind in sorted(points)}
