"""Configurations of the PIM banks that together take every value of every parameter."""

from __future__ import annotations

import numpy as np

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.pim.config import PimConfig
from pimlico.hdl.pim.timing import DEVICES

SHORT = {"base": "hbm2_neupims", "trefi": 400, "trfc": 40}
"""Rules under which refreshes come often."""

FAST = {"base": "hbm2_neupims", "trcd_rd": 2, "trcd_wr": 1, "trcd_mac": 3, "trp": 2, "tras": 4,
        "trc": 8, "tccd_s": 1, "tccd_l": 1, "tccd_mac": 1, "trrd_s": 1, "trrd_l": 2, "tfaw": 7,
        "twr": 3, "twtr": 2, "trtp": 1, "trefi": 120, "trfc": 9}
"""Rules of a few cycles: a column every cycle, and tRC longer than tRAS and tRP."""

SMALL = {
    "int8": {"fmt": "int8", "row_bytes": 256, "rows": 8, "timing": SHORT},
    "int8-dual": {"fmt": "int8", "row_bytes": 256, "rows": 4, "banks": 4, "bank_groups": 2,
                  "dual_row_buffer": True, "timing": SHORT},
    "int8-lanes": {"fmt": "int8", "lanes": 4, "row_bytes": 256, "rows": 2, "banks": 2,
                   "arith": "lane_mac", "acc_slots": 1, "timing": FAST},
    "int8-reuse": {"fmt": "int8", "lanes": 8, "row_bytes": 256, "rows": 2, "banks": 2, "reuse": 3,
                   "acc_slots": 5, "acc_latency": 3, "gb_cols": 8, "timing": FAST},
    "int8-sixteen": {"fmt": "int8", "lanes": 32, "row_bytes": 512, "rows": 4, "banks": 16,
                     "bank_groups": 4, "gb_cols": 4, "timing": "gddr6_aim"},
    "int8-waits": {"fmt": "int8", "row_bytes": 256, "rows": 4, "banks": 8, "bank_groups": 8,
                   "strict": False, "timing": SHORT},
    "bf16": {"row_bytes": 256, "lanes": 4, "rows": 4, "banks": 2, "timing": SHORT},
    "bf16-tree": {"row_bytes": 256, "lanes": 8, "rows": 2, "banks": 1, "arith": "ieee_tree",
                  "subnormals": "flush", "acc_latency": 2, "timing": FAST},
    "bf16-slow": {"row_bytes": 256, "lanes": 4, "rows": 2, "acc_latency": 4,
                  "timing": "hbm2_neupims"},
    "bf16-lossy": {"row_bytes": 256, "lanes": 4, "rows": 2, "acc": "fmt", "allow_lossy": True,
                   "align_bits": 12, "timing": "hbm3_attacc"},
    "bf16-lanes": {"row_bytes": 256, "lanes": 4, "rows": 2, "arith": "lane_mac", "acc_slots": 8,
                   "banks": 2, "dual_row_buffer": True, "timing": "hbm2_samsung"},
    "fp16": {"fmt": "fp16", "row_bytes": 256, "lanes": 4, "rows": 2, "align_bits": 28,
             "reuse": 2, "timing": FAST},
    "fp16-lanes": {"fmt": "fp16", "row_bytes": 512, "lanes": 4, "rows": 2, "arith": "lane_mac",
                   "acc": "fmt", "acc_slots": 2, "acc_latency": 2, "timing": FAST},
    "fp16-tree": {"fmt": "fp16", "row_bytes": 256, "lanes": 4, "rows": 4, "arith": "ieee_tree",
                  "acc": "fmt", "acc_slots": 3, "acc_latency": 3, "dual_row_buffer": True,
                  "banks": 4, "strict": False, "timing": FAST},
    "pq": {"fmt": "fp16", "lanes": 4, "row_bytes": 256, "rows": 4, "banks": 2, "pq": True,
           "pq_k": 16, "pq_m": 4, "pq_dsub": 2, "timing": {**SHORT, "trefi": 900}},
    "pq-dual": {"lanes": 8, "row_bytes": 512, "rows": 4, "banks": 4, "bank_groups": 2, "pq": True,
                "pq_k": 128, "pq_m": 8, "pq_dsub": 3, "arith": "ieee_tree",
                "dual_row_buffer": True, "timing": {**FAST, "trefi": 700}},
    "pq-forwards": {"fmt": "fp16", "lanes": 4, "row_bytes": 256, "rows": 2, "banks": 1,
                    "acc": "fmt", "acc_latency": 4, "strict": False, "pq": True, "pq_k": 128,
                    "pq_m": 1, "pq_dsub": 1, "gb_cols": 1, "subnormals": "flush",
                    "timing": {**SHORT, "trefi": 900}},
    "pq-wide": {"fmt": "fp16", "lanes": 32, "row_bytes": 2048, "rows": 2, "banks": 1,
                "acc": "fmt", "pq": True, "pq_k": 1024, "pq_m": 64, "pq_dsub": 16, "gb_cols": 64,
                "timing": {**FAST, "trefi": 2000}},
    "pq-many": {"lanes": 32, "row_bytes": 256, "rows": 2, "banks": 1, "pq": True, "pq_k": 16,
                "pq_m": 2, "pq_dsub": 1, "acc_latency": 2, "timing": {**FAST, "trefi": 700}},
}


