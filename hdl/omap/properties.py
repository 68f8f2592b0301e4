"""Formal properties of the OMAP cache controller."""

from __future__ import annotations

from amaranth.asserts import AnySeq
from amaranth.hdl import Cat, Mux, Signal

from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.ports import Stream
from pimlico.hdl.common.properties import Harness, Placed, Property, stream_properties

from .beats import pages_in_hand
from .bounded import Steps, bounded_completion
from .config import OmapConfig
from .item_properties import tracked_item
from .live import loads_live
from .revealed import revealed_once
from .tracked_index import tracked_index

CONTROL = {
    "": ("lookup_full", "launched", "busy", "aborted", "committed", "departed", "may_arrive",
         "probed", "fetched", "closed", "step", "dry", "ran_dry"),
    "startup": ("draws", "address", "ready", "startup_state"),
    "index": ("active", "cycle", "done", "settled", "clearing", "turn"),
    "pending": ("cycle", "recorded", "phase", "turn"),
    "buffer": ("busy", "row", "part", "half", "stage_valid", "stage_half", "stage_row",
               "stage_part", "arrived", "number", "slot"),
    "requests": ("left", "write"),
    "arrivals": ("due", "row", "mismarked", "late", "waited"),
    "departures": ("reading", "half", "row", "beats__valid", "last", "final"),
    "responder": ("staged", "written", "rsp__valid"),
    "sealed": ("opens", "verdicts", "seals", "left", "row"),
    "sealed.opener": ("verdict__valid",),
    **{f"sealed.{cipher}.{part}": (name,) for cipher in ("opener", "sealer")
       for part, name in (("walk", "phase_state"), ("gather", "held"), ("spread", "left"),
                          ("sponge", "round_index"))},
}
"""Registers that the trace follows from, by submodule: all the others are secret."""


def properties(config: BlockConfig) -> list[Property]:
    """What holds for a controller, each with the configuration it is proved for."""
    assert isinstance(config, OmapConfig)
    small = narrow(config)
    inner = _Inner(**{**_plain(small).model_dump(), "trusted": "on_chip", "trusted_latency": 2,
                      "entropy": "stream", "test_mode": False})
    steps = Steps(inner)
    return [
        *stream_properties(small),
        Property("same-trace",
                 "two controllers with the same handshakes, but any commands, random numbers and "
                 "pages, give the same valid, ready, write and last on every cycle, and the "
                 "same half of the pages, as long as neither has a fatal status",
                 small, _same_trace, depth=2),
        Property("rounds",
                 "requests are read lower, read upper, write lower, write upper, in turn; each "
                 "page has its beats, of which the last is marked",
                 _plain(small), _rounds, depth=4),
        Property("tracked-index",
                 "an arbitrary key is in one place of the index exactly while it is stored, "
                 "whatever function the hash is, and its lookup gives what its last update "
                 "stored",
                 inner, tracked_index, depth=1),
        Property("revealed-once",
                 "the pages of an operation on an arbitrary key that is stored are the new pair "
                 "of the draw for the last operation that placed it, not revealed since then "
                 "unless by an operation that was aborted; else, and for a nop, those for a miss "
                 "of its own draw",
                 inner, revealed_once, depth=1),
        Property("loads-live",
                 "the load of an arbitrary page is the number of keys in the index that have it "
                 "as their page, and live the number of all keys there",
                 inner, loads_live, depth=1, gates=True),
        Property("pages-in-hand",
                 "at a host that gives pages back as they were written, the pages of an operation "
                 "go out with every item that they came with but the one of its key, and with "
                 "every item that was taken out of a list to be merged, each once and in a slot "
                 "of its own, and the records of all pages have just the slots in use that have "
                 "an item; if a page has the item of the key, a get or del answers with its "
                 "value there, and a get puts this value among those that wait",
                 _appending(inner), pages_in_hand, depth=1, gates=True),
        Property("tracked-item",
                 "at a host that gives pages back as they were written, an arbitrary key has one "
                 "item while it is stored, in the page that it belongs to or in that page's list "
                 "of those that wait, and else none; every entry of the pending buffer is in one "
                 "list, also when an operation is aborted; and the response to an operation on "
                 "the key has its status, whether the key was there, and of a get or del the "
                 "value that was put last",
                 _appending(inner), tracked_item, depth=1, gates=True),
        Property("bounded-completion",
                 "without a fatal status, and counting only cycles in which the controller waits "
                 "for no handshake of req, rdata, wdata, rsp or random: a response is on offer "
                 f"at most {steps.answers} after the launch of its operation, a command is "
                 f"launched at most {steps.launch} after it was taken, and commands that wait "
                 f"are launched at most {steps.interval(inner)} apart, as host_cycles has it",
                 inner, bounded_completion, depth=1),
    ]


def narrow(config: OmapConfig) -> OmapConfig:
    """A controller of the same make with few pages, short beats and narrow items."""
    value = 32 if config.parts > 1 else 8 if config.lanes > 1 else 16
    sealed = {"beat_width": 64 if config.lanes > 1 else 32} if config.sealed else {}
    return OmapConfig(**{
        **config.model_dump(), "key_width": 8, "value_width": value, "log2_pages": 3, "slots": 3,
        "capacity": 4, "beat_width": 32, "page_bits": None, "pending_depth": 4,
        "merge_budget": min(2, config.merges), "index_ways": 2, "index_stash": 2,
        "host_latency_max": 3, **sealed})


class _Inner(OmapConfig):
    """The same with four places a way, of which a solver still sees the end."""

    @property
    def index_bits(self) -> int:
        return 2


