"""Runs small cores of every block through the commands, for ``pimlico report``."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

CORES = {
    "ternary-gemm": ["--preset", "tiny"],
    "bitslice-array": ["--preset", "ice40-tiny"],
    "kv-history": ["--preset", "ecp5-256"],
    "omap-controller": ["--preset", "ecp5-small"],
    "pim-bank": ["--preset", "ecp5-int8"],
    "ascon-aead128": ["--preset", "compact"],
}
"""Of each block a core that is small."""
MUTATED = {
    "bitslice-array": ["rows=2", "cols=2", "max_k=64"],
    "kv-history": ["row_elems=16", "beat_elems=4", "tokens=5", "append=true"],
    "omap-controller": ["key_width=20", "value_width=12", "log2_pages=3", "slots=4", "capacity=12",
                        "beat_width=64", "index_ways=2", "host_latency_max=30", "trusted=port"],
    "pim-bank": ["fmt=int8", "lanes=8", "row_bytes=256", "rows=4", "acc_slots=3"],
}
"""Instead of these, for mutants, cores small enough that the stimulus reaches nearly all of them:
each survivor is compared with the core by proofs, which take up to a minute or two."""
MUTANTS, CYCLES = 100, 250_000
FAMILIES = ("cmos", "ecp5", "xcup")


def commands() -> list[tuple[str, list[str]]]:
    """Each command's name for its file, and its arguments."""
    todo = []
    for block, config in CORES.items():
        settings = [part for value in MUTATED.get(block, []) for part in ("--set", value)]
        todo += [(f"{block}-verify", ["verify", block, *config, "--sim", "both"]),
                 (f"{block}-prove", ["prove", block, *config]),
                 (f"{block}-mutate", ["mutate", block, *(settings or config), "--least", "0",
                                "--count", str(MUTANTS), "--cycles", str(CYCLES)]),
                 *((f"{block}-{target}", ["synth", block, *config, "--target", target,
                                          *(["--pnr"] if target == "ecp5" else [])])
                   for target in FAMILIES)]
    for preset in ("best-int4", "best-int8", "micas-int8"):
        todo.append((f"ternary-gemm-{preset}",
                     ["synth", "ternary-gemm", "--preset", preset, "--target", "cmos"]))
    return todo


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder to write to")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    todo, failed = commands(), 0
    for number, (name, arguments) in enumerate(todo, 1):
        print(f"{number} of {len(todo)}: pimlico {' '.join(arguments)}", flush=True)
        run = subprocess.run([sys.executable, "-m", "pimlico", *arguments, "--json"],
                             stdout=subprocess.PIPE, check=False)
        if run.returncode > 1:
            return run.returncode
        failed |= run.returncode
        (out / f"{name}.json").write_bytes(run.stdout)
    return failed


if __name__ == "__main__":
    sys.exit(main())
