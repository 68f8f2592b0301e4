"""Broken bit-sliced arrays, one fault each, do not pass the bench."""

import pytest
from bitslice_faults import faulty

from pimlico.generators.bitslice import BLOCK
from pimlico.generators.verilog import emit
from pimlico.hdl.bitslice.config import BitsliceConfig
from pimlico.sim.verify import verify

TINY = {"rows": 2, "cols": 1, "a_width": 4, "w_width": 4, "max_k": 16, "sum_stages": 1}
SKIP = TINY | {"arch": "skip", "group": 2, "encoding": "ent"}
NESTED = TINY | {"w_width": 8, "nested": True}
STATIONARY = TINY | {"dataflow": "ws", "max_k": 2}
PACKED = {"rows": 1, "cols": 3, "w_width": 4, "multiplier": "dsp_packed", "max_k": 16,
          "sum_stages": 1}

FAULTS = {
    "carries of a segment are lost": (
        TINY | {"acc_form": "segmented"}, "rows",
        "carries[place] = state[start + width + row]", "pass"),
    "last digit of weights without sign is lost": (
        TINY | {"w_signed": "unsigned"}, "weights",
        "encoder.unsigned.eq(~self.job.w_signed & self._top(number))", "encoder.unsigned.eq(0)"),
    "last digit of a weight has no turn": (
        TINY | {"arch": "serial"}, "recode",
        "mask = ((1 << count) - 1) << start", "mask = ((1 << count - 1) - 1) << start"),
    "a digit gives nothing to the next": (
        SKIP | {"w_width": 8}, "recode", "up.eq(high & (low | carry) |", "up.eq(high & low |"),
    "halves of a draft are not moved up": (
        NESTED, "merge", "(config.slice_bits if nest == DRAFT else 0)", "0"),
    "bit below the upper half is not read": (
        NESTED, "weights", "m.d.comb += [value.eq(use[1:]), carry.eq(use[0])]",
        "m.d.comb += value.eq(use[1:])"),
    "reference comes a cycle late": (
        TINY, "reference", "True)[config.sum_stages]", "True)[config.sum_stages - 1]"),
    "queue takes a beat more than it holds": (
        TINY, "sequencer", "config.fifo_depth - config.bands)",
        "config.fifo_depth - config.bands + 1)"),
    "rows of activations are skewed upward": (
        TINY, "columns", 'staggered(m, rows, range(config.rows), "a")',
        'staggered(m, rows, range(config.rows)[::-1], "a")'),
    "zero point of activations is added": (
        TINY | {"zero_points": True}, "output_stationary",
        "columns.constant.eq(sequencer.job.a_zero)", "columns.constant.eq(-sequencer.job.a_zero)"),
    "zero point of weights misses a carry": (
        TINY | {"zero_points": True}, "zero_points", "total.carry.eq(1)", "total.carry.eq(0)"),
    "index points to the neighbour": (
        SKIP, "steps", "m.d.comb += index.eq(number)", "m.d.comb += index.eq(number ^ 1)"),
    "a bit weight without digits takes a cycle": (
        SKIP | {"elide": True}, "steps", "present = any_of([*nonzero, self._zero_present()])",
        "pass"),
    "weights come into use before the last activations": (
        STATIONARY, "ws_sequencer", "loaded & (~passing | ends)",
        "loaded & (~passing | self.go)"),
    "weights are loaded a row below": (
        STATIONARY, "ws_column", "self.load[row], row + 1", "self.load[row - 1], row + 1"),
    "results that were added to are not kept": (
        TINY, "start", "store.data.eq(self.totals), store.en.eq(valid)",
        "store.data.eq(self.totals), store.en.eq(valid & ~self.job.keep)"),
    "second sum goes on from stale room": (
        TINY, "desk", "Mux(self.job.keep, room, config.max_k)", "config.max_k"),
    "packed product borrows from its neighbour": (
        PACKED, "packed", "following.eq(above - own.as_signed())", "following.eq(above)"),
    "overlapping bits are taken as they are": (
        PACKED, "packed", "own.eq(above[:overlap] - (low * a[:overlap])[:overlap])",
        "own.eq(above[:overlap])"),
}

DEEP = {"last digit of a weight has no turn", "bit below the upper half is not read",
        "zero point of weights misses a carry", "a bit weight without digits takes a cycle",
        "weights are loaded a row below", "second sum goes on from stale room",
        "overlapping bits are taken as they are", "rows of activations are skewed upward",
        "a digit gives nothing to the next", "zero point of activations is added",
        "last digit of weights without sign is lost"}
"""Faults much like another."""


@pytest.mark.parametrize("fault", [
    pytest.param(fault, marks=[pytest.mark.deep] * (fault in DEEP)) for fault in FAULTS])
def test_broken_rtl_is_caught(fault, seed):
    parameters, part, sound, wrong = FAULTS[fault]
    config = BitsliceConfig(**parameters)
    broken = emit(faulty(part, sound, wrong), config)
    stimulus = "bitslice_jobs:going_on" if part in ("start", "desk") else None
    result = verify(BLOCK, config, simulators=["icarus"], cycles=20_000, seed=seed, design=broken,
                    stimulus=stimulus)
    assert not result["passed"], f"seed {seed}"
    assert result["mismatch"].startswith(("icarus: mismatch on", "icarus: stuck")), \
        result["mismatch"]


def test_the_copies_are_the_core_where_nothing_is_replaced():
    config = BitsliceConfig(**TINY)
    same = emit(faulty("columns", "rows = [", "rows = ["), config)
    assert same.text == emit(BLOCK, config).text
