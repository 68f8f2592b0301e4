"""Configurations of the PIM banks that together take every value of every parameter."""

from __future__ import annotations

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
}
