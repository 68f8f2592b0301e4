"""Attention over quantized keys and values: golden model, layout, commands, and the channel."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from pim_configs import FAST, SHORT, SMALL

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.pim.config import PimConfig
from pimlico.verif.pim import attention as golden
from pimlico.verif.pim.attention import Coded, quantize, restored
from pimlico.verif.pim.attention_commands import output_commands, score_commands
from pimlico.verif.pim.attention_layout import Layout
from pimlico.verif.pim.attention_run import attention, closed_form
from pimlico.verif.pim.gemv import decode, encode, numbers
from pimlico.verif.pim.play import play
from pimlico.verif.pim.rules import Code, Command, Op, Rules
from pimlico.verif.pim.schedule import Schedule, Step

# those of a codebook over several rows, of tables that share one, of an odd number of subspaces
PQ = {**{name: given | {"rows": 64} for name, given in SMALL.items() if given.get("pq")},
      "pq-rows": {"fmt": "fp16", "lanes": 4, "row_bytes": 256, "rows": 64, "banks": 4,
                  "bank_groups": 2, "pq": True, "pq_k": 64, "pq_m": 3, "pq_dsub": 4,
                  "timing": {**FAST, "trefi": 700}},
      "pq-tree": {"fmt": "fp16", "lanes": 8, "row_bytes": 256, "rows": 64, "banks": 2, "pq": True,
                  "pq_k": 16, "pq_m": 5, "pq_dsub": 3, "arith": "ieee_tree",
                  "timing": {**SHORT, "trefi": 700}}}
PQ["pq-wide"] |= {"pq_k": 64, "pq_m": 3, "rows": 32, "timing": {**FAST, "trefi": 2200}}
TREE = PimConfig(**PQ["pq-tree"])


def coded(config, tokens, rng):
    """Vectors of few clusters, quantized: indices of all kinds."""
    near = rng.normal(size=(20, config.head_dim))
    vectors = near[rng.integers(20, size=tokens)]
    return quantize(config, vectors + rng.normal(scale=0.1, size=vectors.shape), None, rng)


def case(config, seed, tokens=None):
    """Keys, values and a query, of a number of tokens up to two and a half tiles."""
    rng = np.random.default_rng(seed)
    most = min(1000, int(2.5 * config.banks * config.row_sums))
    tokens = tokens or int(rng.integers(1, most))
    query = encode(config, rng.normal(size=config.head_dim))
    return coded(config, tokens, rng), coded(config, tokens, rng), query


@pytest.mark.parametrize("name", PQ)
def test_the_channel_gives_what_the_golden_model_does(name, seed):
    config = PimConfig(**PQ[name])
    keys, values, query = case(config, seed)
    made = attention(config, keys, values, query)
    assert (made.scores == golden.scores(config, keys, query)).all()
    assert (made.weights == golden.softmax(config, made.scores)).all()
    assert (made.partial == golden.outputs(config, values, made.weights)).all()
    assert (made.output == golden.combine(config, made.partial, made.weights)).all()
    assert (made.first.trace.counts, made.second.trace.counts) == closed_form(made.layout)


@pytest.mark.parametrize("name", ["pq", "pq-rows", "pq-tree", "pq-dual"])
def test_it_is_attention_over_the_restored_vectors(name, seed):
    config = PimConfig(**PQ[name])
    keys, values, query = case(config, seed)
    made = attention(config, keys, values, query)
    q, k, v = decode(config, query), restored(config, keys), restored(config, values)
    bound = 2.0 ** -12 if config.fmt == "fp16" else 2.0 ** -8
    off = np.abs(numbers(config, made.scores) - k @ q)
    assert (off <= 1e-5 * np.abs(k) @ np.abs(q)).all()
    weights = np.exp((k @ q - (k @ q).max()) / np.sqrt(len(q)))
    wanted = weights @ v / weights.sum()
    assert np.abs(made.output - wanted).max() < 4 * bound * np.abs(v).max()
    assert np.abs(wanted).max() > 0.1


def test_sums_are_taken_in_the_stated_order(seed):
    # fp16 elements, fp32 sums, a tree over lanes: plain NumPy rounds as the banks do
    keys, values, query = case(TREE, seed, 150)
    lanes, banks, dsub = TREE.lanes, TREE.banks, TREE.pq_dsub

    def floats(codes, kind=np.float16):
        return codes.astype(np.uint16).view(kind).astype(np.float32)

    def tree(products):
        while len(products) > 1:
            products = products[::2] + products[1::2]
        return products[0]

    q, books = floats(query).reshape(TREE.pq_m, dsub), floats(keys.centroids)
    for token, chosen in enumerate(keys.indices[:20]):
        total = np.float32(0)
        for s, c in enumerate(chosen):
            # a segment of four lanes, the last one zero, and zeros beyond
            total += tree(np.append(books[s, c] * q[s], np.float32(0)))
        assert golden.scores(TREE, keys, query)[token] == total.view(np.uint32)
    weights = golden.softmax(TREE, golden.scores(TREE, keys, query))
    out = golden.outputs(TREE, values, weights)
    for bank, s in ((0, 0), (1, 4)):
        bins = np.zeros(TREE.pq_k, np.float32)
        for token in range(bank, 150, banks):
            bins[values.indices[token, s]] += floats(weights)[token]
        rounded = bins.astype(np.float16).astype(np.float32)
        for j in range(dsub):
            total = np.float32(0)
            for first in range(0, TREE.pq_k, lanes):
                part = slice(first, first + lanes)
                total += tree(rounded[part] * floats(values.centroids)[s, part, j])
            assert out[bank, 0, s * dsub + j] == total.view(np.uint32)


def test_weights_are_of_the_scores_and_the_largest_is_one(seed):
    rng = np.random.default_rng(seed)
    given = rng.normal(scale=9, size=40).astype(np.float32)
    weights = decode(TREE, golden.softmax(TREE, given.view(np.uint32)))
    wanted = np.exp((given - given.max()) / np.sqrt(TREE.head_dim), dtype=np.float64)
    assert weights.max() == 1
    assert np.allclose(weights, wanted, rtol=2.0 ** -10, atol=2.0 ** -24)


def test_centroids_are_elements_and_indices_are_of_the_nearest(seed):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(300, TREE.head_dim))
    made = quantize(TREE, vectors, rng.random(300), rng)
    centroids = decode(TREE, made.centroids)
    parts = vectors.reshape(300, TREE.pq_m, 1, TREE.pq_dsub)
    apart = ((parts - centroids) ** 2).sum(axis=3)
    assert (made.indices == apart.argmin(axis=2)).all()
    for vector, chosen in zip(restored(TREE, made), made.indices, strict=True):
        assert vector.tolist() == [element for s, c in enumerate(chosen)
                                   for element in centroids[s, c]]


@pytest.mark.parametrize("name", PQ)
def test_all_that_is_laid_out_has_a_place_of_its_own(name, seed):
    config = PimConfig(**PQ[name])
    keys, _, _ = case(config, seed)
    layout = Layout(config, len(keys.indices))
    for kinds in ((layout.books, layout.tables, layout.key_indices, layout.scores),
                  (layout.value_books, layout.value_indices, layout.weights)):
        taken = set()
        for blocks in kinds:
            for block in range(blocks.count):
                row, col = blocks.place(block)
                assert 0 <= col <= config.cols - blocks.columns
                for i in range(blocks.columns):
                    assert (row, col + i) not in taken
                    taken.add((row, col + i))
        assert max(row for row, _ in taken) == kinds[-1].end - 1 < config.rows
        for one, other in pairwise(kinds):
            assert one.end == other.first


@pytest.mark.parametrize("name", ["pq", "pq-rows", "pq-wide", "pq-many"])
def test_an_index_is_in_the_column_of_its_token(name, seed):
    config, rng = PimConfig(**PQ[name]), np.random.default_rng(seed)
    keys, values, _ = case(config, seed)
    layout = Layout(config, len(keys.indices))
    for of_values, held, coded_ in ((False, layout.key_indices_of(keys), keys),
                                    (True, layout.value_indices_of(values), values)):
        for token in rng.integers(len(keys.indices), size=20):
            number, bank = divmod(int(token), config.banks)
            tile, at = divmod(number, config.row_sums)
            for s in range(config.pq_m):
                block = s * layout.tiles + tile if of_values else tile * config.pq_m + s
                column = held[bank, block, at // config.column_indices]
                word = int.from_bytes(column.tobytes(), "little")
                low = at % config.column_indices * config.index_bits
                assert word >> low & (1 << config.index_bits) - 1 == coded_.indices[token, s]


def schedules(config, seed, tokens=None):
    keys, values, query = case(config, seed, tokens)
    layout = Layout(config, len(keys.indices))
    yield score_commands(layout, keys, query)[0]
    yield output_commands(layout, values, golden.softmax(
        config, golden.scores(config, keys, query)))[0]


@pytest.mark.parametrize("name", ["pq", "pq-dual", "pq-forwards", "pq-rows"])
def test_commands_are_legal_in_their_cycle_and_not_before(name, seed):
    config = PimConfig(**PQ[name])
    for made in schedules(config, seed, 70):
        rules, due = Rules(config), config.timing.trefi
        for step, cycle in zip(made.steps, made.cycles, strict=True):
            command, before = step.command, rules.now
            rules.now = cycle - 1
            if rules.now > before:
                assert rules.check(command)[0] != Code.OK, (command, cycle)
            rules.now = cycle
            assert rules.check(command) == (Code.OK, 0), (command, cycle)
            rules.apply(command)
            if command.op == Op.REF:
                assert cycle <= due
                due = cycle + config.timing.trefi
        assert made.cycles[-1] < due


@pytest.mark.parametrize("strict", [True, False])
def test_commands_are_taken_in_their_cycle_or_wait_for_it(strict, seed):
    config = PimConfig(**PQ["pq-tree"] | {"strict": strict})
    for made in schedules(config, seed, 150):
        given = made.played()
        assert strict == bool(given.at.any())
        trace = play(config, given)
        assert not len(trace.status.cycles)
        assert trace.beats == len(given.data)
        # a command is taken in the cycle before it acts, or, where they wait, when one before acts
        acted = trace.accepted + 1 if strict else trace.accepted[1:]
        assert (acted == np.array(made.cycles)[:len(acted)]).all()
        assert sum(made.spent(trace.accepted).values()) == made.cycles[-1]
        took = dict.fromkeys(made.parts, 0)
        for part, (before, cycle) in zip(made.parts, pairwise([0, *made.cycles]), strict=True):
            took[part] += cycle - before
        assert made.spent(trace.accepted) == took


def test_parts_take_all_cycles_between_them(seed):
    config = PimConfig(**PQ["pq"])
    keys, values, query = case(config, seed)
    made = attention(config, keys, values, query)
    assert list(made.first.cycles) == ["load", "query", "tables", "scores"]
    assert list(made.second.cycles) == ["load", "weights", "bins", "products"]
    for run in (made.first, made.second):
        assert sum(run.cycles.values()) == run.trace.accepted[-1] + 1
    # a lookup, and an addition to a bin, for each token and subspace
    turns = config.pq_m * sum(map(made.layout.groups, range(made.layout.tiles))) \
        * config.column_indices
    assert made.first.cycles["scores"] > turns * config.timing.tccd_mac
    assert made.second.cycles["bins"] > turns * config.turn_gap("bin")


def test_a_run_counts_what_loading_takes(seed):
    config = PimConfig(**PQ["pq-rows"])
    keys, values, query = case(config, seed, 300)
    made = attention(config, keys, values, query)
    groups = sum(map(made.layout.groups, range(made.layout.tiles)))
    indices = groups * config.pq_m
    assert made.first.loaded == config.banks * (config.pq_m * config.codebook_cols + indices)
    assert made.second.loaded == config.banks * (
        config.head_dim * config.pq_k // config.lanes + indices)


def test_what_no_refresh_may_part_is_done_in_pieces(seed):
    rules = {**FAST, "trefi": 360}
    config = PimConfig(**PQ["pq-tree"] | {"timing": rules})
    made = Schedule(config)
    columns = [Step(Command(Op.RD, 1 << i % 2, col=i % 16)) for i in range(800)]
    made.run(columns, row=3)
    ops = [step.command.op for step in made.steps]
    assert ops.count(Op.ACT_ALL) == ops.count(Op.PRE_ALL) > 2
    assert ops.count(Op.REF) >= ops.count(Op.ACT_ALL) - 1
    assert [step for step in made.steps if step.command.op == Op.RD] == columns
    assert not len(play(config, made.played()).status.cycles)


def test_a_command_without_time_between_refreshes_is_refused():
    rules = {**FAST, "trefi": 270, "trcd_mac": 200}
    made = Schedule(PimConfig(**PQ["pq-tree"] | {"timing": rules}))
    made.run([Step(Command(Op.BIN_ADD, 3, n=1))], row=1)
    with pytest.raises(ConfigError, match=r"timing\.trefi = 270: must leave time .* BIN_ADD of 4"):
        made.run([Step(Command(Op.BIN_ADD, 3, n=4))], row=1)


def test_a_command_that_waiting_does_not_help_is_told():
    with pytest.raises(ValueError, match="never legal in bank 1: NOT_OPEN"):
        Schedule(TREE).run([Step(Command(Op.RD, 2))])


@pytest.mark.parametrize(("change", "tokens", "said"), [
    ({"pq": False, "pq_m": 32, "pq_k": 256, "pq_dsub": 4, "head_dim": 128}, 10, "pq = False"),
    ({}, 0, "tokens = 0"), ({"rows": 16}, 900, "rows = 16: must be at least")])
def test_what_cannot_be_laid_out_is_refused(change, tokens, said):
    with pytest.raises(ConfigError, match=said):
        Layout(TREE.model_copy(update=change), tokens)


def test_keys_values_and_query_that_do_not_go_together_are_refused():
    keys, values, query = case(TREE, 0, 30)
    fewer = Coded(values.centroids, values.indices[1:])
    other = Coded(values.centroids[:, 1:], values.indices)
    for arguments, said in (((keys, fewer, query), "values must have"),
                            ((other, values, query), "keys must have"),
                            ((keys, values, query[1:]), "a query has 15 elements")):
        with pytest.raises(ValueError, match=said):
            attention(TREE, *arguments)


def test_wrong_answers_are_told():
    keys, values, query = case(TREE, 0, 30)

    def broken(name, change, second):
        runs = []

        def player(config, given):
            trace = play(config, given)
            runs.append(trace)
            if len(runs) == 1 + second:
                setattr(trace, name, change(getattr(trace, name), trace))
            return trace
        return player

    def fewer(beats, trace):
        return replace(beats, cycles=beats.cycles[1:])

    def turned(beats, trace):
        return replace(beats, octets=beats.octets[::-1])

    for name, change, second, said in (
            ("rdata", fewer, False, r"beats of rdata instead of \d+"),
            ("rdata", turned, False, "rdata 0 is of another bank"),
            ("result", fewer, True, "29 beats of result instead of 30"),
            ("result", turned, True, "result 0 is of another bank"),
            ("status", lambda beats, trace: trace.rdata, False, "commands were refused")):
        with pytest.raises(ValueError, match=said):
            attention(TREE, keys, values, query, broken(name, change, second))
