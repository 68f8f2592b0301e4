"""The datapath as the datasheet draws it."""

from __future__ import annotations

from .config import TernaryConfig

Stage = tuple[str, str, int, tuple[str, ...]]


def stages(config: TernaryConfig) -> list[Stage]:
    """Every pipeline stage from the activations to the results: title, detail, registers at its
    end, and the streams that enter or leave there."""
    table = (f"{config.luts} × {config.entries} entries of {config.entry_width} bits"
             if config.table == "ff" else f"{config.columns} activations")
    out: list[Stage] = [
        ("table", table, 1, ("a",)),
        ("fetch + reduce", f"{config.keys} columns of {config.luts} read ports, "
                           f"{config.adder} tree", 1 + config.pipeline, ("w",))]
    rescale = config.out != "raw"
    addend = ("addend",) if config.addend else ()
    out.append(("accumulate", f"{config.keys} × {config.acc_width} bits", 1,
                (*addend, *(() if rescale else ("o",)))))
    if config.out == "fp32_scaled":
        out += [("convert", "to fp32", 1, ()), ("product", "× scale, fp32", 1, ("o",))]
    if config.out == "int8_requant":
        out += [("product", "× multiplier", 1, ()),
                ("round", "shift, half to even, int8", 1, ("o",))]
    return out
