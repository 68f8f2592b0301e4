"""Delays of an episode: what answers takes its time after what it answers."""

from itertools import pairwise

from running_sum.cycles import RunningSumCycles
from test_bench import CONFIG, Mirror

from pimlico.verif.episode import Episode


def cycles(episodes, **more):
    """Cycles, counted from the first after a reset, in which beats are first offered and taken,
    and in which results are taken."""
    mirror = Mirror()
    mirror.play(mirror.lockstep(cycles=5000, **more), episodes)
    model = RunningSumCycles(CONFIG)
    offered, taken, given = [], [], []
    fresh = True
    for now, inputs in enumerate(mirror.trace):
        outputs = model.outputs(inputs)
        if inputs["i_valid"] and fresh:
            offered.append(now)
        fresh = not inputs["i_valid"] or bool(outputs["i_ready"])
        if inputs["i_valid"] and outputs["i_ready"]:
            taken.append(now)
        if outputs["o_valid"] and inputs["o_ready"]:
            given.append(now)
        model.tick(inputs)
    return offered, taken, given


def test_a_beat_comes_its_delay_after_the_one_before_it_was_taken():
    delays = [0, 3, 0, 7, 1]
    offered, taken, _ = cycles([Episode("delayed", {"i": [1] * 5}, delay={"i": delays})])
    assert offered == taken
    assert taken[0] == 0
    assert [after - before - 1 for before, after in pairwise(taken)] == delays[1:]


def test_without_delays_beats_come_at_once():
    assert cycles([Episode("at once", {"i": [1] * 5})]) == cycles(
        [Episode("at once", {"i": [1] * 5}, delay={"i": [0] * 5})])


def test_the_time_of_an_answer_begins_when_its_gate_is_open():
    """Not while what it answers is still to come."""
    after = [{}, {"o": 1}, {"o": 2}, {"o": 2}]
    offered, _, given = cycles([Episode("answering", {"i": [1] * 4}, delay={"i": [2, 0, 5, 1]},
                                        after={"i": after}, ready={"o": 0.3})])
    assert offered[0] == 2
    assert offered[1] == given[0] + 1
    assert offered[2] == given[1] + 1 + 5


def test_a_beat_waits_for_its_sink_beside_its_delay():
    """A delay is not spent while the beat before it is still on offer."""
    episode = Episode("held", {"i": [1] * 20}, delay={"i": [0, *[2] * 19]}, ready={"o": 0.2})
    offered, taken, _ = cycles([episode])
    assert [after - before for before, after in zip(taken, offered[1:], strict=False)] == [3] * 19
    assert offered != taken


def test_probability_comes_on_top():
    """Only cycles in which a beat might be offered count."""
    beats, delay = 100, 4
    slow = Episode("slow", {"i": [1] * beats}, delay={"i": [delay] * beats}, valid={"i": 0.5})
    _, taken, _ = cycles([slow])
    assert len(taken) == beats
    gaps = [after - before for before, after in pairwise(taken)]
    assert min(gaps) >= delay + 1
    assert 1.6 * (delay + 1) < sum(gaps) / len(gaps) < 2.4 * (delay + 1)


def test_an_episode_played_again_has_its_delays_again():
    episode = Episode("again", {"i": [1, 2]}, delay={"i": [5, 6]})
    once, twice = cycles([episode])[1], cycles([episode, episode])[1]
    length = twice[2] - twice[0]
    assert twice == once + [now + length for now in once]
    assert episode.delay == {"i": [5, 6]}
