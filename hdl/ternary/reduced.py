"""Small cores of the same make, for proofs."""

from __future__ import annotations

from typing import Any

from .config import TernaryConfig


def on_integers(config: TernaryConfig, **changes: Any) -> TernaryConfig:
    """The same core, but with `changes`, on the narrowest integers: of floating arithmetic, and
    of a product with a scale, a solver makes little, and control does not depend on them."""
    out = "int8_requant" if config.out == "fp32_scaled" else config.out
    return TernaryConfig(**{
        **config.model_dump(exclude={"acc_width", "acc_format", "subnormals"}), "act": "int4",
        "out": out, "allow_wrap": False, **changes})
