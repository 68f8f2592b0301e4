"""Parameters of the bit-sliced array that do not go together."""

from __future__ import annotations

import re
from typing import Self

from pydantic import model_validator

from pimlico.hdl.common.config import ConfigError

from .packing import pack_weights
from .parameters import Mode
from .precision import Precision


class Legal(Precision):
    """Refuses what cannot be built, and says what to do instead."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_modes()
        if self.nested and self.w_width != 8:
            raise ConfigError("nested", True, f"go with w_width = 8, not {self.w_width}",
                              "set w_width to 8, or nested to false")
        if self.nested and (self.w_signed != "signed" or Mode(8, self.a_width) not in self.mode):
            raise ConfigError("nested", True, f"go with signed weights and mode w8a{self.a_width}",
                              "set w_signed to signed, and list the mode")
        if self.nested and any(mode.w == 2 for mode in self.mode):
            raise ConfigError("modes", ", ".join(self.modes), "be of w4 and w8 when nested",
                              "leave out those of w2, or set nested to false")
        if self.nested and self.zero_points and self.timed:
            raise ConfigError("zero_points", True,
                              "be false with nested weights whose digits come one by one",
                              "set arch to parallel, or correct the results outside")
        if self.nested and self.arch in ("tree", "mac"):
            raise ConfigError("nested", True, "go with arch parallel, serial or skip",
                              "set arch to parallel")
        if self.arch == "skip" and self.dataflow == "ws":
            raise ConfigError("dataflow", "ws", "be os with arch = skip",
                              "columns that skip need their own activations; set it to os")
        if self.arch == "skip" and self.k_lanes != 1:
            raise ConfigError("k_lanes", self.k_lanes, "be 1 with arch = skip",
                              "group says how many products a beat brings")
        if self.arch == "tree" and self.encoding == "ent":
            raise ConfigError("encoding", "ent", "be booth4 with arch = tree",
                              "each accumulator takes one digit of Booth's; set it to booth4")
        name = "group" if self.arch == "skip" else "k_lanes"
        if self.beat_k > self.max_k:
            raise ConfigError(name, self.beat_k, f"be at most max_k = {self.max_k}",
                              "lower it, or raise max_k")
        if self.max_k % self.beat_k:
            raise ConfigError(name, self.beat_k, f"divide max_k = {self.max_k}",
                              f"round max_k to {self.max_k // self.beat_k * self.beat_k}")
        if self.rows % self.drain_adders:
            raise ConfigError("drain_adders", self.drain_adders, f"divide rows = {self.rows}",
                              "set it to 1, or to a divisor of rows")
        if self.dataflow == "ws":
            self._check_ws()
        if self.acc_width is not None and self.acc_width < self.exact_width:
            raise ConfigError("acc_width", self.acc_width,
                              f"be at least {self.exact_width} for max_k = {self.max_k}",
                              "leave it out for the exact width, or lower max_k")
        if self.arch == "mac" and self.acc_form != "binary":
            raise ConfigError("acc_form", self.acc_form, "be binary with arch = mac",
                              "leave it out")
        if self.multiplier == "dsp_packed":
            self._check_packed()
        return self

    def _check_modes(self) -> None:
        if not self.modes:
            raise ConfigError("modes", "[]", "name at least one precision, such as w8a8",
                              "leave it out for the widest")
        if len(set(self.modes)) != len(self.modes) or len(self.modes) > 8:
            raise ConfigError("modes", ", ".join(self.modes), "be up to 8 different precisions")
        for name in self.modes:
            found = re.fullmatch(r"w(2|4|8|16)a(4|8|16)", name)
            if found is None:
                raise ConfigError("modes", name, "be w2, w4, w8 or w16, then a4, a8 or a16")
            w, a = int(found[1]), int(found[2])
            if w > self.w_width or a > self.a_width:
                raise ConfigError("modes", name,
                                  f"be at most w{self.w_width}a{self.a_width}, the hardware",
                                  "widen w_width or a_width")

    def _check_ws(self) -> None:
        if self.drain_adders != 1:
            raise ConfigError("drain_adders", self.drain_adders, "be 1 with dataflow = ws",
                              "each column has one; leave it out")
        if self.rows * self.k_lanes > self.max_k:
            raise ConfigError("max_k", self.max_k,
                              f"be at least rows*k_lanes = {self.rows * self.k_lanes}")

    def _check_packed(self) -> None:
        if self.arch != "parallel":
            raise ConfigError("multiplier", "dsp_packed", "go with arch = parallel")
        if self.acc_form != "binary":
            raise ConfigError("acc_form", self.acc_form, "be binary with multiplier = dsp_packed",
                              "a DSP block's adder keeps no carries; set it to binary")
        if self.nested or self.zero_points:
            name = "nested" if self.nested else "zero_points"
            raise ConfigError(name, True, "be false with multiplier = dsp_packed",
                              "set multiplier to logic")
        if any(mode.w != self.w_width for mode in self.mode):
            raise ConfigError("modes", ", ".join(self.modes),
                              f"be of w{self.w_width} alone with multiplier = dsp_packed",
                              "packed weights have one width")
        most = pack_weights(self.dsp, self.a_bits, self.multiplier_bits, 0).count
        if most == 1:
            raise ConfigError("dsp", self.dsp, "hold two products or more: "
                              f"{self.multiplier_bits}×{self.a_bits} bits are too many",
                              "narrow the operands, or set multiplier to logic")
        if pack_weights(self.dsp, self.a_bits, self.multiplier_bits, self.cols).count == 1:
            raise ConfigError("cols", self.cols, f"be a multiple of 2 to {most}, the columns that "
                              f"share a multiplier of {self.dsp}", f"set it to {most * 2}")
