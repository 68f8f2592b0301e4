"""Runs a 2560 to 6912 GEMV through the RTL at full rate and prints cycles against beats."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

from pimlico.generators.load import load
from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.sim.verify import verify
from pimlico.verif.episode import Episode
from pimlico.verif.ternary.formats import activation_beats, beats

N, M = 2560, 6912


def episodes(config: TernaryConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """One job, never stalled."""
    cfg = config.port("cfg")
    weights = rng.integers(-1, 2, (M, N)).astype(np.int8)
    yield Episode("gemv", {
        "cfg": [cfg.pack({"n": N, "m": M, "tag": 0})],
        "a": activation_beats(config, rng.integers(-128, 128, N), M),
        "w": beats(config, weights)})


def main() -> int:
    design = load("ternary-gemm", preset="best-int8")
    assert isinstance(design.config, TernaryConfig)
    expected = design.config.job_beats(N, M)
    result = verify(design.block, design.config, simulators=["verilator"], cycles=2 * expected,
                    seed=0, stimulus="gemv:episodes")
    if not result["passed"]:
        print(result["mismatch"])
        return 1
    traffic = result["simulators"]["verilator"]["traffic"]
    cycles = traffic["o"]["last"] - traffic["cfg"]["first"]
    print(f"ceil({N}/12)*ceil({M}/16) = {expected} beats, {traffic['w']['beats']} taken, "
          f"{cycles} cycles from cfg to the last result, {expected / cycles:.3%} busy")
    return 0


if __name__ == "__main__":
    sys.exit(main())
