"""Parameters of the OMAP cache controller, and every number derived from them."""

from __future__ import annotations

from hashlib import shake_256
from math import ceil, isqrt
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from pimlico.hdl.ascon.config import BLOCK_BITS, LONG, SHORT, PageShape
from pimlico.hdl.common.config import BlockConfig, ConfigError
from pimlico.hdl.common.ports import Field as Slice
from pimlico.hdl.common.ports import Port, Stream, Wire

NOP, GET, PUT, DEL = range(4)
OPS = {NOP: "nop", GET: "get", PUT: "put", DEL: "del"}
OP_BITS = 2

(OK, MISS, FULL, FATAL_PENDING, FATAL_INDEX, FATAL_TAMPER, RAND_UNDERRUN,
 HOST_PROTOCOL) = range(8)
STATUS = {
    OK: "done",
    MISS: "get or del of a key that is not there",
    FULL: "put of a new key refused: the map holds capacity keys",
    FATAL_PENDING: "sticky: more items wait than pending_depth",
    FATAL_INDEX: "sticky: the stash of the index is full",
    FATAL_TAMPER: "sticky: a page's tag was wrong; nothing of it was used",
    RAND_UNDERRUN: "sticky: random gave nothing for host_latency_max cycles",
    HOST_PROTOCOL: "sticky: the host answered late, unasked, with a wrong last, or without the "
                   "item that the page holds",
}
STATUS_BITS = 3

TAG_BITS = 128
KEY_BITS = 128
VERSION_BITS = 48
RELOCATIONS = 2
"""Relocation steps of the index an operation: one more than a new key needs on average."""

STEP_FAILS = 0.13
"""Greatest chance that a relocation step finds all its places taken, which bounds the load."""

BEAT_WIDTHS = (32, 64, 128, 256, 512)
COMMIT_STEPS = 4


