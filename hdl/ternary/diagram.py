"""The datapath as the datasheet draws it."""

from __future__ import annotations

from .config import TernaryConfig


def stages(config: TernaryConfig) -> list[tuple[str, str]]:
    """Title and detail of every pipeline stage, from the activations to the results."""
    table = (f"{config.luts} × {config.entries} entries of {config.entry_width} bit"
             if config.table == "ff" else f"{config.columns} activations")
    out = [("table", table),
           ("fetch + reduce", f"{config.keys} columns of {config.luts} read ports, "
                              f"{config.adder} tree")]
    out += [(f"reduce {stage + 1}", "tree continued") for stage in range(config.pipeline)]
    out.append(("accumulate", f"{config.keys} × {config.acc_width} bit"))
    if config.out == "int8_requant":
        out += [("product", "× multiplier"), ("round", "shift, half to even, int8")]
    return out