def random_config(rng: np.random.Generator, pq: bool = False) -> PimConfig:
    """Parameters drawn until they go together; half of them under rules of their own."""
    def power(low: int, high: int) -> int:
        return 1 << int(rng.integers(low, high + 1))

    while True:
        fmt = str(rng.choice(["int8", "int8", "bf16", "fp16"]))
        parameters = {
            "fmt": fmt, "lanes": power(2, 5), "row_bytes": power(8, 10), "rows": power(1, 5),
            "banks": power(0, 3), "bank_groups": power(0, 3), "gb_cols": power(0, 5),
            "reuse": int(rng.choice([1, 1, 2, 3])), "acc_slots": int(rng.integers(1, 9)),
            "acc_latency": int(rng.integers(1, 4)), "dual_row_buffer": bool(rng.integers(2)),
            "strict": bool(rng.integers(4)), "subnormals": str(rng.choice(["keep", "flush"])),
            "align_bits": int(rng.integers(12, 29)), "allow_lossy": True,
            "arith": str(rng.choice(["exact", "lane_mac"] if fmt == "int8" else
                                    ["aligned", "ieee_tree", "lane_mac"])),
            "acc": "int32" if fmt == "int8" else str(rng.choice(["fp32", "fmt"])),
            "timing": _random_timing(rng),
        }
        if pq:
            parameters |= {
                "pq": True, "reuse": 1, "pq_k": power(4, 10), "pq_m": int(rng.integers(1, 17)),
                "pq_dsub": int(rng.integers(1, 17)),
                "timing": parameters["timing"] | {"trefi": int(rng.integers(900, 8000))}}
        try:
            return PimConfig(**parameters)
        except ConfigError:
            continue


def _random_timing(rng: np.random.Generator) -> dict[str, object]:
    base = str(rng.choice(list(DEVICES)))
    if rng.integers(2):
        return {"base": base}
    few = {name: int(rng.integers(1, 9)) for name in DEVICES[base]}
    return {**few, "base": base, "tras": few["tras"] + 4, "trc": int(rng.integers(20, 30)),
            "trrd_l": few["trrd_s"] + int(rng.integers(3)), "tfaw": int(rng.integers(8, 30)),
            "tccd_l": few["tccd_s"] + int(rng.integers(3)), "faw_exempt": bool(rng.integers(2)),
            "trefi": int(rng.integers(150, 1500)), "trfc": int(rng.integers(5, 60))}
