"""A ternary matrix by a vector on a board: load, run, read back, compare with NumPy.

Without a port the board is simulated, and every bit still goes over the pins of its UART. For a
real one:

    pimlico build ternary-gemm --preset tiny --board icebreaker --out out/
    openFPGALoader -b ice40_generic out/pimlico_ternary_gemm_icebreaker.bin
    python examples/host_ternary.py --port /dev/ttyUSB1 \
        --manifest out/pimlico_ternary_gemm_icebreaker.json

Exit codes: 0 equal to NumPy, 1 not equal, 2 bad input, a missing tool, or no board.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from pimlico.console import progress
from pimlico.generators.errors import ToolError
from pimlico.generators.load import load
from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.host import Host, HostError
from pimlico.host.simulated import simulated
from pimlico.verif.bits import Array
from pimlico.verif.ternary.formats import activation_beats, beats


def multiply(host: Host, config: TernaryConfig, weights: Array, x: Array) -> Array:
    """``weights @ x`` on the core.

    Parameters
    ----------
    weights : int8 array of shape (m, n)
        Of -1, 0 and 1.
    x : integer array of shape (n,)
    """
    m, n = weights.shape
    out = host.run({"cfg": {"n": n, "m": m, "tag": 0},
                    "a": activation_beats(config, x, m),
                    "w": beats(config, weights)},
                   {"o": -(-m // config.keys)})["o"]
    return out["data"].reshape(-1)[:m]


def connect(port: str | None, manifest: Path | None) -> tuple[Host, TernaryConfig]:
    """The board at a port, or a simulated one of preset tiny; and the core's configuration."""
    if port is None:
        design = load("ternary-gemm", preset="tiny")
        with progress() as tell:
            return (simulated(design.block, design.config, progress=tell),
                    cast(TernaryConfig, design.config))
    assert manifest is not None
    host = Host(port, manifest)
    return host, TernaryConfig(**host.manifest["config"])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", help="serial port of the board; without one it is simulated")
    parser.add_argument("--manifest", type=Path, metavar="FILE",
                        help="the .json that pimlico build left; goes with --port")
    parser.add_argument("--rows", type=int, default=32, help="rows of the matrix")
    parser.add_argument("--columns", type=int, default=64, help="columns of the matrix")
    parser.add_argument("--seed", type=int, default=0, help="of the matrix and the vector")
    options = parser.parse_args(arguments)
    if (options.port is None) != (options.manifest is None):
        parser.error("--port and --manifest go together")
    rng = np.random.default_rng(options.seed)
    try:
        host, config = connect(options.port, options.manifest)
        with host:
            if not (0 < options.rows <= config.m_max and 0 < options.columns <= config.n_max):
                parser.error(f"the core takes up to {config.m_max} rows and {config.n_max} "
                             "columns, and at least one")
            half = 1 << config.act_bits - 1
            weights = rng.integers(-1, 2, (options.rows, options.columns)).astype(np.int8)
            x = rng.integers(-half, half, options.columns)
            began = time.monotonic()
            result = multiply(host, config, weights, x)
            seconds = time.monotonic() - began
    except (ConfigError, ToolError, HostError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    expected = weights.astype(np.int64) @ x
    equal = bool((result == expected).all())
    where = options.port or "a simulated board"
    print(f"{options.rows} x {options.columns} on {where}: "
          f"{'equal to NumPy' if equal else 'NOT EQUAL to NumPy'}, {seconds:.2f} s")
    if not equal:
        print(f"rows that differ: {np.flatnonzero(result != expected).tolist()}")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
