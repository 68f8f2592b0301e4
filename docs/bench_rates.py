"""Cycles a second of the cocotb bench and of recorded lockstep, side by side on one machine."""

from __future__ import annotations

import argparse
from statistics import median
from time import perf_counter

import numpy as np

from pimlico.generators.block import find
from pimlico.generators.verilog import emit
from pimlico.sim.recorder import record
from pimlico.sim.replay import Player, build_player, pins_of, replay
from pimlico.sim.verify import verify
from pimlico.verif.recording import Recording


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3, help="the median of so many is told")
    arguments = parser.parse_args()
    runs, cycles = range(arguments.runs), arguments.cycles
    block = find("ternary-gemm")
    config = block.config()
    few = cycles // 10

    def stimulus(seed: int):
        return block.load("stimulus")(config, np.random.default_rng(seed))

    def rate_of(chunks, length: int) -> float:
        begun = perf_counter()
        for _ in chunks:
            pass
        return length / (perf_counter() - begun)

    def bench(seed: int) -> float:
        result = verify(block, config, simulators=["verilator"], cycles=few, seed=seed)
        return result["simulators"]["verilator"]["cycles_per_second"]

    design = emit(block, config)
    pins = pins_of(design)
    library = build_player(design, config.ports, lambda *progress: None)

    def plain(seed: int) -> float:
        recording = Recording(config.ports, pins, block.load("cycles")(config), seed=seed,
                              cycles=few)
        return rate_of(recording.chunks(stimulus(seed)), few)

    def compiled(seed: int) -> float:
        chunks, _ = record(block, config, stimulus(seed), pins, seed, cycles,
                           lambda *progress: None)
        return rate_of(chunks, cycles)

    def played(seed: int) -> float:
        chunks, _ = record(block, config, stimulus(seed), pins, seed, cycles,
                           lambda *progress: None)
        kept = list(chunks)
        begun = perf_counter()
        with Player(library, config.ports, pins, seed=seed) as player:
            for chunk in kept:
                assert player.play(chunk) is None
        return cycles / (perf_counter() - begun)

    def whole(seed: int) -> float:
        return replay(block, config, cycles=cycles, seed=seed)["cycles_per_second"]

    print("| what, default ternary core | cycles a second |\n| --- | ---: |")
    for what, rate in (
            ("cocotb on Verilator: stimulus, cycle model and comparison", bench),
            ("recording: stimulus and cycle model in Python", plain),
            ("recording: stimulus, compiled cycle model", compiled),
            ("playing a recording: comparison", played),
            ("recording with the compiled model while playing: all of it", whole)):
        number = f"{round(median(map(rate, runs)), -3):,.0f}".replace(",", " ")
        print(f"| {what} | {number} |", flush=True)


if __name__ == "__main__":
    main()
