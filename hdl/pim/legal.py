"""What a PIM channel refuses to be."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from pimlico.hdl.common.config import ConfigError

from .parameters import MOST_PRODUCTS
from .quantized import Quantized

POWERS = ("lanes", "row_bytes", "rows", "banks", "bank_groups", "gb_cols", "pq_k")


class Legal(Quantized):
    """Parameters that go together."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in POWERS:
            value = getattr(self, name)
            if value & value - 1:
                low = 1 << value.bit_length() - 1
                raise ConfigError(name, value, "be a power of two",
                                  f"the nearest are {low} and {2 * low}")
        if self.bank_groups > self.banks:
            raise ConfigError("bank_groups", self.bank_groups,
                              f"be at most banks = {self.banks}", f"set it to {self.banks}")
        self._check_arithmetic()
        self.check_quantization()
        self._check_timing()
        if self.acc_slots < self.rotation:
            raise ConfigError(
                "acc_slots", self.acc_slots,
                f"be at least {self.rotation}: an addition takes {self.acc_latency} cycles, and "
                f"a column comes every {self.timing.tccd_mac}",
                f"set it to {self.rotation}, or lower acc_latency")
        return self

    def _check_arithmetic(self) -> None:
        forms = ("aligned", "ieee_tree") if self.floating else ("exact",)
        if self.arith not in (*forms, "lane_mac"):
            raise ConfigError("arith", self.arith,
                              f"be {', '.join(forms)} or lane_mac for fmt = {self.fmt}")
        if self.floating == (self.acc == "int32") or (not self.floating and self.acc == "fmt"):
            legal = "fp32 or fmt" if self.floating else "int32"
            raise ConfigError("acc", self.acc, f"be {legal} for fmt = {self.fmt}")
        if self.fmt == "bf16" and self.acc == "fmt" and not self.allow_lossy:
            raise ConfigError("acc", self.acc, "be fp32 for fmt = bf16: of 256 equal addends, "
                              "bf16 loses the last", "set allow_lossy if that is meant")
        if self.floating:
            return
        products = 1 if self.arith == "lane_mac" else self.lanes
        if products * self.mac_columns >= MOST_PRODUCTS:
            fits = (MOST_PRODUCTS - 1) // products
            raise ConfigError("mac_columns", self.mac_columns,
                              f"be at most {fits}, or int32 accumulators can overflow",
                              f"set it to {fits}, and clear accumulators as often")

    def _check_timing(self) -> None:
        t = self.timing
        for name, least, why in (
                ("trc", t.tras + t.trp, "tRAS + tRP"), ("tfaw", t.trrd_s, "tRRD short"),
                ("trrd_l", t.trrd_s, "tRRD short"), ("tccd_l", t.tccd_s, "tCCD short"),
                ("trefi", t.trfc + 1, "tRFC + 1"),
                ("trefi", t.trfc + self.longest_burst,
                 f"tRFC and a burst of {self.longest_burst} cycles" if self.pq else
                 f"tRFC and a burst of all {self.cols} columns")):
            value = getattr(t, name)
            if value < least:
                raise ConfigError(f"timing.{name}", value, f"be at least {least}, {why}")
