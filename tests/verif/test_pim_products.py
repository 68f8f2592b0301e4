"""Products on the PIM channel's cycle model: layout, commands, sums, cycles, and refusals."""

from contextlib import suppress
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from pim_configs import FAST, SHORT, SMALL

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.pim.config import PimConfig
from pimlico.verif.pim.arithmetic import accumulate, dots
from pimlico.verif.pim.gemv import Plan, combine, decode, encode, expected, numbers, plan
from pimlico.verif.pim.gemv_commands import Commands
from pimlico.verif.pim.gemv_run import gemv, played
from pimlico.verif.pim.gemv_visits import closed_form, visits
from pimlico.verif.pim.play import play
from pimlico.verif.pim.row_times import longest, visit_cycles
from pimlico.verif.pim.rules import Code, Command, Op, Rules

PLAIN = {"fmt": "int8", "row_bytes": 256, "rows": 16, "banks": 4, "bank_groups": 2}
DEVICES = ("hbm2_samsung", "hbm2_neupims", "gddr6_aim", "hbm3_attacc")


def random_shape(config, rng):
    """Rows and columns up to a few lines, loads and pieces of the global buffer."""
    most = min(600, int(2.5 * config.gb_cols * config.lanes))
    k = int(rng.integers(1, most if rng.random() < 0.7 else 3 * config.lanes))
    return int(rng.integers(1, max(2, min(40, 4000 // k)))), k


def random_load(config, rng):
    room = config.rows // 2 if config.dual_row_buffer else config.rows
    return None if rng.random() < 0.5 else int(rng.integers(1, room + 1))


def operands(config, shape, rng, vectors=1):
    m, k = shape
    if config.floating:
        return rng.normal(size=(m, k)), rng.normal(size=(k, vectors))
    return rng.integers(-128, 128, (m, k)), rng.integers(-128, 128, (k, vectors))


def multiplied(config, shape, seed, load_rows=None, player=play):
    matrix, vectors = operands(config, shape, np.random.default_rng(seed))
    product = gemv(config, matrix, vectors, player, load_rows)
    assert (product.bits == expected(
        product.plan, encode(config, matrix), encode(config, vectors.T))).all()
    return product


@pytest.mark.parametrize("name", SMALL)
def test_every_configuration_multiplies_as_the_golden_model_does(name, seed):
    config, rng = PimConfig(**SMALL[name]), np.random.default_rng(seed)
    for _ in range(2):
        shape, load_rows = random_shape(config, rng), random_load(config, rng)
        matrix, vectors = operands(config, shape, rng, int(rng.integers(1, config.reuse + 1)))
        product = gemv(config, matrix, vectors, load_rows=load_rows)
        codes, xs = encode(config, matrix), encode(config, vectors.T)
        assert (product.bits == expected(product.plan, codes, xs)).all(), (shape, load_rows)
        exact = decode(config, codes) @ decode(config, xs).T
        if config.floating:
            bound = 2.0 ** (3 - config.acc_format.precision) * shape[1] + 2.0 ** -8
            scale = np.abs(decode(config, codes)) @ np.abs(decode(config, xs)).T
            assert (np.abs(product.y - exact) <= bound * scale).all()
        else:
            assert (product.y == exact).all()


def random_rules(rng):
    """Legal rules, but that refreshes may come too often."""
    def one(least, most):
        return int(rng.integers(least, most + 1))

    tras, trp, trrd, tccd = one(1, 40), one(1, 20), one(1, 8), one(1, 4)
    return {"trcd_rd": one(1, 20), "trcd_wr": one(1, 20), "trcd_mac": one(1, 40), "trp": trp,
            "tras": tras, "trc": tras + trp + one(0, 10), "tccd_s": tccd,
            "tccd_l": tccd + one(0, 6), "tccd_mac": one(1, 5), "trrd_s": trrd,
            "trrd_l": trrd + one(0, 5), "tfaw": trrd + one(0, 60), "faw_exempt": bool(one(0, 1)),
            "twr": one(1, 30), "twtr": one(1, 20), "trtp": one(1, 15), "trefi": one(100, 1500),
            "trfc": one(1, 80)}


def random_config(rng):
    banks = int(rng.choice([1, 2, 4, 8, 16]))
    return PimConfig(
        fmt="int8", lanes=int(rng.choice([4, 8, 16])), row_bytes=256,
        rows=int(rng.choice([2, 4, 8])), banks=banks,
        bank_groups=min(banks, int(rng.choice([1, 2, 4]))), gb_cols=int(rng.choice([1, 4, 16, 64])),
        reuse=int(rng.integers(1, 4)), acc_slots=int(rng.integers(1, 6)),
        acc_latency=int(rng.integers(1, 4)), dual_row_buffer=bool(rng.integers(2)),
        strict=bool(rng.integers(2)), arith=str(rng.choice(["exact", "lane_mac"])),
        timing=random_rules(rng))


@pytest.mark.parametrize("count", [15, pytest.param(500, marks=pytest.mark.deep)])
def test_any_shape_is_right_under_any_rules(count, seed):
    rng = np.random.default_rng(seed)
    while count:
        with suppress(ConfigError):
            config = random_config(rng)
            matrix, vectors = operands(config, random_shape(config, rng), rng, config.reuse)
            product = gemv(config, matrix, vectors, load_rows=random_load(config, rng))
            assert (product.y == matrix @ vectors).all(), config
            count -= 1


@pytest.mark.parametrize("name", SMALL)
def test_a_matrix_lies_in_the_rows_once_and_without_gaps(name, seed):
    config, rng = PimConfig(**SMALL[name]), np.random.default_rng(seed)
    made = plan(config, random_shape(config, rng), random_load(config, rng))
    line, column = made.order
    assert sorted(zip(line, column, strict=True)) == [
        (i, j) for i in range(made.lines) for j in range(made.columns)]
    at = 0
    for burst in made.bursts:
        assert burst.row * config.cols + burst.col == at
        assert (line[at:at + burst.n] == burst.line).all()
        assert (column[at:at + burst.n] == burst.column + np.arange(burst.n)).all()
        assert burst.column // made.piece == (burst.column + burst.n - 1) // made.piece
        at += burst.n
    assert at == made.lines * made.columns
    planned = [visit for load in visits(made) for visit in load]
    assert [burst for visit in planned for burst in visit.bursts] == made.bursts
    assert {made.place(row) for row in range(made.rows)} <= set(range(config.rows))


@pytest.mark.parametrize("name", SMALL)
def test_commands_are_legal_in_their_cycle_and_not_before(name, seed):
    config, rng = PimConfig(**SMALL[name]), np.random.default_rng(seed)
    made = plan(config, random_shape(config, rng), random_load(config, rng))
    line, rules = Commands(made).timeline, Rules(config)
    due = config.timing.trefi
    for fields, cycle in zip(line.commands, line.cycles, strict=True):
        command = Command(*fields)
        before, rules.now = rules.now, cycle - 1
        if rules.now > before and not config.dual_row_buffer:
            assert rules.check(command)[0] != Code.OK, (command, cycle)
        rules.now = cycle
        assert rules.check(command) == (Code.OK, 0), (command, cycle)
        rules.apply(command)
        if command.op == Op.REF:
            assert cycle <= due
            due = cycle + config.timing.trefi


@pytest.mark.parametrize("name", ["int8", "int8-waits"])
def test_commands_go_in_their_cycle_or_wait_where_that_is_allowed(name, seed):
    config = PimConfig(**SMALL[name])
    commands = Commands(plan(config, (9, 100)))
    matrix, vectors = operands(config, (9, 100), np.random.default_rng(seed))
    play_it = played(commands, encode(config, matrix), encode(config, vectors.T))
    trace = play(config, play_it)
    assert (trace.accepted <= np.array(commands.timeline.cycles) - 1).all()
    assert config.strict == (trace.accepted == play_it.at).all()
    assert trace.beats == len(play_it.data)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dual", [False, True])
def test_cycles_are_those_of_the_closed_form(device, dual, seed):
    config = PimConfig(**PLAIN, timing=device, dual_row_buffer=dual)
    # lines of 40 columns, in rows of 16: reading their sums is hidden
    product = multiplied(config, (60, 640), seed, load_rows=8)
    assert product.plan.loads == 5
    for counted, formula in zip(product.compute, product.formula, strict=True):
        assert formula <= counted <= (1.01 if dual else 1) * formula
    assert dual == (product.overlap > 0)
    assert product.busy == pytest.approx(
        15 * 40 * config.timing.tccd_mac / sum(product.compute))


def test_rows_written_beside_a_product_save_cycles(seed):
    config = PimConfig(**PLAIN, timing="hbm2_neupims")
    single = multiplied(config, (60, 640), seed, load_rows=8)
    dual = multiplied(config.model_copy(update={"dual_row_buffer": True}), (60, 640), seed,
                      load_rows=8)
    assert dual.cycles < 0.85 * single.cycles


def test_the_closed_form_of_equal_rows_is_that_of_its_description():
    config = PimConfig(**PLAIN | {"rows": 512}, timing=SHORT)
    made = plan(config, (4 * 250, 256))
    planned, t = visits(made)[0], config.timing
    assert [visit.n for visit in planned] == [16] * 250
    row = visit_cycles(config, 16)
    between = (t.trefi - t.trfc - planned[0].need) // row + 1
    assert closed_form(made)[0] == 250 * row + -(-250 // between) * t.trfc


def test_reading_sums_counts_where_there_is_one_set_of_accumulators(seed):
    config = PimConfig(**PLAIN | {"acc_slots": 1}, timing="hbm2_neupims")
    product = multiplied(config, (60, 640), seed)
    assert product.compute[0] == pytest.approx(product.formula[0], rel=0.03)
    assert product.compute[0] > 1.1 * multiplied(
        config.model_copy(update={"acc_slots": 2}), (60, 640), seed).compute[0]


def test_a_row_that_outlasts_the_time_between_refreshes_is_opened_again(seed):
    rules = FAST | {"trefi": 75, "trfc": 9}
    config = PimConfig(**PLAIN | {"lanes": 4, "acc_slots": 1}, timing=rules)
    assert longest(config) < config.cols
    product = multiplied(config, (9, 300), seed)
    assert len(visits(product.plan)[0]) > product.plan.rows


def test_a_host_adds_turns_then_neighbouring_lanes():
    config = PimConfig(**SMALL["fp16-lanes"])
    rng = np.random.default_rng(0)
    sums = rng.normal(size=(5, config.rotation, config.acc_lanes)).astype(np.float16)
    lanes = sums[:, 0] + sums[:, 1]
    wanted = (lanes[:, 0] + lanes[:, 1]) + (lanes[:, 2] + lanes[:, 3])
    assert (numbers(config, combine(config, sums.view(np.uint16))) == wanted).all()


def test_columns_are_added_in_ascending_order(seed):
    config = PimConfig(**SMALL["bf16"])
    matrix, vectors = operands(config, (3, 200), np.random.default_rng(seed))
    made = plan(config, (3, 200))
    codes, xs = encode(config, matrix), encode(config, vectors.T)
    total = np.zeros((3, 1), np.uint64)
    for start in range(0, 200, 4):
        total = accumulate(config, total, dots(
            config, codes[:, start:start + 4], xs[:, start:start + 4]))
    assert (expected(made, codes, xs) == total).all()


def test_one_vector_gives_one_vector(seed):
    config = PimConfig(**SMALL["int8"])
    matrix, vectors = operands(config, (5, 30), np.random.default_rng(seed))
    assert gemv(config, matrix, vectors[:, 0]).y.tolist() == (matrix @ vectors[:, 0]).tolist()


@pytest.mark.parametrize(("shape", "load_rows", "said"), [
    ((0, 3), None, "shape = 0 x 3"), ((1, 65537), None, "k = 65537"), ((3, 3), 0, "load_rows = 0"),
    ((3, 3), 17, "load_rows = 17"), ((300, 600), 16, None)])
def test_what_cannot_be_laid_out_is_refused(shape, load_rows, said):
    config = PimConfig(**PLAIN)
    if said is None:
        assert isinstance(plan(config, shape, load_rows), Plan)
        config, said = config.model_copy(update={"dual_row_buffer": True}), "be 1 to 8"
    with pytest.raises(ConfigError, match=said):
        plan(config, shape, load_rows)


def test_operands_that_do_not_fit_are_refused():
    config, ones = PimConfig(**PLAIN), partial(np.ones, dtype=int)
    for matrix, vectors, said in (
            (ones((3, 4)), ones(5), "shape"), (ones(4), ones(4), "shape"),
            (ones((3, 4)), ones((4, 2)), "vectors = 2"), (128 * ones((3, 4)), ones(4), "fmt"),
            (np.ones((3, 4)), ones(4), "fmt")):
        with pytest.raises(ConfigError, match=said):
            gemv(config, matrix, vectors)


def test_rules_without_time_between_refreshes_are_refused():
    rules = FAST | {"trefi": 30}
    with pytest.raises(ConfigError, match=r"timing\.trefi = 30: must be at least"):
        multiplied(PimConfig(**PLAIN, timing=rules), (3, 3), 0)


def test_wrong_answers_are_told(seed):
    config = PimConfig(**PLAIN)

    def broken(change):
        def player(config, given):
            trace = play(config, given)
            change(trace)
            return trace
        return player

    def drop(trace):
        trace.result.cycles = trace.result.cycles[1:]

    def swap(trace):
        trace.result.octets = trace.result.octets[::-1]

    def refuse(trace):
        trace.status = replace(trace.result)

    for change, said in ((drop, "11 results instead of 12"), (swap, "result 0 is of another"),
                         (refuse, "12 commands were refused")):
        with pytest.raises(ValueError, match=said):
            multiplied(config, (9, 9), seed, player=broken(change))


def test_a_command_that_never_becomes_legal_is_told(seed, monkeypatch):
    config = PimConfig(**PLAIN)
    commands = Commands(plan(config, (2, 2)))
    matrix, vectors = operands(config, (2, 2), np.random.default_rng(seed))
    whole = played(commands, encode(config, matrix), encode(config, vectors.T))
    monkeypatch.setattr("pimlico.verif.pim.play.PimCycles.patience", 50)
    with pytest.raises(ValueError, match="nothing moves"):
        play(config, replace(whole, data=whole.data[:1]))