def _plain(config: OmapConfig) -> OmapConfig:
    return OmapConfig(**{**config.model_dump(), "cipher": "none"})


def _appending(config: OmapConfig) -> OmapConfig:
    """With two slots a beat, on a shared bus, and few entries in the pending buffer."""
    return OmapConfig(**{**config.model_dump(), "bus": "shared", "value_width": 8,
                         "beat_width": 32, "pending_depth": 3, "allow_fatal": True})


def _same_trace(h: Harness) -> None:
    """Two copies; their registers of control are equal, and stay equal."""
    first = h.dut
    answers = {f"{name}_q" for name in h.config.memories}
    shared = {path: signal for path, signal in first.inputs.items()
              if not path.endswith(".payload") and path not in answers}
    payloads = {}
    for port in h.config.ports:
        if isinstance(port, Stream) and port.direction == "in":
            own = AnySeq(port.width)
            last = first.inputs[f"{port.name}.payload"][-1:]
            payloads[f"{port.name}.payload"] = Cat(own[:-1], last) if port.has_last else own
    second = h.place("second", {**shared, **payloads})
    for copy in (first, second):
        h.assume(copy.outputs["fatal"] == 0)
        h.assume(~copy.inside("judged") | ~(copy.inside("lost") | copy.inside("bad_tag")))
    for (path, one), (_, other) in zip(first.registers(), second.registers(), strict=True):
        if _is_control(path):
            h.require(one == other, f"{path} depends on handshakes alone")
    for path in first.outputs:
        one, other = first.outputs[path], second.outputs[path]
        if path.endswith((".valid", ".ready")) or path == "ready":
            h.require(one == other, f"{path} depends on handshakes alone")
    half = h.config.log2_pages
    _equal_when_valid(h, first, second, "req", slice(half - 1, half + 1))
    _equal_when_valid(h, first, second, "wdata", slice(h.config.beat_width, None))


def _equal_when_valid(h: Harness, first: Placed, second: Placed, name: str, bits: slice) -> None:
    one, other = (copy.outputs[f"{name}.payload"][bits] for copy in (first, second))
    h.require(~first.outputs[f"{name}.valid"] | (one == other),
              f"{name}: its flags depend on handshakes alone")


def _is_control(path: str) -> bool:
    parent, _, name = path.rpartition(".")
    return name in CONTROL.get(parent, ())


def _rounds(h: Harness) -> None:
    """Counts requests and write beats, with the invariants that tie them to the controller."""
    config, inside = h.config, h.dut.inside
    beats = config.beats
    h.assume(h.dut.outputs["fatal"] == 0)
    h.assume(~inside("abort"))
    busy, committed, left = inside("busy"), inside("committed"), inside("requests.left")
    writes = inside("requests.write")
    taken = h.dut.outputs["req.valid"] & h.dut.inputs["req.ready"]
    turn = Signal(2, name="turn")
    h.m.d.sync += turn.eq(turn + taken)
    request = h.dut.outputs["req.payload"]
    h.require(~h.dut.outputs["req.valid"] | (request[-2:] == turn),
              "read lower, read upper, write lower, write upper")
    waits = busy & ~committed
    h.require(~inside("aborted"), "no operation is aborted")
    h.require(committed | ~(inside("closed") | inside("pending.phase").any()),
              "only a committed operation closes")
    h.require(~left.any() | (turn == Mux(left == 2, Cat(0, writes), Cat(1, writes))),
              "requests left are those of the turn")
    h.require(left != 3, "two requests at most")
    h.require(left.any() | (turn == Mux(waits, 2, 0)), "reads are for an operation")
    h.require(~left.any() | (writes == ~waits), "writes are for a committed one")

    arriving = inside("buffer.busy")
    place = inside("buffer.half") * beats + inside("buffer.row")
    arrived = Signal(range(2 * beats + 1), name="arrived_beats")
    asked = Signal(range(2 * beats + 1), name="asked_beats")
    h.m.d.comb += [arrived.eq(Mux(arriving, place, 2 * beats)),
                   asked.eq(Mux(waits & left.any(), (2 - left) * beats, 2 * beats))]
    h.require(~waits | (inside("arrivals.due") + arrived == asked), "beats due were asked for")
    h.require(waits | (~inside("arrivals.due").any() & ~arriving), "none is due after a commit")
    h.require((inside("buffer.row") < beats) & (inside("departures.row") < beats),
              "rows of a page")
    h.require(~(waits & inside("buffer.arrived")) | ~arriving, "all have arrived")

    row = Signal(range(max(2, beats)), name="row")
    sent = h.dut.outputs["wdata.valid"] & h.dut.inputs["wdata.ready"]
    ends = row == beats - 1
    h.require(row < beats, "beats of a page")
    with h.m.If(sent):
        h.m.d.sync += row.eq(Mux(ends, 0, row + 1))
    h.require(~h.dut.outputs["wdata.valid"] | (h.dut.outputs["wdata.payload"][-1] == ends),
              "the last beat of a page is marked")
    offered = inside("departures.beats__valid")
    reading, staged = inside("departures.reading"), inside("responder.staged")
    sends = busy & committed & ~inside("departed")
    h.require(~(reading | offered | sends) | (staged & ~inside("responder.written")),
              "what goes out belongs to the response that waits")
    h.require(~offered | (inside("departures.final") == ~reading), "the last beat ends it")
    h.require(~sends | ~(reading | offered),
              "an operation sends when the one before it has sent")
    h.require(reading | ~inside("departures.row").any(), "each begins at row 0")
    after = Mux(ends, 0, row + 1)
    h.require(inside("departures.row") == Mux(offered, after, row), "rows go out in order")
