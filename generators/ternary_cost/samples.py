"""Legal configurations of the ternary core drawn at random, to hold its cost model against
synthesis."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.hdl.ternary.parameters import FLOATING

from .estimate import estimate

VALUES: Mapping[str, Sequence[Any]] = {
    "act": ("int4", "int8", "int16"),
    "table": ("ff", "ff", "none"),
    "mu": (1, 2, 2, 3, 3, 4, 5),
    "luts": range(1, 11),
    "keys": range(1, 7),
    "batch": (1, 1, 1, 2, 3),
    "mux": ("andor", "tree"),
    "adder": ("carry", "compressor"),
    "n_max": (256, 768, 4096, 6912, 65536),
    "m_max": (64, 1000, 16384),
    "addend": (False, False, True),
    "pipeline": (0, 0, 1, 2, 3, 4),
    "weight_format": ("keys", "keys", "two_bit", "base3x5", "tq1_0", "tq2_0"),
    "out": ("raw", "raw", "int8_requant", "fp32_scaled"),
}
"""What each parameter is drawn from, with equal odds; a value that stands twice comes twice as
often."""

SERIAL = {"build": ("serial",), "table": ("ff", "lutram")}
FLOAT = {"act": FLOATING, "acc_format": ("fp32", "act"), "subnormals": ("keep", "flush"),
         "adder": ("carry",)}


def draw(seed: int, least: int, most: int, **values: Sequence[Any]) -> Iterator[TernaryConfig]:
    """Legal configurations of `least` to `most` transistors by the model, without end.

    Parameters
    ----------
    seed : int
    values
        Instead of those in `VALUES`, or beside them.
    """
    random_ = random.Random(seed)
    while True:
        drawn = {name: random_.choice(choices) for name, choices in {**VALUES, **values}.items()}
        if drawn["table"] == "none":
            drawn["mu"] = 1
        try:
            config = TernaryConfig(**drawn)
        except ConfigError:
            continue
        if least <= estimate(config)["cmos"]["transistors"] <= most:
            yield config
