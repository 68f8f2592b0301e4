"""Configurations of the ternary core that together take every value of every parameter, and
jobs with one offence each."""

from pimlico.verif.episode import Episode
from pimlico.verif.ternary.random_jobs import Ask, Jobs

SMALL = {
    "smallest": {"act": "int4", "mu": 1, "luts": 1, "keys": 1, "n_max": 1, "m_max": 1},
    "one-table": {"act": "int8", "mu": 2, "luts": 1, "keys": 1, "pipeline": 4},
    "mu1": {"act": "int4", "mu": 1, "luts": 3, "keys": 2, "mux": "tree", "adder": "compressor"},
    "mu3": {"act": "int16", "mu": 3, "luts": 2, "keys": 3, "mux": "tree", "pipeline": 1,
            "adder": "compressor"},
    "issue": {"act": "int4", "mu": 3, "luts": 3, "keys": 5},
    "mu4": {"act": "int4", "mu": 4, "luts": 2, "keys": 2, "pipeline": 2},
    "mu5": {"act": "int8", "mu": 5, "luts": 1, "keys": 2, "mux": "tree", "pipeline": 3},
    "mu5-wide": {"act": "int16", "mu": 5, "luts": 3, "keys": 1, "pipeline": 4,
                 "adder": "compressor", "n_max": 1000},
    "none": {"table": "none", "luts": 5, "keys": 3, "pipeline": 4, "n_max": 37, "m_max": 11},
    "none-compressor": {"table": "none", "luts": 7, "keys": 2, "pipeline": 2,
                        "adder": "compressor"},
    "base3x5": {"mu": 1, "luts": 5, "keys": 3, "weight_format": "base3x5"},
    "base3x5-mu2": {"mu": 2, "luts": 5, "keys": 2, "weight_format": "base3x5", "pipeline": 1},
    "base3x5-mu5": {"act": "int4", "mu": 5, "luts": 2, "keys": 2, "weight_format": "base3x5"},
    "two_bit": {"mu": 1, "luts": 4, "keys": 3, "weight_format": "two_bit"},
    "two_bit-mu3": {"mu": 3, "luts": 2, "keys": 2, "weight_format": "two_bit", "pipeline": 1},
    "tq1_0": {"mu": 1, "luts": 20, "keys": 2, "weight_format": "tq1_0", "n_max": 512},
    "tq1_0-mu4": {"mu": 4, "luts": 10, "keys": 2, "weight_format": "tq1_0", "n_max": 1024},
    "tq1_0-mu3": {"mu": 3, "luts": 10, "keys": 1, "weight_format": "tq1_0", "n_max": 768},
    "tq2_0": {"mu": 1, "luts": 16, "keys": 3, "weight_format": "tq2_0", "n_max": 768},
    "tq2_0-mu4": {"mu": 4, "luts": 4, "keys": 2, "weight_format": "tq2_0", "n_max": 512},
    "addend": {"mu": 2, "luts": 3, "keys": 3, "addend": True, "pipeline": 1},
    "requant": {"mu": 2, "luts": 3, "keys": 3, "out": "int8_requant", "m_max": 9},
    "requant-addend": {"act": "int16", "mu": 2, "luts": 2, "keys": 2, "out": "int8_requant",
                       "addend": True, "weight_format": "two_bit", "acc_width": 40},
    "wide-acc": {"mu": 2, "luts": 2, "keys": 2, "acc_width": 64},
    "batch": {"mu": 2, "luts": 2, "keys": 3, "batch": 3, "pipeline": 1},
    "batch-8": {"table": "none", "luts": 3, "keys": 2, "batch": 8, "addend": True},
    "batch-requant": {"act": "int4", "mu": 3, "luts": 2, "keys": 2, "batch": 2,
                      "out": "int8_requant", "addend": True},
    "scaled": {"mu": 2, "luts": 2, "keys": 1, "out": "fp32_scaled", "pipeline": 1},
    "scaled-batch": {"act": "int16", "mu": 1, "luts": 2, "keys": 1, "batch": 2,
                     "out": "fp32_scaled", "addend": True},
    "fp16": {"act": "fp16", "mu": 3, "luts": 2, "keys": 1},
    "fp16-none": {"act": "fp16", "table": "none", "luts": 5, "keys": 2, "acc_format": "act",
                  "pipeline": 2},
    "fp16-flush": {"act": "fp16", "mu": 2, "luts": 3, "keys": 1, "subnormals": "flush",
                   "addend": True, "mux": "tree"},
    "bf16": {"act": "bf16", "mu": 3, "luts": 1, "keys": 2, "addend": True},
    "bf16-act": {"act": "bf16", "mu": 2, "luts": 3, "keys": 1, "acc_format": "act",
                 "addend": True, "out": "fp32_scaled", "pipeline": 3},
    "bf16-flush": {"act": "bf16", "mu": 1, "luts": 4, "keys": 2, "subnormals": "flush",
                   "out": "fp32_scaled", "batch": 2},
    "fp16-mu4": {"act": "fp16", "mu": 4, "luts": 1, "keys": 2, "weight_format": "two_bit"},
    "bf16-mu5": {"act": "bf16", "mu": 5, "luts": 1, "keys": 1, "weight_format": "base3x5"},
    "wrap": {"mu": 2, "luts": 2, "keys": 2, "acc_width": 12, "allow_wrap": True},
}

COSTLY = ["mu5-wide", "tq1_0-mu4", "requant-addend", "base3x5-mu5", "batch-requant", "scaled-batch",
          "bf16", "bf16-act", "bf16-flush", "fp16-mu4", "bf16-mu5"]
"""Those that take long to synthesise, or to compile: others much like them do not."""

FLOATING = [case for case, values in SMALL.items() if values.get("act") in ("fp16", "bf16")]

LARGE = {
    "most-luts": {"act": "int4", "mu": 1, "luts": 128, "keys": 1, "pipeline": 3},
    "most-keys": {"act": "int4", "mu": 1, "luts": 1, "keys": 256},
    "longest": {"act": "int4", "mu": 2, "luts": 64, "keys": 1, "n_max": 1 << 20,
                "m_max": 1 << 24},
}


def offences(config, rng):
    """A refused `cfg` before a good job, then jobs with bad codes and misframed activations."""
    jobs = Jobs(config, rng)
    for size in jobs.refused():
        yield Episode("refused", jobs.jobs([size, Ask(256, 2)]))
    yield Episode("bad codes", jobs.job(256, 2, codes=True))
    yield Episode("misframed", jobs.job(256, 2, misframed=True))
