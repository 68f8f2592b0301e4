"""Cores with a deliberate fault each: they answer rightly, but the host learns what it should not.

All faults are in one core, so that one build serves them all. A first command that no workload
has chooses among them: a nop, by its value.
"""

import inspect
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from amaranth.hdl import Const, Signal

from pimlico.generators.block import Block
from pimlico.generators.omap import BLOCK
from pimlico.generators.verilog import emit
from pimlico.hdl.omap import buffer, bus, core
from pimlico.hdl.omap.config import DEL, FULL, MISS, NOP, OK, PUT, OmapConfig
from pimlico.sim.omap_trace import Commands, run_trace
from pimlico.verif.omap.observed import Observed, observe
from pimlico.verif.omap.workloads import WORKLOADS, Workload, generate

CONFIG = OmapConfig(log2_pages=6, slots=6, capacity=256, pending_depth=256, key_width=16,
                    value_width=16, beat_width=256)
"""Few pages, so that they coincide often; so full that they spill. As many items may wait as
there are keys: a core that reads the same pages again and again keeps most of them waiting."""

FAULTS = {
    "winner only": "of the pair, only the page that holds the item is read, and a random one "
                   "in the place of the other",
    "winner first": "the page that holds the item is read before the other",
    "fixed dummies": "a miss reads page 0 of either half",
    "no remap": "a get leaves the key its pair",
    "skipped write": "a miss that changes nothing writes nothing back",
    "early response": "a miss is answered before its pages are written",
}
"""Each fault, and what it is; their numbers begin with 1."""

NUMBER = {name: number for number, name in enumerate(FAULTS, 1)}
_W, _F, _D, _R, _S, _E = NUMBER.values()

_EDITS = {
    bus: [
        ('"idle": Out(1), "read_taken"', '"swap": In(1), "idle": Out(1), "read_taken"'),
        ("upper.eq(left == 1)", "upper.eq((left == 1) ^ (self.swap & ~write))"),
    ],
    buffer: [
        ('"launch": In(1), "allow"', '"swap": In(1), "launch": In(1), "allow"'),
        ("        busy = Signal()\n", "        busy = Signal()\n        second = Signal()\n"),
        ("part.eq(0), half.eq(0)]", "part.eq(0), half.eq(self.swap), second.eq(0)]"),
        ("[half.eq(1), busy.eq(~half)]", "[half.eq(~half), second.eq(1), busy.eq(~second)]"),
        ("Mux(half, used[1], Mux(self.load, loaded, used[0]))",
         "Mux(half, Mux(self.load, self.used_b, used[1]), Mux(self.load, loaded, used[0]))"),
    ],
    core: [
        ('cmd = fields(config.port("cmd"), self.cmd.payload)\n',
         'cmd = fields(config.port("cmd"), self.cmd.payload)\n'
         "        fault = chosen(m, self, cmd)\n"
         "        swap = Signal()\n        stays = Signal()\n        skips = Signal()\n"),
        ('Mux(hit_now, index.target.a, drawn["miss_a"])',
         f"Mux(hit_now & ~((fault == {_W}) & index.target.which), index.target.a, "
         f'Mux((fault == {_D}) & ~hit_now, 0, drawn["miss_a"]))'),
        ('Mux(hit_now, index.target.b, drawn["miss_b"])',
         f"Mux(hit_now & ~((fault == {_W}) & ~index.target.which), index.target.b, "
         f'Mux((fault == {_D}) & ~hit_now, 0, drawn["miss_b"]))'),
        ("requests.reads.eq(launch)",
         f"swap.eq((fault == {_F}) & hit_now & index.target.which), buffer.swap.eq(swap),\n"
         f"requests.swap.eq((fault == {_F}) & hit & which),\n"
         f"stays.eq((fault == {_R}) & hit_now & (op_now == GET)),\n"
         f"skips.eq((fault == {_S}) & busy & judged & ~hit & ~places),\n"
         "requests.reads.eq(launch)"),
        ('new_a.eq(drawn["new_a"])', 'new_a.eq(Mux(stays, first, drawn["new_a"]))'),
        ('new_b.eq(drawn["new_b"])', 'new_b.eq(Mux(stays, second, drawn["new_b"]))'),
        ("commit.eq(busy & sound &", "commit.eq(busy & sound & ~skips &"),
        ("judged & (bad_host | bad_tag | lost)", "judged & (bad_host | bad_tag | lost | skips)"),
        ("Mux(commit, Cat(status, hit, value)", "Mux(commit | skips, Cat(status, hit, value)"),
        ("with m.If(abort):", "with m.If(abort & ~skips):"),
        ("responder.direct.eq(~commit)",
         f"responder.direct.eq(~commit | ((fault == {_E}) & ~hit))"),
    ],
}


