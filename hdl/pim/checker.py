"""The command checker: whether the command may be carried out, and if not, why."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.parts import place

from .activations import Activations
from .bank_rules import BankRules
from .burst import turn_layout
from .commands import CODE_BITS, WAITS, Code
from .config import PimConfig
from .decode import ON_SUMS, any_of, decoded_layout, flags_of
from .elapsed import Elapsed
from .refresh import Refresh


class Checker(wiring.Component):
    """All state that decides on a command's legality, but that of bursts and slots.

    Attributes
    ----------
    command : In
        See `decode.decoded_layout`.
    accept : In(1)
        It is carried out in this cycle; only if ``code`` is 0.
    turn, runs : In
        See `burst.Burst`.
    soon_ccd, slot_busy, unwritten : In(1)
        What bursts, slots and the global buffer have against the command.
    legal, final : Out(1)
        Whether the command is legal now; if not, whether no waiting makes it so.
    code : Out
        Why it is illegal; 0 if it is not.
    bank : Out
        The first bank that has something against it, or 0.
    cycles_left, refreshes : Out
        See `refresh.Refresh`.
    targets : Out
        Banks that it is for.
    rows, pim_rows : Out
        The open rows, bank by bank, and those that MAC uses.
    """

    part_name = "checker"

    def __init__(self, config: PimConfig):
        self.config = config
        turn = turn_layout(config)
        self.row_bits = (config.rows - 1).bit_length()
        super().__init__({
            "command": In(decoded_layout(config)), "accept": In(1), "turn": In(turn),
            "runs": In(turn), "soon_ccd": In(1), "slot_busy": In(1), "unwritten": In(1),
            "legal": Out(1), "final": Out(1), "code": Out(CODE_BITS),
            "bank": Out(config.bank_field), "targets": Out(config.banks),
            "cycles_left": Out(range(config.timing.trefi + 1)), "refreshes": Out(1),
            "rows": Out(config.banks * self.row_bits),
            "pim_rows": Out(config.banks * self.row_bits)})

    def elaborate(self, platform):
        m = Module()
        config, command = self.config, self.command
        m.submodules.activations = activations = Activations(config)
        m.submodules.refresh = refresh = Refresh(config)
        banks = [BankRules(config) for _ in range(config.banks)]
        turn_mac, runs_mac = (any_of(each.mac, *flags_of(config, each, "build", "lookup", "bin"))
                              for each in (self.turn, self.runs))
        turn_copy = any_of(self.turn.copy, *flags_of(config, self.turn, "load"))
        runs_copy = any_of(self.runs.copy, *flags_of(config, self.runs, "load", "store"))
        for number, bank in enumerate(banks):
            m.submodules[f"bank_{number}"] = place(platform, bank)
            m.d.comb += [
                bank.command.eq(command), bank.accept.eq(self.accept),
                bank.target.eq(self.targets[number]),
                bank.turn_mac.eq(turn_mac & self.turn.mask[number]),
                bank.turn_copy.eq(turn_copy & self.turn.mask[number]),
                bank.runs_mac.eq(runs_mac & self.runs.mask[number]),
                bank.runs_copy.eq(runs_copy & self.runs.mask[number])]
            if config.pq:
                m.d.comb += bank.turn_store.eq(self.turn.store & self.turn.mask[number])
        m.d.comb += [
            self.targets.eq(Mux(command.precharge_all, Cat(bank.open for bank in banks),
                                command.mask)),
            self.cycles_left.eq(refresh.cycles_left), self.refreshes.eq(refresh.refreshes),
            self.rows.eq(Cat(bank.row for bank in banks)),
            self.pim_rows.eq(Cat(bank.pim_row for bank in banks)),
            *(part.command.eq(command) for part in (activations, refresh)),
            *(part.accept.eq(self.accept) for part in (activations, refresh))]

        activates = command.activate | command.pim_activate
        bursts = any_of(command.mac, command.copy, *flags_of(config, command, *ON_SUMS))
        on_sums = flags_of(config, self.runs, *ON_SUMS)
        channel: dict[Code, Value] = {
            Code.RESERVED: command.reserved,
            Code.INDEX_RANGE: command.index_range,
            Code.COL_OVERRUN: command.col_overrun,
            Code.GB_UNWRITTEN: self.unwritten,
            Code.HEADER_MISMATCH: refresh.mismatch,
            Code.REF_OVERDUE: refresh.overdue,
            Code.BURST_BUSY: any_of(
                self.runs.mac & (bursts | command.gb_write),
                self.runs.copy & (bursts | command.gb_write | command.read),
                *([Cat(on_sums).any() & (bursts | command.gb_write)] if on_sums else [])),
            Code.SLOT_BUSY: self.slot_busy,
            Code.TRFC: refresh.soon_rfc,
            Code.TRRD: activates & activations.soon_rrd,
            Code.TFAW: activates & activations.soon_faw,
            Code.TCCD: (self._soon_column(m) & (command.read | command.write))
            | (self.soon_ccd & bursts),
        }
        faults = [Signal(name=f"breaks_{code.name.lower()}") for code in Code]
        m.d.comb += [fault.eq(channel.get(code, 0) | Cat(bank.faults[code] for bank in banks).any())
                     for code, fault in zip(Code, faults, strict=True)]
        code: Value = Const(Code.OK, CODE_BITS)
        for each in reversed(Code):
            code = Mux(faults[each], each, code)
        first: Value = Const(0, config.bank_field)
        for number in reversed(range(config.banks)):
            first = Mux(banks[number].faults.any(), number, first)
        # not by the code: what comes of it is off the way to a command's effects
        m.d.comb += [self.legal.eq(~Cat(faults).any()), self.final.eq(Cat(faults[:WAITS]).any()),
                     self.code.eq(code), self.bank.eq(first)]
        return m

    def _soon_column(self, m: Module) -> Value:
        """Too soon for RD or WR after those of other banks."""
        config, command, t = self.config, self.command, self.config.timing
        access = self.accept & (command.read | command.write)
        soon = [Elapsed(m, "access", access, t.tccd_s).below(t.tccd_s)]
        size = config.group_banks
        for number in range(config.bank_groups):
            here = command.mask[number * size:(number + 1) * size].any()
            since = Elapsed(m, f"access_of_group_{number}", access & here, t.tccd_l)
            soon.append(here & since.below(t.tccd_l))
        return Cat(soon).any()