class OmapConfig(BlockConfig):
    """Oblivious key-value map: its trace in host memory says nothing of keys or operations.

    A trusted index maps each key to a pair of random pages, one in either half of the host's
    pages. Every operation reads one pair and writes it back, and gives the key a fresh pair.
    Source: BOLT, arXiv 2509.01742.
    """

    block: ClassVar[str] = "omap-controller"

    key_width: Annotated[int, Field(ge=8, le=128, description="width of a key, in bits")] = 32
    value_width: Annotated[int, Field(
        ge=8, le=4096, description="width of a value, in bits")] = 64
    log2_pages: Annotated[int, Field(
        ge=3, le=24, description="pages in host memory, as a power of two; half of them are "
                                 "lower, half upper")] = 8
    slots: Annotated[int, Field(ge=2, le=32, description="items that a page has room for, Z")] = 5
    capacity: Annotated[int, Field(
        ge=1, le=1 << 28, description="keys that the map holds at most, N")] = 512
    beat_width: Annotated[Literal[32, 64, 128, 256, 512], Field(
        description="width of a beat of the host's bus, in bits")] = 512
    page_bits: Annotated[int | None, Field(
        ge=1, description="bits of a page, its padding included; as few whole beats as hold it "
                          "if unset")] = None
    bus: Annotated[Literal["shared", "duplex"], Field(
        description="host bus: reads and writes in turn, or those of adjacent operations at "
                    "once")] = "shared"
    pending_depth: Annotated[int | None, Field(
        ge=1, description="items that may wait for their page; the bound for the traffic of "
                          "random pages if unset")] = None
    allow_fatal: Annotated[bool, Field(
        description="permit a pending_depth below the bound, which ends in FATAL_PENDING")] = False
    merge_budget: Annotated[int | None, Field(
        ge=1, le=32, description="waiting items merged into each page an operation; as many as "
                                 "the interval has time for, 3 at most, if unset")] = None
    index_ways: Annotated[int, Field(
        ge=2, le=8, description="memories of the index, each with one place for a key")] = 4
    index_stash: Annotated[int, Field(
        ge=2, le=16, description="entries that wait for a place in the index")] = 4
    index_hash: Annotated[Literal["drawn", "fixed"], Field(
        description="hash of the index: drawn from random at init, or the same in every "
                    "device")] = "drawn"
    trusted: Annotated[Literal["on_chip", "port"], Field(
        description="trusted memories: in the block, or behind ports of its own, for isolated "
                    "HBM")] = "on_chip"
    trusted_latency: Annotated[int, Field(
        ge=2, le=64, description="cycles from the address of a trusted memory to its word; 2 on "
                                 "the chip")] = 2
    cipher: Annotated[Literal["none", "ascon_aead128"], Field(
        description="none: the host sees the contents, and may change them; ascon_aead128: "
                    "pages are encrypted and authenticated")] = "none"
    cipher_rounds_per_cycle: Annotated[Literal[1, 2, 4], Field(
        description="rounds of the cipher's permutation in a cycle")] = 1
    entropy: Annotated[Literal["stream", "lfsr"], Field(
        description="source of random numbers: a stream, or a linear generator inside, which "
                    "is for tests only, as the trace gives its state away")] = "stream"
    test_mode: Annotated[bool, Field(description="permit entropy = lfsr")] = False
    host_latency_max: Annotated[int, Field(
        ge=1, le=65535, description="cycles that the host, or random, may keep an operation "
                                    "waiting for a beat")] = 1023

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_map()
        self._check_page()
        if self.pending_depth is not None:
            self._check_pending(self.pending_depth)
        if self.merge_budget is not None and self.merge_budget > self.slots:
            raise ConfigError("merge_budget", self.merge_budget,
                              f"be at most slots = {self.slots}", f"set it to {self.slots}")
        if self.trusted == "on_chip" and self.trusted_latency != 2:
            raise ConfigError("trusted_latency", self.trusted_latency,
                              "be 2 for memories on the chip",
                              "leave it unset, or set trusted = port")
        if self.entropy == "lfsr" and not self.test_mode:
            raise ConfigError("entropy", self.entropy, "be stream outside test mode",
                              "the pages in the trace are the random numbers, and give a linear "
                              "generator away; for tests set test_mode = true")
        return self

    def _check_map(self) -> None:
        places = self.pages * self.slots
        if self.capacity * 10 > places * 9:
            raise ConfigError("capacity", self.capacity,
                              f"be at most 0.9 * pages * slots = {places * 9 // 10}",
                              "raise log2_pages or slots")
        if self.slots < self.mean_load + 2:
            raise ConfigError("slots", self.slots,
                              f"be at least {self.mean_load + 2}, two more than the "
                              f"{self.mean_load} items a page of {self.capacity} keys in "
                              f"{self.pages} pages", "raise slots or log2_pages")
        bits = (self.capacity - 1).bit_length()
        if self.key_width < bits:
            raise ConfigError("key_width", self.key_width,
                              f"be at least {bits}, log2 of capacity = {self.capacity}",
                              f"set it to {bits}, or capacity to {1 << self.key_width}")

    def _check_page(self) -> None:
        if self.key_width > self.beat_width:
            raise ConfigError("key_width", self.key_width,
                              f"fit in a beat of {self.beat_width} bits",
                              "set beat_width to "
                              f"{min(w for w in BEAT_WIDTHS if w >= self.key_width)}")
        if self.page_bits is None:
            return
        least = self._least_beats * self.beat_width
        if self.page_bits % self.beat_width:
            whole = ceil(self.page_bits / self.beat_width) * self.beat_width
            raise ConfigError("page_bits", self.page_bits,
                              f"be whole beats of {self.beat_width} bits", f"set it to {whole}")
        if self.page_bits < least:
            raise ConfigError("page_bits", self.page_bits,
                              f"be at least {least}, for {self.slots} slots of "
                              f"{self.tuple_width} bits" + (" and a tag" if self.sealed else ""),
                              f"set it to {least}, or leave it unset")

    def _check_pending(self, depth: int) -> None:
        if depth > self.capacity:
            raise ConfigError("pending_depth", depth, f"be at most capacity = {self.capacity}",
                              "no more keys than that can wait")
        if depth < self.pending_bound and not self.allow_fatal:
            raise ConfigError("pending_depth", depth,
                              f"be at least {self.pending_bound}, which random pages keep to",
                              f"set it to {self.pending_bound}, or to capacity = {self.capacity}, "
                              "which cannot fail, or set allow_fatal")

    @property
    def pages(self) -> int:
        """Pages in host memory, B."""
        return 1 << self.log2_pages

    @property
    def half_bits(self) -> int:
        """Bits of a page's number in its half."""
        return self.log2_pages - 1

    @property
    def mean_load(self) -> int:
        """Items a page at capacity, rounded up, c."""
        return ceil(self.capacity / self.pages)

    @property
    def tuple_width(self) -> int:
        """Bits of an item: key, then value."""
        return self.key_width + self.value_width

    @property
    def sealed(self) -> bool:
        """Whether pages are encrypted and carry a tag."""
        return self.cipher != "none"

    @property
    def lanes(self) -> int:
        """Slots that start in one beat, T."""
        return min(self.slots, max(1, self.beat_width // self.tuple_width))

    @property
    def parts(self) -> int:
        """Beats of a slot, Q; 1 where a beat holds several slots."""
        return ceil(self.tuple_width / self.beat_width)

    @property
    def appends(self) -> bool:
        """Whether waiting items are stored after a page's beats, not among them."""
        return self.parts == 1

    @property
    def slot_beats(self) -> int:
        """Beats of a page that hold slots."""
        return ceil(self.slots / self.lanes) * self.parts

    @property
    def _least_beats(self) -> int:
        if not self.sealed:
            return self.slot_beats
        if self.parts == 1:
            in_last = self.slots - (self.slot_beats - 1) * self.lanes
            used = in_last * self.tuple_width
        else:
            used = self.tuple_width - (self.parts - 1) * self.beat_width
        bits = (self.slot_beats - 1) * self.beat_width + used + TAG_BITS
        return ceil(bits / self.beat_width)

    @property
    def beats(self) -> int:
        """Beats of a page, P."""
        return self.page_bits // self.beat_width if self.page_bits else self._least_beats

    @property
    def host_bytes(self) -> int:
        """Bytes over the host bus an operation: two pages read, two written."""
        return 4 * self.beats * self.beat_width // 8

    @property
    def pending_bound(self) -> int:
        """Items that wait, at most, under random pages.

        B/2 on average, as an item waits for its page, and page x is read every B/2 operations;
        5 sqrt(B) above it; and what a page's `merge_budget` leaves behind, the tail of a
        geometric distribution with mean 1/2. No more than capacity.
        """
        left = ceil(0.6 * self.pages / 3 ** self.merges)
        return min(self.capacity, self.pages // 2 + left + ceil(5 * isqrt(self.pages)))

    @property
    def pending(self) -> int:
        """Items that may wait for their page."""
        return self.pending_depth if self.pending_depth is not None else self.pending_bound

    @property
    def pending_entries(self) -> int:
        """Entries of the pending buffer: one to spare, so that the item which is one too many
        is kept, too."""
        return self.pending + 1

    @property
    def pointer_bits(self) -> int:
        """Bits of an entry's number in the pending buffer."""
        return max(1, (self.pending_entries - 1).bit_length())

    @property
    def load_bits(self) -> int:
        """Bits of a count of keys."""
        return self.capacity.bit_length()

    @property
    def pending_bits(self) -> int:
        """Bits of a count of waiting items."""
        return self.pending_entries.bit_length()

    @property
    def version_bits(self) -> int:
        """Bits of a page's version; 0 without cipher."""
        return VERSION_BITS if self.sealed else 0

    @property
    def record_bits(self) -> int:
        """Bits of a page's trusted record: slots in use, list of waiting items, load, version."""
        return self.slots + self.pointer_bits + 1 + self.load_bits + self.version_bits

    @property
    def index_bits(self) -> int:
        """Bits of an address in a way of the index."""
        most = STEP_FAILS ** (1 / self.index_ways)
        return max(2, (ceil(self.capacity / (self.index_ways * most)) - 1).bit_length())

    @property
    def hash_bits(self) -> int:
        """Bits of each Toeplitz hash: in a small index more than an address has, so that few
        keys have the same two."""
        return max(8, self.index_bits)

    @property
    def entry_bits(self) -> int:
        """Bits of an entry of the index: valid, key, pair, which of the two, pending entry."""
        return 1 + self.key_width + 2 * self.half_bits + 1 + self.pointer_bits

    @property
    def memories(self) -> dict[str, tuple[int, int]]:
        """Words and bits a word of the trusted memories that may be behind ports, by name: the
        ways of the index, the records of either half of the pages, the items that wait, and
        the links of their lists."""
        ways = {f"way{way}": (1 << self.index_bits, self.entry_bits)
                for way in range(self.index_ways)}
        records = (self.pages // 2, self.record_bits)
        return {**ways, "lower": records, "upper": records,
                "items": (self.pending_entries, self.tuple_width),
                "next": (self.pending_entries, self.pointer_bits + 1),
                "prev": (self.pending_entries, self.pointer_bits)}

    @property
    def listed_bits(self) -> int:
        """Bits that tell which entries of the pending buffer are in a list; always on the chip.
        With the cipher they are not needed."""
        return 0 if self.sealed else self.pending_entries

    @property
    def trusted_bits(self) -> int:
        """Bits of all trusted memories."""
        return sum(words * bits for words, bits in self.memories.values()) + self.listed_bits

    @property
    def seed_bits(self) -> int:
        """Bits of the hash's seed: the diagonals of two Toeplitz matrices."""
        return 2 * (self.key_width + self.hash_bits - 1)

    @property
    def fixed_seed(self) -> int:
        """The seed of ``index_hash = fixed``."""
        octets = shake_256(b"pimlico omap index").digest(ceil(self.seed_bits / 8))
        return int.from_bytes(octets, "little") & (1 << self.seed_bits) - 1

    @property
    def secret_bits(self) -> int:
        """Bits drawn at init: the hash's seed, if drawn, then the cipher's key."""
        return (self.seed_bits if self.index_hash == "drawn" else 0) \
            + (KEY_BITS if self.sealed else 0)

    @property
    def random_bits(self) -> int:
        """Bits of a draw."""
        return 4 * self.half_bits

    @property
    def init_draws(self) -> int:
        """Draws at init."""
        return ceil(self.secret_bits / self.random_bits)

    @property
    def clear_words(self) -> int:
        """Cycles in which init empties the trusted memories, a word of each a cycle."""
        return max(1 << self.index_bits, self.pages // 2, self.pending_entries)

    @property
    def relocation_cycles(self) -> int:
        """Cycles of a relocation step: choose, hash, read, decide, write."""
        return self.trusted_latency + 4

    @property
    def relocated(self) -> int:
        """Cycle of a lookup, counted from its reads, in which the index may be written."""
        return RELOCATIONS * self.relocation_cycles

    @property
    def merges(self) -> int:
        """Waiting items merged into each page an operation, K."""
        if self.merge_budget is not None:
            return self.merge_budget
        enough = 2 if self.bus == "shared" else 3
        return min(self.slots, 3 if self.beats >= enough or not self.appends else 2)

    @property
    def fetched(self) -> int:
        """Earliest cycle of an operation, counted from its launch, to decide its commit: in the
        next, its first step, all waiting items of the lower page are known."""
        return self.trusted_latency * (self.merges + 1) + 1

    @property
    def arrives(self) -> int:
        """Cycle of an operation in which its first beat may be taken.

        Where waiting items are stored after the beats, only the record of the page must be
        there. Else item k must have been fetched before the beats of the k-th slot.
        """
        latency = self.trusted_latency
        if self.appends:
            return latency
        return max(latency * (k + 2) + 2 - k * self.parts for k in range(self.merges))

    @property
    def walk_may_last(self) -> bool:
        """Whether pages may be opened before all waiting items are fetched: an operation that is
        aborted must then wait. Without a cipher it always does."""
        return self.sealed and self._bus_cycles(1)[0] <= self.fetched + 1

    @property
    def watch_bits(self) -> int:
        return self.host_latency_max.bit_length()

    def host_cycles(self, latency: int = 1) -> int:
        """Cycles from the launch of an operation to that of the next, never stalled.

        Exactly so many between operations that follow each other at once, unless a page that
        is still to be written is to be read again. The next command is looked up once both pages
        are read, and launched once what waited is merged into them and, on a shared bus, they
        are written.

        Parameters
        ----------
        latency : int
            Cycles from a read request to its page's first beat, at least 1; the beats of both
            pages follow one a cycle.
        """
        read, gone = self._bus_cycles(latency)
        merging = 2 * self.merges if self.appends else 0
        commit = max(read, self.fetched)
        departs = max(commit, read + merging - 2, self.fetched + self.appends)
        cycles = max(read + self.trusted_latency + 4, commit + COMMIT_STEPS + 1, read + merging,
                     self.relocated + 1)
        if self.bus == "duplex":
            return cycles
        return max(cycles, departs + gone)

    def _bus_cycles(self, latency: int) -> tuple[int, int]:
        """Cycle of an operation in which both pages are read, and cycles to write them."""
        if not self.sealed:
            return max(self.arrives, 1 + latency) + 2 * self.beats + 1, 2 * self.beats + 2
        page = PageShape(self.beat_width, self.beats, self.log2_pages, self.version_bits,
                         self.cipher_rounds_per_cycle)
        of_block = max(1, BLOCK_BITS // self.beat_width)
        # a beat that was opened waits for its slot while the next one is being opened
        waits = max(1, max(1, self.beat_width // BLOCK_BITS) * SHORT
                    // self.cipher_rounds_per_cycle - of_block)
        first = self.trusted_latency + 2 + (LONG + 2 * SHORT) // self.cipher_rounds_per_cycle
        late = max(0, latency + of_block - first, self.arrives - first - waits)
        begin = self.trusted_latency + 4
        return begin + 2 * page.interval + of_block + late, 2 * page.interval + 2 + of_block

    @property
    def interval(self) -> int:
        """Cycles between two operations at a host that answers in the next cycle."""
        return self.host_cycles()

    @property
    def latency(self) -> int:
        """Cycles from the last write beat to the response."""
        return 1

    @property
    def ports(self) -> tuple[Port, ...]:
        key = Slice("key", self.key_width)
        beat = Slice("data", self.beat_width)
        half = self.half_bits
        ports: list[Port] = [
            Stream("cmd", "in", (
                Slice("op", OP_BITS, doc="0 nop, 1 get, 2 put, 3 del"), key,
                Slice("value", self.value_width, doc="of put")), "one beat an operation"),
        ]
        if self.entropy == "stream":
            ports.append(Stream("random", "in", (
                Slice("miss_a", half, doc="lower page, if the key has none"),
                Slice("miss_b", half, doc="upper page, if the key has none"),
                Slice("new_a", half, doc="the key's next lower page"),
                Slice("new_b", half, doc="the key's next upper page")),
                f"uniform and secret; one beat an operation, and {self.init_draws} at init"))
        ports += [
            Stream("req", "out", (
                Slice("page", self.log2_pages, doc="upper half with the top bit"),
                Slice("write", 1)), f"a page of {self.beats} beats, to be served in order"),
            Stream("wdata", "out", (beat, Slice("last", 1, doc="last beat of the page")),
                   "beats of the pages to write"),
            Stream("rdata", "in", (beat, Slice("last", 1, doc="last beat of the page")),
                   "beats of the pages read"),
            Stream("rsp", "out", (
                Slice("status", STATUS_BITS), Slice("found", 1, doc="the key was there"),
                Slice("value", self.value_width,
                      doc="get and del: what was found, else 0; put: what was put")),
                   "one beat an operation"),
            Wire("init", "in", 1, "empty the map, between operations"),
            Wire("ready", "out", 1, "initialised"),
            Wire("drain", "in", 1, "after a fatal status: run every command as a del"),
            Wire("fatal", "out", STATUS_BITS, "first fatal status since init, 0 when none"),
            Wire("live", "out", self.load_bits, "keys in the map; secret"),
            Wire("pending", "out", self.pending_bits, "items that wait for their page; secret"),
            Wire("stash", "out", self.index_stash.bit_length(),
                 "entries that wait for a place in the index; secret"),
        ]
        if self.trusted == "port":
            for name, (words, bits) in self.memories.items():
                ports += _memory_port(name, words, bits)
        return tuple(ports)


def _memory_port(name: str, words: int, bits: int) -> list[Port]:
    """The wires of a trusted memory behind a port."""
    enable, write, group = f"{name}_enable", f"{name}_write", "trusted memories"
    return [
        Wire(enable, "out", 1, f"read a word of {words}, or write it", group=group),
        Wire(write, "out", 1, "write, with enable", group=group),
        Wire(f"{name}_address", "out", (words - 1).bit_length(), f"below {words}", enable, group),
        Wire(f"{name}_data", "out", bits, "the word to write", write, group),
        Wire(f"{name}_q", "in", bits, "the word that was read last", group=group),
    ]
