"""What the OMAP cache controller refuses to be."""

from __future__ import annotations

from math import ceil
from typing import Self

from pydantic import model_validator

from pimlico.hdl.common.config import ConfigError

from .parameters import BEAT_WIDTHS
from .sizes import Sizes


class Legal(Sizes):
    """Parameters that go together."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_map()
        self._check_page()
        if self.pending_depth is not None:
            self._check_pending(self.pending_depth)
        if self.merge_budget is not None and self.merge_budget > self.slots:
            raise ConfigError("merge_budget", self.merge_budget,
                              f"be at most slots = {self.slots}", f"set it to {self.slots}")
        if self.trusted == "on_chip" and self.trusted_latency != 2:
            raise ConfigError("trusted_latency", self.trusted_latency,
                              "be 2 for memories on the chip",
                              "leave it unset, or set trusted = port")
        if self.entropy == "lfsr" and not self.test_mode:
            raise ConfigError("entropy", self.entropy, "be stream outside test mode",
                              "the pages in the trace are the random numbers, and give a linear "
                              "generator away; for tests set test_mode = true")
        return self

    def _check_map(self) -> None:
        places = self.pages * self.slots
        if self.capacity * 10 > places * 9:
            raise ConfigError("capacity", self.capacity,
                              f"be at most 0.9 * pages * slots = {places * 9 // 10}",
                              "raise log2_pages or slots")
        if self.slots < self.mean_load + 2:
            raise ConfigError("slots", self.slots,
                              f"be at least {self.mean_load + 2}, two more than the "
                              f"{self.mean_load} items a page of {self.capacity} keys in "
                              f"{self.pages} pages", "raise slots or log2_pages")
        bits = (self.capacity - 1).bit_length()
        if self.key_width < bits:
            raise ConfigError("key_width", self.key_width,
                              f"be at least {bits}, log2 of capacity = {self.capacity}",
                              f"set it to {bits}, or capacity to {1 << self.key_width}")

    def _check_page(self) -> None:
        if self.key_width > self.beat_width:
            raise ConfigError("key_width", self.key_width,
                              f"fit in a beat of {self.beat_width} bits",
                              "set beat_width to "
                              f"{min(w for w in BEAT_WIDTHS if w >= self.key_width)}")
        if self.page_bits is None:
            return
        least = self._least_beats * self.beat_width
        if self.page_bits % self.beat_width:
            whole = ceil(self.page_bits / self.beat_width) * self.beat_width
            raise ConfigError("page_bits", self.page_bits,
                              f"be whole beats of {self.beat_width} bits", f"set it to {whole}")
        if self.page_bits < least:
            raise ConfigError("page_bits", self.page_bits,
                              f"be at least {least}, for {self.slots} slots of "
                              f"{self.tuple_width} bits" + (" and a tag" if self.sealed else ""),
                              f"set it to {least}, or leave it unset")

    def _check_pending(self, depth: int) -> None:
        if depth > self.capacity:
            raise ConfigError("pending_depth", depth, f"be at most capacity = {self.capacity}",
                              "no more keys than that can wait")
        if depth < self.pending_bound and not self.allow_fatal:
            raise ConfigError("pending_depth", depth,
                              f"be at least {self.pending_bound}, which random pages keep to",
                              f"set it to {self.pending_bound}, or to capacity = {self.capacity}, "
                              "which cannot fail, or set allow_fatal")
