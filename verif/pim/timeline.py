"""When the next command can go, if all banks do alike: the few rules that this leaves.

`rules` has them all, and is the judge: a command that a timeline places is legal there.
"""

from __future__ import annotations

from collections import deque

from pimlico.hdl.pim.config import PimConfig

from .rules import ACTIVATIONS, LONG_AGO, Op


class Opened:
    """Row buffers of all banks: whether a row is open, and when what was done."""

    def __init__(self) -> None:
        self.open = False
        self.act = self.pre = self.write = self.read = LONG_AGO


class Timeline:
    """Commands and the cycles in which they act.

    Rows are opened and closed in all banks at once, and MAC is for all banks.

    Parameters
    ----------
    config : PimConfig
    """

    def __init__(self, config: PimConfig):
        self.config = config
        self.commands: list[tuple[int, int, int, int, int, int, int]] = []
        """As `rules.Command`."""
        self.cycles: list[int] = []
        self.now = 0
        """Cycle of the last command."""
        self.ordinary = Opened()
        self.pim = Opened() if config.dual_row_buffer else self.ordinary
        self.due = config.timing.trefi
        """Cycle by which the next refresh has to be."""
        self.every = (1 << config.banks) - 1
        self._refresh = LONG_AGO
        self._act = LONG_AGO
        self._window = deque([LONG_AGO] * 4, maxlen=4)
        self._access, self._access_group = LONG_AGO, [LONG_AGO] * config.bank_groups
        self._last = LONG_AGO
        self._turn = [LONG_AGO] * config.acc_slots
        self._in_burst = range(0)

    def earliest(self, op: Op, bank: int = 0, slot: int = 0) -> int:
        """The first cycle from the next one on in which a command is legal.

        That its row is open or closed, and its columns written, is the caller's concern.
        """
        config, t = self.config, self.config.timing
        now = self.now + 1
        if op == Op.WR:
            return max(now, self.ordinary.act + t.trcd_wr, self._access + t.tccd_s,
                       self._access_group[bank // config.group_banks] + t.tccd_l,
                       self.ordinary.read + t.tccd_l)
        if op == Op.MAC:
            return max(now, self.pim.act + t.trcd_mac, self._last + t.tccd_mac,
                       self.pim.write + max(t.twtr, t.tccd_l),
                       now if config.dual_row_buffer else self.pim.read + t.tccd_l,
                       self._turn[slot] + config.acc_latency if config.rotation > 1 else now)
        if op in (Op.ACC_RD, Op.ACC_WR):
            runs = self._last + 1 if slot in self._in_burst else now
            return max(now, runs, self._turn[slot] + config.column_latency)
        if op == Op.GB_WR:
            return max(now, self._last + 1)
        if op in ACTIVATIONS:
            mine = self.pim if op == Op.PIM_ACT else self.ordinary
            faw = now if t.faw_exempt else self._window[min(4, config.banks) - 1] + t.tfaw
            return max(now, mine.pre + t.trp, mine.act + t.trc, self._act + t.trrd_l, faw,
                       self._refresh + t.trfc)
        if op in (Op.PRE_ALL, Op.PIM_PRE):
            mine = self.pim if op == Op.PIM_PRE else self.ordinary
            return max(now, mine.act + t.tras, mine.write + t.twr, mine.read + t.trtp)
        if op == Op.REF:
            return max(now, self._refresh + t.trfc, *(
                max(each.pre + t.trp, each.act + t.trc) for each in (self.ordinary, self.pim)))
        return now

    def issue(self, op: Op, at: int, mask: int = 0, row: int = 0, col: int = 0, slot: int = 0,
              n: int = 0, tag: int = 0) -> None:
        """Place a command in a cycle, one that `earliest` gave or a later one."""
        config = self.config
        self.commands.append((op, mask, row, col, slot, n, tag))
        self.cycles.append(at)
        self.now = at
        if op == Op.WR:
            self.ordinary.write = self._access = at
            self._access_group[(mask.bit_length() - 1) // config.group_banks] = at
        elif op == Op.MAC:
            self._last = at + (n - 1) * config.timing.tccd_mac
            self.pim.read = self._last
            self._in_burst = range(slot, slot + config.rotation)
            for i in range(max(0, n - config.rotation), n):
                self._turn[slot + i % config.rotation] = at + i * config.timing.tccd_mac
        elif op in ACTIVATIONS:
            mine = self.pim if op == Op.PIM_ACT else self.ordinary
            mine.open, mine.act, self._act = True, at, at
            self._window.extend([at] * min(4, config.banks))
        elif op in (Op.PRE_ALL, Op.PIM_PRE):
            mine = self.pim if op == Op.PIM_PRE else self.ordinary
            mine.open, mine.pre = False, at
        elif op == Op.REF:
            self._refresh, self.due = at, at + config.timing.trefi
