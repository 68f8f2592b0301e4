"""Parameters of the OMAP cache controller, and every number derived from them."""

from __future__ import annotations

from pimlico.hdl.ascon.config import BLOCK_BITS, LONG, SHORT, PageShape
from pimlico.hdl.common.ports import Field, Port, Stream, Wire

from .legal import Legal
from .parameters import BEAT_WIDTHS
from .sizes import KEY_BITS, TAG_BITS, VERSION_BITS

__all__ = ["BEAT_WIDTHS", "COMMIT_STEPS", "DEL", "FATAL_INDEX", "FATAL_PENDING", "FATAL_TAMPER",
           "FULL", "GET", "HOST_PROTOCOL", "KEY_BITS", "MISS", "NOP", "OK", "OPS", "OP_BITS",
           "PUT", "RAND_UNDERRUN", "RELOCATIONS", "STATUS", "STATUS_BITS", "TAG_BITS",
           "VERSION_BITS", "OmapConfig"]

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

RELOCATIONS = 2
"""Relocation steps of the index an operation: one more than a new key needs on average."""

COMMIT_STEPS = 4


class OmapConfig(Legal):
    """Oblivious key-value map: its trace in host memory says nothing of keys or operations.

    A trusted index maps each key to a pair of random pages, one in either half of the host's
    pages. Every operation reads one pair and writes it back, and gives the key a fresh pair.
    Source: BOLT, arXiv 2509.01742.
    """

    @property
    def relocation_cycles(self) -> int:
        """Cycles of a relocation step: choose, hash, read, decide, write."""
        return self.trusted_latency + 4

    @property
    def relocated(self) -> int:
        """Cycle of a lookup, counted from its reads, in which the index may be written."""
        return RELOCATIONS * self.relocation_cycles

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
        key = Field("key", self.key_width)
        beat = Field("data", self.beat_width)
        half = self.half_bits
        ports: list[Port] = [
            Stream("cmd", "in", (
                Field("op", OP_BITS, doc="0 nop, 1 get, 2 put, 3 del"), key,
                Field("value", self.value_width, doc="of put")), "one beat an operation"),
        ]
        if self.entropy == "stream":
            ports.append(Stream("random", "in", (
                Field("miss_a", half, doc="lower page, if the key has none"),
                Field("miss_b", half, doc="upper page, if the key has none"),
                Field("new_a", half, doc="the key's next lower page"),
                Field("new_b", half, doc="the key's next upper page")),
                f"uniform and secret; one beat an operation, and {self.init_draws} at init"))
        ports += [
            Stream("req", "out", (
                Field("page", self.log2_pages, doc="upper half with the top bit"),
                Field("write", 1)), f"a page of {self.beats} beats, to be served in order"),
            Stream("wdata", "out", (beat, Field("last", 1, doc="last beat of the page")),
                   "beats of the pages to write"),
            Stream("rdata", "in", (beat, Field("last", 1, doc="last beat of the page")),
                   "beats of the pages read"),
            Stream("rsp", "out", (
                Field("status", STATUS_BITS), Field("found", 1, doc="the key was there"),
                Field("value", self.value_width,
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
