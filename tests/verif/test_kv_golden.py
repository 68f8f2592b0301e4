"""The golden history against one kept token by token in a dictionary."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from kv_configs import SMALL, random_config, random_layer

from pimlico.hdl.kv.config import (
    CAPACITY,
    EMPTY,
    EXCESS,
    HOLE,
    LAYER,
    SEQUENCE,
    SHORTAGE,
    KvConfig,
)
from pimlico.verif.kv.golden import History, Layer


class Plain:
    """What is known of each token, in plain Python; a layer is walked element by element."""

    def __init__(self, config):
        self.config = config
        self.known = {}

    def run(self, job):
        """Beats of ``kv`` as (elements, fresh, hole), codes with their rows, and the counts."""
        if job.layer == 0:
            self.known = {place: row for place, row in self.known.items()
                          if place[0] != job.sequence}
        burst = job.fresh.tolist()
        offered = bool(burst)
        beats, codes, fresh_rows, held_rows = [], [], 0, 0
        zeros = [0] * self.config.beat_elems
        mask = [*job.executed.tolist(), *([] if job.append is None else [job.append])]
        for token, executed in enumerate(mask):
            place = job.sequence, token
            appended = token == len(job.executed)
            if executed or token >= self.config.tokens:
                source = self.beats_of(job.appended.tolist()) if appended else burst
                row = [source.pop(0) for _ in range(min(self.config.beats, len(source)))]
                missing = self.config.beats - len(row)
                beats += [(beat, True, False) for beat in row] + [(zeros, False, True)] * missing
                if missing:
                    codes.append((SHORTAGE, token))
                    self.known.pop(place, None)
                else:
                    fresh_rows += not appended
                    self.known[place] = [element for beat in row for element in beat]
            elif place in self.known:
                held_rows += 1
                beats += [(beat, False, False) for beat in self.beats_of(
                    self.stored(self.known[place]))]
            else:
                codes.append((HOLE, token))
                beats += [(zeros, False, True)] * self.config.beats
        if offered and burst and len(burst) < len(job.fresh):
            codes.append((EXCESS, 0))
        return beats, codes, fresh_rows, held_rows

    def beats_of(self, row):
        step = self.config.beat_elems
        return [row[at:at + step] for at in range(0, len(row), step)]

    def stored(self, row):
        bits = self.config.quant_bits
        if not bits:
            return row
        low, top = min(row), 2**bits - 1
        step = Fraction(max(row) - low, top)
        short = Fraction(floor(step * 2 ** (bits + 1)), 2 ** (bits + 1))
        half = Fraction(1, 2)
        return [low + floor(floor((x - low) / step + half) * short + half) if step else low
                for x in row]


def check(config, rng, layers):
    """Layers of a few sequences in turn, each compared whole; the codes that were seen."""
    history, plain, seen = History(config), Plain(config), set()
    following = {}
    most = min(config.tokens, 9)
    for _ in range(layers):
        sequence = int(rng.integers(min(config.sequences, 3)))
        layer = 0 if rng.random() < 0.2 else following.get(sequence, 0)
        extra = 3 if config.overflow == "dense_tail" else 0
        append = bool(rng.integers(2)) if config.append and rng.random() < 0.5 else None
        n_tokens = int(rng.integers(append is None, most + extra + (append is None)))
        if rng.random() < 0.1 and config.overflow == "dense_tail":
            n_tokens = config.tokens + 2
        job = random_layer(config, rng, sequence, layer, n_tokens, append=append,
                           keep=float(rng.choice([1, 0.7, 0.2])),
                           off=int(rng.choice([0, 0, 0, -config.beats - 1, -1, 1, 7])))
        if rng.random() < 0.1 and config.sequences > 1:
            history.reset((sequence + 1) % config.sequences)
            following[(sequence + 1) % config.sequences] = 0
        assert not history.refusal(sequence, layer, n_tokens, append is not None)
        following[sequence] = layer + 1
        out = history.run(job)
        beats, codes, fresh_rows, held_rows = plain.run(job)
        assert out.data.reshape(-1, config.beat_elems).tolist() == [beat for beat, *_ in beats]
        assert out.fresh.ravel().tolist() == [fresh for _, fresh, _ in beats]
        assert out.hole.ravel().tolist() == [hole for *_, hole in beats]
        assert (out.code, out.row) == (codes[0] if codes else (0, 0))
        assert (out.fresh_rows, out.held_rows) == (fresh_rows, held_rows)
        row_bits = config.elem_width * config.row_elems
        assert out.offchip_bytes == fresh_rows * -(-row_bits // 8) + -(-n_tokens // 8)
        seen |= {code for code, _ in codes}
    return seen


@pytest.mark.parametrize("case", SMALL)
def test_layers_equal_those_of_plain_python(case, seed):
    check(KvConfig(**SMALL[case]), np.random.default_rng(seed), 60)


def test_layers_of_random_configurations_equal_those_of_plain_python(seed):
    rng = np.random.default_rng(seed)
    for _ in range(30):
        check(random_config(rng), rng, 12)


def test_random_layers_reach_every_code(seed):
    assert check(KvConfig(row_elems=16, tokens=4), np.random.default_rng(seed), 200) == {
        HOLE, SHORTAGE, EXCESS}


ROWS = np.arange(8 * 16).reshape(8, 16) - 64
"""Rows to tell apart."""


def layer(number, mask, rows=(), sequence=0, **more):
    """A layer over two beats a row, with the rows of that number in `ROWS`."""
    return Layer(sequence, number, np.array(mask, bool), ROWS[list(rows)].reshape(-1, 8), **more)


def test_a_skipped_token_has_the_row_of_the_last_layer_that_executed_it():
    history = History(KvConfig(row_elems=16, tokens=4))
    history.run(layer(0, [1, 1, 1], [0, 1, 2]))
    history.run(layer(1, [0, 1, 0], [3]))
    out = history.run(layer(2, [1, 0, 0], [4]))
    assert out.data.reshape(3, 16).tolist() == ROWS[[4, 3, 2]].tolist()
    assert out.fresh[:, 0].tolist() == [True, False, False]
    assert (out.code, out.fresh_rows, out.held_rows, out.offchip_bytes) == (0, 1, 2, 32 + 1)


def test_layer_0_forgets_the_rows_of_the_pass_before_and_of_no_other_sequence():
    history = History(KvConfig(row_elems=16, tokens=2, sequences=2))
    for sequence in (0, 1):
        history.run(layer(0, [1, 1], [0, 1], sequence))
    out = history.run(layer(0, [1, 0], [2]))
    assert (out.code, out.row) == (HOLE, 1)
    assert out.hole.tolist() == [[False] * 2, [True] * 2] and not out.data[1].any()
    out = history.run(layer(1, [0, 0], sequence=1))
    assert (out.code, out.held_rows) == (0, 2)


def test_a_row_cut_short_is_a_hole_until_it_is_written_again():
    config = KvConfig(row_elems=16, tokens=2)
    history = History(config)
    history.run(layer(0, [1, 1], [0, 1]))
    cut = Layer(0, 1, np.array([True, True]), ROWS[[2, 3]].reshape(-1, 8)[:3])
    out = history.run(cut)
    assert (out.code, out.row, out.fresh_rows, out.used) == (SHORTAGE, 1, 1, 3)
    assert out.fresh.tolist() == [[True, True], [True, False]]
    assert out.data[1, 0].tolist() == ROWS[3, :8].tolist() and not out.data[1, 1].any()
    out = history.run(layer(2, [0, 0]))
    assert (out.code, out.row, out.held_rows) == (HOLE, 1, 1)
    assert history.run(layer(3, [0, 1], [4])).held_rows == 1
    assert history.run(layer(4, [0, 0])).code == 0


def test_a_burst_too_long_is_reported_and_its_rest_not_used():
    history = History(KvConfig(row_elems=16, tokens=2))
    out = history.run(layer(0, [1, 0], [0, 1]))
    assert (out.code, out.used) == (HOLE, 2), "the first code counts"
    out = history.run(layer(1, [0, 1], [2, 3]))
    assert (out.code, out.row, out.used) == (EXCESS, 0, 2)


def test_tokens_past_the_last_row_are_always_streamed():
    history = History(KvConfig(row_elems=16, tokens=2, overflow="dense_tail", append=True))
    history.run(layer(0, [1, 1, 0], [0, 1, 2], append=False, appended=ROWS[3]))
    out = history.run(layer(1, [0, 0, 0], [4], append=False, appended=ROWS[5]))
    assert out.data.reshape(4, 16).tolist() == ROWS[[0, 1, 4, 5]].tolist()
    assert (out.code, out.fresh_rows, out.held_rows) == (0, 1, 2)
    assert out.offchip_bytes == 32 + 1


def test_the_new_token_comes_by_append_and_costs_no_traffic():
    history = History(KvConfig(row_elems=16, tokens=4, append=True))
    history.run(layer(0, [1], [0], append=True, appended=ROWS[1]))
    out = history.run(layer(1, [0], append=False, appended=ROWS[2]))
    assert out.data.reshape(2, 16).tolist() == ROWS[[0, 1]].tolist()
    assert (out.code, out.fresh_rows, out.held_rows, out.offchip_bytes) == (0, 0, 2, 1)
    out = history.run(layer(2, [], append=True, appended=ROWS[3]))
    assert (out.data.shape, out.offchip_bytes) == ((1, 2, 8), 0)


def test_refusals_come_in_the_order_of_their_codes():
    history = History(KvConfig(row_elems=16, tokens=4, sequences=3, append=True))
    assert history.refusal(3, 9, 0) == SEQUENCE
    assert history.refusal(2, 1, 0) == LAYER
    assert history.refusal(2, 0, 0) == EMPTY
    assert history.refusal(2, 0, 5) == history.refusal(2, 0, 4, append=True) == CAPACITY
    assert history.refusal(2, 0, 4) == history.refusal(2, 0, 0, append=True) == 0
    tail = History(KvConfig(row_elems=16, tokens=4, overflow="dense_tail", append=True))
    assert tail.refusal(0, 0, 5) == tail.refusal(0, 0, 4, append=True) == 0


def test_layers_follow_each_other_and_the_last_number_is_followed_by_0():
    history = History(KvConfig(row_elems=16, tokens=4))
    assert history.refusal(0, 1, 1) == LAYER
    for number in range(256):
        assert history.refusal(0, number, 1) == 0
        history.run(layer(number, [0]))
        assert history.refusal(0, number, 1) == (LAYER if number else 0)
        assert history.refusal(0, number + 2, 1) == LAYER
    assert history.refusal(0, 0, 1) == 0


def test_a_reset_sequence_begins_anew():
    history = History(KvConfig(row_elems=16, tokens=4, sequences=2))
    for sequence in (0, 1):
        history.run(layer(0, [1], [0], sequence))
    assert (history.reset(2), history.reset(1)) == (SEQUENCE, 0)
    assert (history.refusal(0, 1, 1), history.refusal(1, 1, 1)) == (0, LAYER)
    assert history.run(layer(0, [0], sequence=1)).code == HOLE
