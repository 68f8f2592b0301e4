"""What the properties of the PIM banks are stated with: commands that were carried out, as the
command register has them, and what happened in the cycles before."""

from __future__ import annotations

from amaranth.asserts import AnySeq
from amaranth.hdl import Cat, Signal, Value
from amaranth.lib import data

from pimlico.hdl.common.properties import Harness

from .burst import turn_layout
from .config import PimConfig
from .decode import decoded_layout, kinds
from .timing import Timing

LEAST = {"trcd_rd": 3, "trcd_wr": 2, "trcd_mac": 4, "trp": 2, "tras": 4, "trc": 7, "tccd_s": 1,
         "tccd_l": 2, "tccd_mac": 2, "trrd_s": 1, "trrd_l": 2, "tfaw": 9, "twr": 4, "twtr": 3,
         "trtp": 2, "trfc": 5}


def narrow(config: PimConfig, banks: int = 2) -> PimConfig:
    """At most so many banks of the same make, of integers if they may be, with small rows and short
    rules.

    Of arithmetic a solver makes little, and control does not depend on it.
    """
    t = config.timing
    cycles = {name: min(least, getattr(t, name)) for name, least in LEAST.items()}
    cycles["trrd_l"] = max(cycles["trrd_s"], cycles["trrd_l"])
    cycles["trc"] = max(cycles["trc"], cycles["tras"] + cycles["trp"])
    timing = Timing(**cycles, trefi=600 if config.pq else 150, faw_exempt=t.faw_exempt)
    banks = min(banks, config.banks)
    kind = {"fmt": "fp16", "arith": "ieee_tree", "pq": True, "pq_k": 16, "pq_m": 1,
            "pq_dsub": min(2, config.pq_dsub)} if config.pq else {
        "fmt": "int8", "arith": "lane_mac" if config.arith == "lane_mac" else "exact"}
    return PimConfig(
        **kind, lanes=4, row_bytes=256, rows=2, banks=banks,
        bank_groups=min(banks, config.bank_groups), gb_cols=min(4, config.gb_cols),
        reuse=min(2, config.reuse), acc_slots=min(4, config.acc_slots),
        acc_latency=min(2, config.acc_latency) if config.acc_slots > 1 else 1,
        dual_row_buffer=config.dual_row_buffer, strict=config.strict, timing=timing)


class History:
    """Whether something happened in the cycles before this one, each by itself.

    The RTL counts; this remembers.
    """

    def __init__(self, h: Harness, name: str, event: Value, longest: int):
        self._past = Signal(max(1, longest - 1), name=f"history_of_{name}")
        h.m.d.sync += self._past.eq(Cat(event, self._past))

    def at(self, age: int) -> Value:
        """Whether it happened so many cycles ago."""
        return self._past[age - 1]

    def within(self, least: int) -> Value:
        """Whether it happened fewer than `least` cycles ago, this one not counted."""
        return self._past[:least - 1].any() if least > 1 else Value.cast(0)


def without_arithmetic(h: Harness) -> None:
    """Accumulators, sums and operand buffers that hold anything."""
    parts = {"mac": ("read_data", "flags", *(("product",) if h.config.pq else ()))}
    if h.config.pq:
        parts |= {"tables.sums": ("number",), "tables.buffer": ("index", "column"),
                  "tables.convert_element": ("result",), "tables.convert_rounded": ("result",)}
    for number in range(h.config.banks):
        for part, names in parts.items():
            path = f"bank_{number}.{part}"
            outputs = [h.dut.inside(f"{path}.{name}") for name in names]
            h.dut.cut(path)
            h.m.d.comb += [output.eq(AnySeq(len(output))) for output in outputs]


class Carried:
    """The command that is carried out in this cycle, and the column that has its turn.

    Attributes
    ----------
    command : View
        See `decode.decoded_layout`.
    accept : Signal
        It is carried out.
    turn, runs : View
        See `burst.Burst`.
    """

    def __init__(self, h: Harness):
        inside, config = h.dut.inside, h.config
        self.config, self._inside = config, inside
        self.accept = inside("accept")
        self.command = data.View(decoded_layout(config), inside("decoder.command"))
        self.turn = data.View(turn_layout(config), inside("burst.turn"))
        self.runs = data.View(turn_layout(config), inside("burst.runs"))
        without_arithmetic(h)
        self._tie_kinds(h)

    def _tie_kinds(self, h: Harness) -> None:
        """The register holds what the decoder makes of an operation."""
        valid = self._inside("checked_valid")
        for kind, ops in kinds(self.config).items():
            is_kind = Cat(self.command.op == op for op in ops).any()
            if kind.startswith("pim_") and not self.config.dual_row_buffer:
                is_kind = Value.cast(0)
            h.require(~valid | (self.command[kind] == is_kind), f"a command of kind {kind}")
        h.require(~valid | ~self.command.refresh | self.command.mask.all(), "refresh is for all")
        h.require(~valid | ~(self.command.activate | self.command.pim_activate)
                  | (self.command.row < self.config.rows) | self.command.index_range,
                  "a row that there is")

    def does(self, *kinds: str) -> Value:
        """Whether a command of one of these kinds is carried out."""
        return self.accept & Cat(self.command[kind] for kind in kinds).any()

    def at(self, bank: Value, *kinds: str) -> Value:
        """The same, in a bank."""
        return self.does(*kinds) & self._inside("checker.targets").bit_select(bank, 1)

    def running(self, *kinds: str) -> Value:
        """Whether a burst of one of these kinds runs."""
        return Cat(self.runs[kind] for kind in kinds).any()

    def turns(self, bank: Value, *kinds: str) -> Value:
        """Whether a column of such a burst has its turn in a bank."""
        return Cat(self.turn[kind] for kind in kinds).any() & self.turn.mask.bit_select(bank, 1)

