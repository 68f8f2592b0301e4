"""The datapath as the datasheet draws it."""

from __future__ import annotations

from .config import TernaryConfig

Stage = tuple[str, str, int, tuple[str, ...]]


def stages(config: TernaryConfig) -> list[Stage]:
    """Every pipeline stage from the activations to the results: title, detail, registers at its
    end, and the streams that enter or leave there."""
    entries = f"{config.luts} × {config.entries} entries of {config.entry_width} bits"
    columns = (f"{config.keys} columns of {config.luts} read ports, {config.adder} tree",
               1 + config.pipeline, ("w",))
    out: list[Stage]
    if config.serial:
        out = [("build", f"{entries}, an entry a cycle; two copies", config.build_cycles + 1,
                ("a",))]
    else:
        out = [("table", entries if config.table == "ff" else f"{config.columns} activations", 1,
                ("a",))]
    out.append(("fetch + reduce", *columns))
    rescale = config.out != "raw"
    addend = ("addend",) if config.addend else ()
    kept = f"; sums of {config.row_tiles} row tiles" if config.serial else ""
    out.append(("accumulate", f"{config.keys} × {config.acc_width} bits{kept}", 1,
                (*addend, *(() if rescale else ("o",)))))
    if config.out == "fp32_scaled":
        out += [("convert", "to fp32", 1, ()), ("product", "× scale, fp32", 1, ("o",))]
    if config.out == "int8_requant":
        out += [("product", "× multiplier", 1, ()),
                ("round", "shift, half to even, int8", 1, ("o",))]
    return out
