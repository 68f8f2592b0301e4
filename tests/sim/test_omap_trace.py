"""Long runs of the OMAP controller: what they give is what the golden and cycle models give."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from omap_play import Played

from pimlico.generators.block import find
from pimlico.generators.errors import ToolError
from pimlico.generators.verilog import emit
from pimlico.hdl.omap.config import DEL, FULL, GET, MISS, OK, OPS, PUT, OmapConfig
from pimlico.sim.omap_trace import Commands, draws, run_trace
from pimlico.verif.omap.session import Session

SHARED = {"log2_pages": 3, "slots": 4, "capacity": 12, "key_width": 16, "value_width": 100,
          "beat_width": 128, "host_latency_max": 40}
CONFIGS = {
    "shared": OmapConfig(**SHARED),
    "duplex": OmapConfig(**SHARED | {"bus": "duplex", "key_width": 70, "beat_width": 256}),
    "sealed": OmapConfig(**SHARED | {"cipher": "ascon_aead128", "value_width": 16}),
    "port": OmapConfig(**SHARED | {"trusted": "port", "trusted_latency": 5}),
}


@cache
def design(name="shared"):
    return emit(find("omap-controller"), CONFIGS[name])


class Replayed(Session):
    """A session whose random numbers are those of a trace."""

    def __init__(self, config, seed, count):
        fields = draws(config, seed, config.init_draws + count)
        self._drawn = iter(fields.tolist())
        super().__init__(config, np.random.default_rng(seed))

    def _draw_bits(self):
        bits = sum(number << at * self.config.half_bits
                   for at, number in enumerate(next(self._drawn)))
        self.beats["random"].append(bits)
        return bits


def number(rng, width):
    return int.from_bytes(rng.bytes(-(-width // 8)), "little") & (1 << width) - 1


def random_commands(config, seed, count):
    """Commands on a few more keys than the map holds."""
    rng = np.random.default_rng(seed)
    keys = [number(rng, config.key_width) for _ in range(config.capacity + 2)]
    return Commands(rng.choice(len(OPS), count, p=[0.05, 0.4, 0.45, 0.1]).astype(np.uint8),
                    [keys[at] for at in rng.integers(len(keys), size=count)],
                    [number(rng, config.value_width) for _ in range(count)])


def replay(config, commands, seed):
    """The same commands on the golden model."""
    session = Replayed(config, seed, len(commands))
    for op, key, value in zip(commands.op.tolist(), commands.key, commands.value, strict=True):
        session.run(op, key, value)
    return session


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize(("latency", "jitter"), [(1, 0), (7, 5)])
def test_a_trace_is_that_of_the_golden_model(name, latency, jitter, seed):
    config = CONFIGS[name]
    commands = random_commands(config, seed, 1000)
    trace = run_trace(design(name), config, commands, seed=seed, latency=latency, jitter=jitter)
    session = replay(config, commands, seed)
    assert {response.status for response in session.responses} == {OK, MISS, FULL}
    assert trace.responses[:, 1:].tolist() == [list(response[:2])
                                               for response in session.responses]
    assert trace.values == [response.value for response in session.responses]
    reads = trace.requests[trace.requests[:, 2] == 0, 1]
    writes = trace.requests[trace.requests[:, 2] == 1, 1]
    assert reads.tolist() == writes.tolist() == [page for pair in session.trace for page in pair]
    assert trace.live[-1] == session.map.live
    assert trace.pending[-1] == session.map.waiting.count
    assert trace.stash[-1] == session.map.index.stashed
    assert trace.pending.max() <= trace.peak_pending <= config.pending
    for cycle in (trace.requests[:, 0], trace.responses[:, 0], trace.accepted):
        assert (np.diff(cycle) > 0).all() and cycle[-1] < trace.cycles
    taken = trace.responses[:, 0] - trace.requests[trace.requests[:, 2] == 0, 0][::2]
    if name == "shared":
        assert (taken.max() == taken.min()) == (jitter == 0)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_trace_is_that_of_the_cycle_model_cycle_for_cycle(name, seed):
    config = CONFIGS[name]
    commands = random_commands(config, seed, 200)
    trace = run_trace(design(name), config, commands, seed=seed)
    session = replay(config, commands, seed)
    for at, needs in enumerate(session.after["rdata"]):
        # a page that is still being written is waited for, but not the one after it
        if "wdata" in needs and at // config.beats % 2 == 0:
            session.after["rdata"][at] = needs | {"wdata": needs["wdata"] - config.beats}
    played = Played(config, session.episode("trace"))
    write = config.log2_pages
    assert trace.requests.tolist() == [
        [now, payload & (1 << write) - 1, payload >> write] for now, payload in played.beats["req"]]
    assert trace.responses[:, 0].tolist() == played.cycles("rsp")
    assert trace.accepted.tolist() == played.cycles("cmd")
    for counter in ("pending", "live", "stash"):
        assert getattr(trace, counter).tolist() == [
            played.wires[now][counter] for now in played.cycles("rsp")]
    assert trace.peak_pending == max(wires["pending"] for wires in played.wires)


def test_a_run_is_repeated_by_its_seed_and_only_by_it(seed):
    config = CONFIGS["shared"]
    commands = random_commands(config, seed, 200)
    first, again, other = (run_trace(design(), config, commands, seed=each, jitter=3)
                           for each in (seed, seed, seed + 1))
    assert (first.requests == again.requests).all()
    assert (first.requests[:, 1] != other.requests[:, 1]).any()
    assert first.values == other.values


def test_keys_and_values_come_as_arrays_too(seed):
    config = CONFIGS["shared"]
    rng = np.random.default_rng(seed)
    keys = np.arange(12)
    rows = rng.integers(0, 256, (12, 13), np.uint8)
    rows[:, -1] &= 15
    trace = run_trace(design(), config, Commands(
        np.repeat(np.array([PUT, GET], np.uint8), 12), np.tile(keys, 2),
        np.concatenate([rows, np.zeros_like(rows)])), seed=seed)
    assert (trace.octets == np.tile(rows, (2, 1))).all()
    assert trace.values[:12] == [int.from_bytes(row.tobytes(), "little") for row in rows]


def test_the_linear_generator_needs_no_draws(seed):
    config = OmapConfig(**SHARED | {"entropy": "lfsr", "test_mode": True})
    commands = random_commands(config, seed, 200)
    trace = run_trace(None, config, commands, seed=seed)
    session = Session(config, np.random.default_rng(seed))
    for op, key, value in zip(commands.op.tolist(), commands.key, commands.value, strict=True):
        session.run(op, key, value)
    assert trace.values == [response.value for response in session.responses]
    assert [tuple(pair) for pair in trace.requests[:, 1].reshape(-1, 2)[::2]] == session.trace


def test_progress_is_told(seed):
    told = []
    run_trace(design(), CONFIGS["shared"], random_commands(CONFIGS["shared"], seed, 400), seed=seed,
              progress=lambda *step: told.append(step))
    running = [(done, total) for what, done, total in told if what == "verilator: running"]
    assert running == [(0, 400), *((done, 400) for done in range(2, 401, 2)), (400, 400)]


def test_a_design_that_stops_is_given_up(seed):
    """Its first request is asked again and again."""
    config = CONFIGS["shared"]
    port = ".req__ready(m_axis_req_tready)"
    assert design().text.count(port) == 1
    deaf = replace(design(), text=design().text.replace(port, ".req__ready(1'b0)"))
    with pytest.raises(ToolError, match="no response since cycle 0, after 0 of 9"):
        run_trace(deaf, config, random_commands(config, seed, 9), seed=seed)


@pytest.mark.parametrize(("field", "wrong"), [
    ("op", np.array([4])), ("key", [1 << 16]), ("key", np.array([1 << 16])), ("key", [-1]),
    ("key", np.array([-1])), ("key", [1, 2]), ("value", [1 << 100]),
    ("value", np.full((1, 13), 16, np.uint8)), ("value", np.zeros((1, 12), np.uint8))])
def test_a_command_that_does_not_fit_is_refused(field, wrong):
    commands = replace(Commands(np.array([DEL]), [1], [0]), **{field: wrong})
    with pytest.raises(ValueError, match=field):
        run_trace(design(), CONFIGS["shared"], commands, seed=0)


@pytest.mark.parametrize("options", [{"latency": 0}, {"jitter": -1}])
def test_a_host_that_answers_too_early_is_refused(options):
    with pytest.raises(ValueError, match="latency must be at least 1"):
        run_trace(design(), CONFIGS["shared"], Commands(np.array([GET]), [1], [0]), seed=0,
                  **options)


def test_a_program_that_fails_is_told(monkeypatch, tmp_path, seed):
    """A design that Verilator refuses leaves nothing in the cache."""
    monkeypatch.setenv("PIMLICO_CACHE", str(tmp_path))
    config = CONFIGS["shared"]
    broken = replace(design(), text=design().text.replace("endmodule", "endmodul"))
    with pytest.raises(ToolError, match=r"verilator failed \(exit code 1\)\n(.|\n)*syntax error"):
        run_trace(broken, config, random_commands(config, seed, 9), seed=seed)
    assert [path for kind in tmp_path.iterdir() for path in kind.iterdir()] == []
