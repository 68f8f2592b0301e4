"""Configurations of the bit-sliced array under test, small but of every kind."""

from __future__ import annotations

from pimlico.hdl.bitslice.config import BitsliceConfig
from pimlico.hdl.common.config import ConfigError

SMALL = {
    "plain": {"rows": 2, "cols": 2, "max_k": 64, "sum_stages": 3},
    "one": {"rows": 1, "cols": 1, "a_width": 4, "w_width": 2, "max_k": 1, "acc_form": "binary"},
    "ent": {"rows": 3, "cols": 2, "encoding": "ent", "a_signed": "unsigned", "pipeline": 1,
            "acc_form": "segmented", "max_k": 40, "drain_adders": 3, "acc_width": 30},
    "lanes": {"rows": 2, "cols": 1, "k_lanes": 4, "w_signed": "unsigned", "pipeline": 2,
              "drain_adders": 2, "preload": True, "max_k": 64},
    "many-lanes": {"rows": 1, "cols": 1, "k_lanes": 16, "a_width": 4, "w_width": 4, "max_k": 64,
                   "encoding": "ent", "w_signed": "unsigned"},
    "wide": {"rows": 1, "cols": 2, "a_width": 16, "w_width": 16, "max_k": 32,
             "modes": ("w16a16", "w8a16", "w8a8"), "acc_form": "segmented"},
    "precisions": {"rows": 1, "cols": 2, "a_signed": "runtime", "w_signed": "runtime",
                   "modes": ("w8a8", "w4a8", "w2a4", "w2a8", "w4a4"), "max_k": 32,
                   "pipeline": 1},
    "zero-unsigned": {"rows": 2, "cols": 2, "w_signed": "unsigned", "zero_points": True,
                      "max_k": 32},
    "zero-points": {"rows": 2, "cols": 3, "a_signed": "unsigned", "zero_points": True,
                    "preload": True, "max_k": 32},
    "zero-precisions": {"rows": 4, "cols": 1, "k_lanes": 2, "zero_points": True,
                        "w_signed": "runtime", "a_signed": "runtime", "modes": ("w4a8", "w8a4"),
                        "max_k": 16, "drain_adders": 2, "pipeline": 2, "encoding": "ent"},
    "nested": {"rows": 2, "cols": 2, "nested": True, "modes": ("w8a8", "w4a8"), "preload": True,
               "max_k": 64},
    "nested-zero": {"rows": 3, "cols": 2, "nested": True, "zero_points": True, "pipeline": 1,
                    "a_signed": "runtime", "acc_form": "segmented", "encoding": "ent",
                    "max_k": 48, "sum_stages": 1},
    "nested-ws": {"rows": 2, "cols": 2, "nested": True, "dataflow": "ws", "preload": True,
                  "modes": ("w4a4", "w8a8"), "max_k": 8},
    "tree": {"rows": 2, "cols": 1, "arch": "tree", "k_lanes": 2, "max_k": 64, "sum_stages": 4},
    "tree-precisions": {"rows": 2, "cols": 1, "arch": "tree", "w_signed": "runtime",
                        "modes": ("w8a8", "w2a8", "w4a4"), "pipeline": 1, "zero_points": True,
                        "acc_form": "binary", "max_k": 16},
    "tree-ws": {"rows": 3, "cols": 2, "arch": "tree", "dataflow": "ws", "k_lanes": 2,
                "modes": ("w8a8", "w4a8"), "max_k": 6, "acc_form": "segmented", "pipeline": 2},
    "serial": {"rows": 2, "cols": 2, "arch": "serial", "max_k": 64, "pipeline": 2,
               "sum_stages": 1},
    "serial-precisions": {"rows": 2, "cols": 2, "arch": "serial", "w_signed": "runtime",
                          "a_signed": "runtime", "modes": ("w4a8", "w8a8", "w2a4"),
                          "zero_points": True, "preload": True, "k_lanes": 2, "max_k": 32,
                          "acc_form": "segmented"},
    "serial-nested": {"rows": 2, "cols": 1, "arch": "serial", "nested": True, "k_lanes": 8,
                      "modes": ("w4a8", "w8a8"), "drain_adders": 2, "acc_form": "binary",
                      "max_k": 64, "encoding": "ent"},
    "serial-ws": {"rows": 3, "cols": 2, "arch": "serial", "dataflow": "ws", "encoding": "ent",
                  "nested": True, "k_lanes": 2, "max_k": 32, "preload": True,
                  "modes": ("w8a8", "w4a8")},
    "ws-zero": {"rows": 2, "cols": 2, "dataflow": "ws", "zero_points": True, "nested": True,
                "modes": ("w8a8", "w4a8"), "a_signed": "runtime", "max_k": 16, "k_lanes": 2},
    "serial-one": {"rows": 2, "cols": 2, "arch": "serial", "w_width": 2, "zero_points": True,
                   "max_k": 16},
    "skip-one": {"rows": 1, "cols": 2, "arch": "skip", "w_width": 2, "a_width": 4, "group": 2,
                 "max_k": 16, "elide": True},
    "skip": {"rows": 2, "cols": 2, "arch": "skip", "encoding": "ent", "group": 4, "max_k": 64},
    "skip-elide": {"rows": 2, "cols": 3, "arch": "skip", "group": 2, "elide": True,
                   "w_signed": "runtime", "zero_points": True, "modes": ("w8a8", "w4a4"),
                   "max_k": 32, "pipeline": 1, "acc_form": "binary"},
    "skip-nested": {"rows": 2, "cols": 1, "arch": "skip", "group": 8, "elide": True,
                    "nested": True, "modes": ("w8a8", "w4a8"), "encoding": "ent", "max_k": 64,
                    "pipeline": 2, "preload": True, "acc_form": "segmented"},
    "skip-unsigned": {"rows": 1, "cols": 2, "arch": "skip", "group": 2, "encoding": "ent",
                      "w_signed": "unsigned", "w_width": 4, "a_signed": "unsigned",
                      "zero_points": True, "max_k": 16},
    "mac": {"rows": 4, "cols": 1, "arch": "mac", "drain_adders": 2, "pipeline": 1,
            "modes": ("w8a8", "w4a4"),
            "w_signed": "runtime", "a_signed": "unsigned", "zero_points": True, "max_k": 32},
    "mac-ws": {"rows": 1, "cols": 2, "arch": "mac", "dataflow": "ws", "k_lanes": 2,
               "pipeline": 2, "max_k": 4},
    "ws": {"rows": 3, "cols": 2, "dataflow": "ws", "max_k": 3, "preload": True,
           "sum_stages": 1},
    "ws-precisions": {"rows": 2, "cols": 2, "dataflow": "ws", "a_signed": "runtime",
                      "w_signed": "runtime", "modes": ("w8a8", "w4a8", "w2a4"), "k_lanes": 2,
                      "pipeline": 1, "acc_form": "segmented", "max_k": 4, "encoding": "ent"},
    "dsp48e2": {"rows": 2, "cols": 3, "multiplier": "dsp_packed", "w_width": 4, "pipeline": 2,
                "max_k": 64},
    "dsp48e2-ws": {"rows": 2, "cols": 4, "multiplier": "dsp_packed", "dataflow": "ws",
                   "w_width": 4, "a_width": 4, "w_signed": "runtime", "pipeline": 1, "max_k": 4,
                   "k_lanes": 2, "preload": True},
    "ecp5": {"rows": 2, "cols": 2, "multiplier": "dsp_packed", "dsp": "ecp5", "w_width": 4,
             "a_signed": "runtime", "k_lanes": 2, "max_k": 16},
    "ice40": {"rows": 1, "cols": 4, "multiplier": "dsp_packed", "dsp": "ice40", "w_width": 2,
              "a_width": 4, "w_signed": "unsigned", "max_k": 16, "pipeline": 1},
}

