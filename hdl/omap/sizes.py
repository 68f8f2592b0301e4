"""How large things are in the OMAP cache controller: pages, entries, memories."""

from __future__ import annotations

from hashlib import shake_256
from math import ceil, isqrt

from .parameters import OmapParameters

TAG_BITS = 128
KEY_BITS = 128
VERSION_BITS = 48

STEP_FAILS = 0.13
"""Greatest chance that a relocation step finds all its places taken, which bounds the load."""


class Sizes(OmapParameters):
    """Numbers that follow from the parameters, but no cycles."""

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
    def merges(self) -> int:
        """Waiting items merged into each page an operation, K."""
        if self.merge_budget is not None:
            return self.merge_budget
        enough = 2 if self.bus == "shared" else 3
        return min(self.slots, 3 if self.beats >= enough or not self.appends else 2)
