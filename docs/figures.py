"""Writes the drawings of docs/img as `pimlico generate` draws them."""

from __future__ import annotations

from pathlib import Path

from pimlico.generators.deliver import deliverables
from pimlico.generators.load import load

FOLDER = Path(__file__).parent / "img"


def figures() -> dict[str, str]:
    """Every drawing by file name: the core of the preset ``best-int8``."""
    design = load("ternary-gemm", preset="best-int8")
    files = deliverables(design.block, design.config)
    return {"ternary-gemm.svg": files["pimlico_ternary_gemm.svg"],
            "ternary-gemm-timing.svg": files["pimlico_ternary_gemm_timing.svg"]}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in figures().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