@dataclass(frozen=True)
class FaultyBlock(Block):
    """The block with one fault, by its number; or with all of them, for a command to choose.

    The bus is to be shared, and without a cipher.
    """

    fault: int | None = None

    def load(self, what):
        return _component(self.fault) if what == "component" else super().load(what)


def block_with(fault=None):
    """The block with a fault of `FAULTS`, or with all."""
    return FaultyBlock(**vars(BLOCK), fault=fault and NUMBER[fault])


def faulty(config):
    """Verilog of the core with all faults."""
    assert config.bus == "shared" and not config.sealed
    return emit(block_with(), config)


def watch(design, config, n, seed, fault="", names=tuple(WORKLOADS), **host):
    """What there is to see of `n` operations of each workload, by its name.

    Parameters
    ----------
    design : Emitted
        A sound core, or one of all faults.
    config : OmapConfig
    n, seed : int
    fault : str
        The fault that is chosen, by a command that is not in what is returned.
    names : sequence of str
    host : int
        ``latency`` and ``jitter`` of `run_trace`.

    Raises
    ------
    AssertionError
        If any answer is wrong.
    """
    seen: dict[str, Observed] = {}
    for number, name in enumerate(names):
        work = generate(name, config, n, np.random.default_rng([seed, number]))
        if fault:
            work = _choosing(fault, work)
        trace = run_trace(design, config, Commands(*work), seed=seed << 8 | number, **host)
        given = np.column_stack([trace.responses[:, 1:], trace.values])
        wrong = np.flatnonzero((given != answers(config, work)).any(1))
        assert not len(wrong), f"{fault} {name} seed={seed}: command {wrong[0]} answered wrongly"
        run = observe(trace.requests, trace.responses, work.op, work.key, config.pages // 2)
        seen[name] = run.part(slice(len(work.op) - n, None))
    return seen


def _choosing(fault, work):
    return Workload(np.insert(work.op, 0, NOP), np.insert(work.key, 0, 0),
                    np.insert(work.value, 0, NUMBER[fault]))


def _component(fault):
    """The component, from the sources with all faults put in."""
    changed = {module: _exec(module, edits, fault) for module, edits in _EDITS.items()
               if module is not core}
    top = _exec(core, _EDITS[core], fault)
    for module, copy in changed.items():
        for name, value in vars(copy).items():
            if inspect.isclass(value) and value.__module__ == module.__name__ \
                    and hasattr(top, name):
                setattr(top, name, value)
    return top.OmapController


def _exec(module, edits, fault):
    source = inspect.getsource(module)
    for sound, wrong in edits:
        assert source.count(sound) == 1, f"{module.__name__} no longer reads so: {sound}"
        source = source.replace(sound, wrong)
    copy = ModuleType(module.__name__)
    copy.__package__ = module.__package__
    copy.chosen = _chosen if fault is None else lambda m, ports, cmd: Const(fault, 3)
    exec(compile(source, module.__file__, "exec"), vars(copy))
    return copy


def _chosen(m, ports, cmd):
    fault = Signal(3)
    with m.If(ports.cmd.valid & ports.cmd.ready & (cmd["op"] == NOP) & cmd["value"].any()):
        m.d.sync += fault.eq(cmd["value"])
    return fault


def answers(config, work):
    """Status, found and value of the response to every command, by a plain dictionary.

    Returns
    -------
    np.ndarray
        Shape (n, 3), int64.
    """
    held: dict[int, int] = {}
    columns = (column.tolist() for column in work)
    return np.array([_answer(config, held, *command) for command in zip(*columns, strict=True)])


def _answer(config, held, op, key, value):
    there = op != NOP and key in held
    if op == PUT:
        if not there and len(held) == config.capacity:
            return FULL, 0, value
        held[key] = value
        return OK, int(there), value
    found = held[key] if there else 0
    if op == DEL and there:
        del held[key]
    return (OK if there or op == NOP else MISS), int(there), found
