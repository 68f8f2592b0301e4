"""When the page cipher gives what: its cycle contract in plain Python."""

from __future__ import annotations

from collections.abc import Mapping

from .sponge import BLOCK_BITS, WORD, Sponge

_BLOCK_MASK = (1 << BLOCK_BITS) - 1

BEGIN, NONCE, AD, TEXT, TAG, CHECK = range(6)
"""What the page waits for: a start, or the end of the permutation that is named so: after which
the associated data, their padding, a block of text, the key are added; or its tag's place."""


class PageCipherCycles:
    """Cycle model of ``PageCipher``, with the same parameters.

    Ports are ``start_valid``, ``start_payload``, ``start_ready`` and so on, and ``key``. No
    output depends on an input of the same cycle.
    """

    def __init__(self, beat_width: int, beats: int, address_bits: int, version_bits: int,
                 rounds_per_cycle: int, decrypt: bool):
        self.beat_width, self.decrypt = beat_width, decrypt
        self.address_bits = address_bits
        self.blocks, self.tail = divmod(beats * beat_width - BLOCK_BITS, BLOCK_BITS)
        self.block_beats = max(1, BLOCK_BITS // beat_width)
        self.beat_blocks = max(1, beat_width // BLOCK_BITS)
        self._sponge = Sponge(rounds_per_cycle)
        self.reset()

    def reset(self) -> None:
        self._phase = BEGIN
        self._sponge.reset()
        self._block = 0  # blocks of text added so far
        self._gathered: list[int] = []  # beats of the block to come
        self._part = 0  # of a wide beat on source, the block to come
        self._coming: list[int] = []  # beats on result, or the blocks of a wide one
        self._verdict: int | None = None

    @property
    def idle(self) -> bool:
        """True when nothing that was accepted is still to come out."""
        return (self._phase == BEGIN and not self._gathered and not self._coming
                and self._verdict is None)

    def outputs(self, inputs: Mapping[str, int]) -> dict[str, int]:
        """Every output port in this cycle; payloads only where valid."""
        values = {
            "start_ready": int(self._phase == NONCE and not self._sponge.left),
            "source_ready": int(self._source_ready()),
            "result_valid": int(self._full),
        }
        if self._full:
            values["result_payload"] = self._result
        if self.decrypt:
            values["verdict_valid"] = int(self._verdict is not None)
            if self._verdict is not None:
                values["verdict_payload"] = self._verdict
        return values

    def tick(self, inputs: Mapping[str, int]) -> None:
        """The clock edge that ends a cycle in which `inputs` stood at the ports."""
        block = self._take(inputs)
        given = self._full and inputs["result_ready"]
        if self.decrypt and inputs["verdict_ready"]:
            self._verdict = None
        if given:
            del self._coming[:self.beat_blocks]
        self._advance(inputs, block)

    # what comes in

    @property
    def _final(self) -> bool:
        """The block to come is the padded one."""
        return self._block == self.blocks and self._phase not in (TAG, CHECK)

    @property
    def _blank(self) -> bool:
        """It has no text."""
        return self._final and not self.tail

    @property
    def _wanted(self) -> bool:
        """The block to come is taken in this cycle, if it is there."""
        if self._phase == TEXT:
            return not self._sponge.left and (self._blank or not self._full)
        return self._phase == CHECK and not self._full and self._verdict is None

    def _padding(self) -> bool:
        return self._final and len(self._gathered) * self.beat_width >= self.tail

    def _source_ready(self) -> bool:
        if self._padding():
            return False
        if self._ends_block:
            return self._wanted and self._part == self.beat_blocks - 1
        return True

    @property
    def _ends_block(self) -> bool:
        return len(self._gathered) == self.block_beats - 1

    def _take(self, inputs: Mapping[str, int]) -> int | None:
        """Take a beat of source, or padding; returns the block that is taken with it."""
        padding = self._padding()
        if not (padding or inputs["source_valid"]):
            return None
        if self._ends_block and not self._wanted:
            return None
        if padding:
            beat = int(len(self._gathered) * self.beat_width == self.tail)
        else:
            beat = inputs["source_payload"]
        if self.beat_blocks > 1 and not padding:
            beat = beat >> self._part * BLOCK_BITS & _BLOCK_MASK
            self._part = (self._part + 1) % self.beat_blocks
        self._gathered.append(beat)
        if len(self._gathered) < self.block_beats:
            return None
        block = 0
        for beat in reversed(self._gathered):
            block = block << self.beat_width | beat
        self._gathered.clear()
        return block

    # what goes out

    @property
    def _full(self) -> bool:
        return len(self._coming) >= self.beat_blocks

    @property
    def _result(self) -> int:
        beat = 0
        for block in reversed(self._coming[:self.beat_blocks]):
            beat = beat << BLOCK_BITS | block
        return beat

    def _give(self, block: int, bits: int) -> None:
        step = min(self.beat_width, BLOCK_BITS)
        mask = (1 << step) - 1
        self._coming += [block >> at & mask for at in range(0, bits, step)]

    # the sponge

    def _advance(self, inputs: Mapping[str, int], block: int | None) -> None:
        sponge, phase = self._sponge, self._phase
        if phase == BEGIN:
            self._begin(inputs)
        elif phase == CHECK:
            if block is not None:
                self._check(block)
                self._begin(inputs)
        elif sponge.left:
            sponge.left -= 1
        elif phase == NONCE:
            sponge.end(self._nonce(inputs["start_payload"]), key_high=inputs["key"])
            self._phase = AD
        elif phase == AD:
            sponge.end(1)
            self._phase = TEXT
        elif phase == TAG:
            sponge.end(key_high=inputs["key"])
            self._phase = CHECK
        elif block is not None:
            self._text(block, inputs["key"])

    def _begin(self, inputs: Mapping[str, int]) -> None:
        self._phase = BEGIN
        if inputs["start_valid"]:
            self._sponge.load(inputs["key"], self._nonce(inputs["start_payload"]))
            self._phase = NONCE

    def _nonce(self, payload: int) -> int:
        address = payload & (1 << self.address_bits) - 1
        return payload >> self.address_bits << WORD | address

    def _text(self, block: int, key: int) -> None:
        sponge, final = self._sponge, self._final
        sponge.end(block, key_low=key if final else 0, separate=not self._block, long=final)
        bits = self.tail if final else BLOCK_BITS
        if bits:
            self._give(sponge.block, bits)
        if self.decrypt:
            sponge.replace(block, (1 << bits) - 1)
        self._block += 1
        self._phase = TAG if final else TEXT

    def _check(self, block: int) -> None:
        tag = self._sponge.tag
        if self.decrypt:
            self._verdict = int(block == tag)
            tag = 0
        self._give(tag, BLOCK_BITS)
        self._block = 0