DEEP = ("zero-unsigned", "zero-precisions", "nested-zero", "nested-ws", "tree-precisions",
        "tree-ws", "serial", "skip-unsigned", "skip-one", "mac-ws", "ws", "dsp48e2-ws")
"""What only long runs simulate: the others take every value of every parameter, too."""

SIDES = (1, 2, 3, 4)


def random_config(rng) -> BitsliceConfig:
    """Parameters drawn until they go together."""
    while True:
        try:
            return BitsliceConfig(**_draw(rng))
        except ConfigError:
            continue


def _draw(rng) -> dict:
    def one(*values):
        return values[int(rng.integers(len(values)))]

    nested, packed = rng.random() < 0.25, rng.random() < 0.2
    a_width, w_width = one(4, 8, 8, 16), 8 if nested else one(2, 4, 8, 8, 16)
    precisions = [f"w{w}a{a}" for w in (2, 4, 8, 16) for a in (4, 8, 16)
                  if w <= w_width and a <= a_width and (w > 2 or not nested)]
    modes = rng.permutation(precisions)[:int(rng.integers(1, 6))].tolist()
    if nested and f"w8a{a_width}" not in modes:
        modes.append(f"w8a{a_width}")
    drawn = {
        "rows": one(*SIDES), "cols": one(*SIDES, 6), "k_lanes": one(1, 1, 1, 2, 4, 8, 16),
        "arch": one("parallel", "parallel", "tree", "serial", "skip", "mac"),
        "dataflow": one("os", "os", "ws"), "a_width": a_width, "w_width": w_width,
        "a_signed": one("signed", "unsigned", "runtime"),
        "w_signed": "signed" if nested else one("signed", "unsigned", "runtime"),
        "encoding": one("booth4", "ent"), "nested": nested, "modes": tuple(modes),
        "acc_form": one("binary", "carry_save", "segmented"), "pipeline": one(0, 1, 2),
        "sum_stages": one(1, 2, 3, 4), "max_k": one(1, 2, 8, 16, 24, 64, 96),
        "drain_adders": one(1, 1, 2, 3, 4),
        "group": one(2, 4, 8), "elide": one(False, True),
        "zero_points": one(False, False, True), "preload": one(False, True),
    }
    if nested:
        drawn["arch"] = one("parallel", "serial", "skip")
    elif packed:
        drawn |= {"arch": "parallel", "multiplier": "dsp_packed", "acc_form": "binary",
                  "dsp": one("dsp48e2", "ecp5", "ice40"), "w_width": one(2, 4), "a_width": 8,
                  "zero_points": False}
        drawn["modes"] = (f"w{drawn['w_width']}a8",)
    if rng.random() < 0.2:
        drawn["acc_width"] = int(rng.integers(30, 65))
    return drawn
