"""Broken product quantization, one fault each, does not pass the bench."""

import pytest
from pim_configs import SMALL
from pim_faults import RULES, caught
from pim_table_cases import TABLES_DUAL

from pimlico.hdl.pim import (
    bank,
    bank_rules,
    burst,
    channel,
    checker,
    column_turns,
    counts,
    decode,
    global_buffer,
    operand_buffer,
    sums,
    table_turns,
    tables,
)
from pimlico.hdl.pim.config import PimConfig

FAULTS = {
    "no sum is forwarded": (
        "pq-forwards", sums, tables, "Mux(meets, last, fetched)", "fetched"),
    "a sum is forwarded to its neighbour": (
        "pq-forwards", sums, tables, "(address == self.address)",
        "(address[1:] == self.address[1:])"),
    "bins are cut, not rounded": (
        "pq-dual", tables, bank, "Cat(gathered, rounded)",
        "Cat(gathered, number[-config.fmt_bits:])"),
    "every table is the first of its row": (
        "pq", tables, bank, "Cat(buffer.index, stages.table)",
        "Cat(buffer.index, stages.table & 0)"),
    "lookups take the other sum of a column": (
        "pq", tables, bank, "entry[:lanes], 3", "~entry[:lanes], 3"),
    "centroids of a column are multiplied together": (
        "pq", bank, channel, "return word & lanes", "return word"),
    "other banks lose lanes too": (
        "pq", bank, channel, "(lane | ~self.active)", "lane"),
    "sums go to the column after": (
        "pq", table_turns, channel, "out.store_col.eq(place(6, \"col\"))",
        "out.store_col.eq(place(6, \"col\") + 1)"),
    "sums come from the column after": (
        "pq", table_turns, channel, "(config.column_sums)], gb_col)",
        "(config.column_sums)], gb_col + 1)"),
    "the last sum of a column stays": (
        "pq", table_turns, channel, "~place(5, \"slot\")[0]",
        "~place(5, \"slot\")[0] & ((place(5, \"sub\") & (config.lanes - 1)) != config.lanes - 1)"),
    "additions count for one bank": (
        "pq", counts, channel, "_if(turn.lookup | turn.bin, banks)",
        "_if(turn.lookup | turn.bin, 1)"),
    "zeros of a segment count as products": (
        "pq-dual", counts, channel, "config.pq_dsub", "config.segment"),
    "elements count in every turn": (
        "pq", counts, channel, "turn.bin & elements", "turn.bin"),
    "a burst settles a cycle too soon": (
        "pq", burst, channel, "settling.eq(config.pq_settles)",
        "settling.eq(config.pq_settles - 1)"),
    "sums that are prepared hold the row": (
        "pq", checker, channel, "\"build\", \"lookup\", \"bin\"))",
        "\"build\", \"lookup\", \"bin\", \"prepare\"))"),
    "indices of a column in another order": (
        "pq", operand_buffer, tables, "config.index_bits, self.sub)",
        "config.index_bits, self.sub ^ 1)"),
    "BIN_MAC multiplies by the global buffer": (
        "pq", bank, channel, "Mux(self.stages.multiplies, tables.vector, self.vectors)",
        "self.vectors"),
    "lookups add in every bank": (
        "pq", tables, bank, "stages.adds & active", "stages.adds"),
    "columns are loaded in every bank": (
        "pq", tables, bank, "(stages.loads | stages.refills) & active",
        "(stages.loads | stages.refills)"),
    "sums are written in every bank": (
        "pq", tables, bank, "stages.stores & active", "stages.stores"),
    "elements come from the lane before": (
        "pq", tables, bank, "config.fmt_bits, stages.lane)", "config.fmt_bits, stages.lane - 1)"),
    "every row of a codebook is the first": (
        "pq-dual", table_turns, channel, "col[:_bits(config.cols)],\n"
        "                              place(\"slot\"))", "col[:_bits(config.cols)])"),
    "turns of a table's build are tCCD apart": (
        "pq", column_turns, burst, "if config.turn_gap(kind) != tccd:", "if False:"),
    "one index past the last bin's element": (
        "pq", column_turns, burst, "Mux(turn.bin, elements_end, ends)",
        "Mux(turn.bin, ends, ends)"),
}
"""Caught by the block's own stimulus."""

TIMING = {
    "SUMS_TO_ROW is no write": (
        bank_rules, checker, "*([self.turn_store] if config.pq else [])", ""),
    "SUMS_TO_ROW after tRCD of reads": (
        bank_rules, checker, "(writes & ordinary.soon_rcd_wr)",
        "(command.write & ordinary.soon_rcd_wr) | (writes & ordinary.soon_rcd_rd)"),
    "BIN_MAC is not announced": (
        checker, channel, "*(part.command.eq(command) for part in (activations, refresh)),",
        "activations.command.eq(command), refresh.command.eq(command),\n"
        "            refresh.command.mac.eq(command.mac & ~command.bin_mac),"),
    "a table from a column that was never written": (
        global_buffer, channel, "(command.row >= mine)", "(command.row > mine)"),
    "lookups past the last sum": (
        decode, channel, "(given[\"col\"] + n > config.token_groups)",
        "(given[\"col\"] + n > config.token_groups + 1)"),
}
"""Caught by each rule by itself."""

EVERY_RUN = {"a sum is forwarded to its neighbour"}


def cases(faults):
    return [pytest.param(fault, marks=[pytest.mark.deep] * (fault not in EVERY_RUN))
            for fault in faults]


@pytest.mark.parametrize("fault", cases(FAULTS))
def test_broken_tables_are_caught(monkeypatch, fault, seed):
    case, *change = FAULTS[fault]
    caught(monkeypatch, PimConfig(**SMALL[case]), seed, *change, cycles=20_000)


@pytest.mark.parametrize("fault", cases(TIMING))
def test_broken_rule_of_tables_is_caught(monkeypatch, fault, seed):
    caught(monkeypatch, PimConfig(**TABLES_DUAL), seed, *TIMING[fault], cycles=50_000,
           stimulus=RULES)
