"""What the ternary LUT GEMM core refuses to be."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from pimlico.hdl.common.config import ConfigError

from .parameters import TernaryParameters, exact_width

BLOCK = 256


class Legal(TernaryParameters):
    """Parameters that go together."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_table()
        if self.floating:
            self._check_floating()
        else:
            self._check_integers()
        self._check_weights()
        return self

    def _check_table(self) -> None:
        if self.table == "none" and self.mu != 1:
            raise ConfigError("mu", self.mu, "be 1 with table = none",
                              "leave mu out, or set table = ff")
        if self.table == "lutram" and self.floating:
            raise ConfigError("table", "lutram", f"be ff or none with act = {self.act}",
                              "set table = ff")
        if self.serial and (self.table == "none" or self.floating):
            raise ConfigError("build", "serial",
                              f"be parallel with table = {self.table} and act = {self.act}",
                              "leave build out")
        if self.table == "lutram" and not self.serial:
            raise ConfigError("build", "parallel", "be serial with table = lutram",
                              "leave build out, or set table = ff")
        if not self.serial or self.allow_exposed_build:
            return
        beats = -(-self.m_max // self.keys)
        if beats < self.build_cycles:
            raise ConfigError(
                "build", "serial", f"be hidden behind the beats of m_max rows, but {beats} are "
                f"fewer than the {self.build_cycles} cycles that a table takes",
                f"raise m_max to {(self.build_cycles - 1) * self.keys + 1}, lower keys or mu, or "
                "set allow_exposed_build = true")

    @property
    def build_cycles(self) -> int:
        """Cycles in which a serial build makes a table: one an entry."""
        return self.entries

    def _check_floating(self) -> None:
        if self.out == "int8_requant":
            raise ConfigError("out", self.out, f"be raw or fp32_scaled with act = {self.act}",
                              "floating sums are not rescaled to integers")
        if self.adder != "carry":
            raise ConfigError("adder", self.adder, f"be carry with act = {self.act}",
                              "leave it out: floating sums are rounded one by one")
        if self.allow_wrap:
            raise ConfigError("allow_wrap", self.allow_wrap, f"be false with act = {self.act}",
                              "leave it out: floating sums do not wrap")
        if self.acc_format is None:
            raise ConfigError("acc_format", self.acc_format,
                              f"be fp32 or act with act = {self.act}", "leave it out for fp32")
        width = 32 if self.acc_format == "fp32" else self.act_bits
        if self.acc_width != width:
            raise ConfigError("acc_width", self.acc_width,
                              f"be {width}, the width of acc_format = {self.acc_format}",
                              "leave it out")

    def _check_integers(self) -> None:
        for field, value, usual in (("acc_format", self.acc_format, None),
                                    ("subnormals", self.subnormals, "keep")):
            if value != usual:
                raise ConfigError(field, value, f"be left out with act = {self.act}",
                                  "set act to fp16 or bf16")
        exact = exact_width(self.act_bits, self.n_max, self.addend)
        if self.acc_width < exact and not self.allow_wrap:
            raise ConfigError("acc_width", self.acc_width,
                              f"be at least {exact} for act = {self.act}, n_max = {self.n_max}",
                              "leave it out for the exact width, or set allow_wrap = true")
        if self.acc_width < self.sum_width and self.allow_wrap:
            raise ConfigError("acc_width", self.acc_width,
                              f"be at least {self.sum_width}, the width of one beat's sum",
                              "narrow the tile (luts, mu) or widen the accumulator")

    def _check_weights(self) -> None:
        columns = self.columns
        if self.weight_format == "base3x5" and columns % 5:
            raise ConfigError("weight_format", "base3x5",
                              f"go with luts*mu a multiple of 5, not {columns}",
                              "set luts to a multiple of 5, or use two_bit")
        if self.weight_format == "tq1_0" and columns % 5:
            raise ConfigError("weight_format", "tq1_0",
                              f"go with luts*mu a multiple of 5, not {columns}",
                              "set luts to a multiple of 5, or use tq2_0")
        if self.weight_format == "tq1_0" and 48 % (columns // 5):
            raise ConfigError("weight_format", "tq1_0",
                              f"go with luts*mu/5 a divisor of 48, not {columns // 5}",
                              "set luts*mu to 5, 10, 15, 20, 30, 40, 60, 80, 120 or 240")
        if self.weight_format == "tq2_0" and (columns % 4 or 64 % (columns // 4)):
            raise ConfigError("weight_format", "tq2_0",
                              f"go with luts*mu/4 a divisor of 64, not {columns / 4:g}",
                              "set luts*mu to 4, 8, 16, 32, 64, 128 or 256")
        if self.block_format and self.n_max % BLOCK:
            raise ConfigError("n_max", self.n_max,
                              f"be a multiple of {BLOCK} with weight_format = "
                              f"{self.weight_format}",
                              f"round it up to {-(-self.n_max // BLOCK) * BLOCK}")
