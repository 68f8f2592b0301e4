"""The ternary core's table and µ, chosen by what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.ternary.config import TernaryConfig

from ..choice import Choice
from .estimate import estimate

COLUMNS = 12
"""Columns a beat where neither µ nor the number of tables is given."""


class TernaryChoice(Choice):
    """Fills in ``mu`` and ``table`` where they were left out.

    The fewest transistors a MAC of a beat among the legal pairs of µ = 1 to 5 and a table in
    flip-flops or none; with ``table = lutram``, which has to be asked for, the fewest LUTs of
    UltraScale+, those that hold the tables included. Where µ and ``luts`` were both left out,
    tiles have the legal number of columns nearest to 12, so that like is compared with like.
    Equal costs go to the smaller µ, and to no table.
    """

    columns: Mapping[str, str] = {
        "mu": "µ", "table": "table", "luts": "L", "transistors": "transistors",
        "per_mac": "a MAC", "ff_bits": "FF", "ecp5_lut": "LUT ecp5", "xcup_lut": "LUT xcup",
        "depth": "depth"}

    @cached_property
    def parameters(self) -> dict[str, Any]:
        if {"mu", "table"} <= self.given.keys():
            return self.given
        chosen = [entry for entry in self.alternatives if entry["chosen"]]
        if not chosen:
            return self.given  # nothing is legal: the configuration says why
        names = ("mu", "table", "luts") if self._frees_luts else ("mu", "table")
        return {**self.given, **{name: chosen[0][name] for name in names}}

    @cached_property
    def estimate(self) -> dict[str, Any]:
        return estimate(TernaryConfig(**self.parameters))

    @property
    def reason(self) -> str:
        named = [name for name in ("mu", "table") if name in self.given]
        if len(named) == 2:
            return "mu and table were given; the others keep the tile's columns"
        ranked = sorted((entry for entry in self.alternatives if self._may_choose(entry)),
                        key=lambda entry: entry["rank"])
        if not ranked:
            return "nothing is legal"
        unit = "LUTs of xcup" if self._by_luts else "transistors"
        told = f"mu = {ranked[0]['mu']}, table = {ranked[0]['table']}"
        if len(ranked) == 1:
            return f"{told}: the only legal pair with {named[0]} = {self.given[named[0]]}"
        best, second = ranked[:2]
        plain = next((entry for entry in ranked if entry["table"] == "none"), None)
        others = [f"next {second['rank']:g} with mu = {second['mu']}, table = {second['table']}"]
        if plain is not None and plain not in (best, second):
            others.append(f"without a table {plain['rank']:g}")
        return f"{told}: {best['rank']:g} {unit} a MAC, the fewest; {', '.join(others)}"

    @cached_property
    def alternatives(self) -> list[dict[str, Any]]:
        entries = [self._entry(config) for config in self._configs()]
        wanted = None
        if {"mu", "table"} <= self.given.keys():
            wanted = (self.given["mu"], self.given["table"])
        elif free := [entry for entry in entries if self._may_choose(entry)]:
            best = min(free, key=lambda entry: entry["rank"])
            wanted = (best["mu"], best["table"])
        return [{**entry, "chosen": (entry["mu"], entry["table"]) == wanted}
                for entry in entries]

    @property
    def _frees_luts(self) -> bool:
        return "mu" not in self.given and "luts" not in self.given

    @property
    def _by_luts(self) -> bool:
        return self.given.get("table") == "lutram"

    def _may_choose(self, entry: Mapping[str, Any]) -> bool:
        """Whether an alternative is what was given, as far as that goes."""
        return all(entry[name] == self.given[name] for name in ("mu", "table")
                   if name in self.given)

    def _configs(self) -> Iterator[TernaryConfig]:
        """The legal alternatives; those of no table first, for comparison also where a table
        is given."""
        tables = ["none", "ff"]
        if self.given.get("table") == "lutram":
            tables.append("lutram")
        for table in tables:
            for mu in (1,) if table == "none" else range(self._least_mu(table), 6):
                config = self._nearest(table, mu)
                if config is not None:
                    yield config

    def _least_mu(self, table: str) -> int:
        """A table of one activation is none, unless it was asked for or built serially."""
        asked = self.given.get("table") == table or self.given.get("mu") == 1
        return 1 if asked or table == "lutram" or self.given.get("build") == "serial" else 2

    def _nearest(self, table: str, mu: int) -> TernaryConfig | None:
        """The legal configuration of a table and µ with the tile's columns, if there is any."""
        given = {**self.given, "table": table, "mu": mu}
        if table != self.given.get("table", table):
            given.pop("build", None)
        as_given = (self.given.get("mu", mu), self.given.get("table", table)) == (mu, table)
        if "luts" in given and ("mu" not in self.given or as_given):
            counts = [given["luts"]]
        elif "mu" in self.given and as_given:
            counts = [TernaryConfig.model_fields["luts"].default]
        else:
            columns = self._columns
            counts = sorted(range(1, 33 + columns // mu),
                            key=lambda luts: (abs(luts * mu - columns), luts))[:24]
        for luts in counts:
            try:
                return TernaryConfig(**{**given, "luts": luts})
            except (ConfigError, TypeError):
                continue
        return None

    @property
    def _columns(self) -> int:
        """Columns that a tile is to have."""
        luts = self.given.get("luts", TernaryConfig.model_fields["luts"].default)
        mu = self.given.get("mu")
        if isinstance(mu, int) and isinstance(luts, int):
            return max(1, min(luts * mu, 640))
        return COLUMNS

    def _entry(self, config: TernaryConfig) -> dict[str, Any]:
        figures = estimate(config)
        cmos, ecp5, xcup = figures["cmos"], figures["ecp5"], figures["xcup"]
        luts = xcup["lut"] + xcup["lutram"]
        size = luts if self._by_luts else cmos["transistors"]
        return {
            "mu": config.mu, "table": config.table, "luts": config.luts, "macs": config.macs,
            "transistors": cmos["transistors"], "memory_bits": cmos["memory_bits"],
            "per_mac": round(cmos["transistors"] / config.macs, 1), "ff_bits": cmos["ff_bits"],
            "ecp5_lut": ecp5["lut"] + ecp5["lutram"], "xcup_lut": luts, "depth": cmos["depth"],
            "rank": round(size / config.macs, 1)}
