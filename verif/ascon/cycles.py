"""When the Ascon-AEAD128 core gives what: its cycle contract in plain Python."""

from __future__ import annotations

from typing import NamedTuple

from pimlico.hdl.ascon.config import MALFORMED, WRONG_TAG, AsconConfig
from pimlico.verif.model import CycleModel, Values

from .sponge import Sponge

BEGIN, NONCE, DATA, TAG, CHECK, DONE = range(6)


class Block(NamedTuple):
    """A block that is taken: its padded data, and what of it are bytes of the packet."""

    data: int
    bytes: int
    sizes: list[int]
    """Bytes of each beat that it came in."""
    last: bool
    """The last of them ended the packet."""
    final: bool


class AsconCycles(CycleModel):
    """Cycle model of ``ascon-aead128``.

    A message's permutations follow each other without a gap; each but the last ends when the
    block is there that is added to its result, and with a block of text once the result of the
    block before has gone. No output depends on an input of the same cycle.
    """

    config: AsconConfig

    def __init__(self, config: AsconConfig):
        super().__init__(config)
        self._sponge = Sponge(config.rounds_per_cycle)
        self._command = config.port("cmd")
        self._beat = config.port("text")
        self._done = config.port("done")
        self._data_bits = config.beat_bits
        self._size_mask = (1 << config.size_bits) - 1
        self.reset()

    def reset(self) -> None:
        self._sponge.reset()
        self._phase = BEGIN
        self._decrypt = self._faulty = self._wrong = False
        self._status = 0
        self._text_begun = False  # a block of text has been added
        self._next_packet()
        self._of_text = False
        self._coming: list[int] = []  # beats on result

    def _next_packet(self) -> None:
        self._begun = False  # a beat of the packet has been taken
        self._over = False  # the last one has
        self._next_block()

    def _next_block(self) -> None:
        self._beats = 0  # taken of the block, padding included
        self._data = self._bytes = 0
        self._sizes: list[int] = []
        self._padded = False

    @property
    def idle(self) -> bool:
        return self._phase == BEGIN and not self._coming

    @property
    def _open(self) -> bool:
        return self._phase in (NONCE, DATA)

    @property
    def _wanted(self) -> bool:
        return self._open and not self._sponge.left and not (self._of_text and self._coming)

    @property
    def _ready(self) -> bool:
        """The packet's next beat is taken."""
        if not self._open or self._over:
            return False
        return self._beats < self.config.block_beats - 1 or self._wanted

    def outputs(self, inputs: Values) -> dict[str, int]:
        ready = self._ready
        values = {
            "cmd_ready": int(self._phase == TAG and not self._sponge.left),
            "ad_ready": int(ready and not self._of_text),
            "text_ready": int(ready and self._of_text),
            "result_valid": int(bool(self._coming)),
            "done_valid": int(self._phase == DONE),
            "status": self._status,
        }
        if self.config.decrypts:
            values["tag_ready"] = int(self._phase == CHECK)
        if self._coming:
            values["result_payload"] = self._coming[0]
        if self._phase == DONE:
            fields = {"code": self._code}
            if self.config.encrypts:
                given = not self._decrypt and not self._faulty
                fields["tag"] = self._sponge.tag if given else 0
            values["done_payload"] = self._done.pack(fields)
        return values

    @property
    def _code(self) -> int:
        return MALFORMED if self._faulty else WRONG_TAG if self._wrong else 0

    def tick(self, inputs: Values) -> None:
        given = bool(self._coming) and inputs["result_ready"]
        ended = self._phase == DONE and inputs["done_ready"]
        if not self._status or inputs["status_clear"]:
            self._status = self._code if ended else 0
        if self._phase == BEGIN or ended:
            self._begin(inputs)
        elif self._open:
            self._run(inputs)
        elif self._phase == TAG:
            self._make_tag(inputs)
        elif self._phase == CHECK and inputs["tag_valid"]:
            self._wrong = inputs["tag_payload"] != self._sponge.tag
            self._phase = DONE
        if given:
            del self._coming[0]

    def _begin(self, inputs: Values) -> None:
        self._phase = BEGIN
        if not inputs["cmd_valid"]:
            return
        command = self._command.unpack(inputs["cmd_payload"])
        self._sponge.load(command["key"], command["nonce"])
        self._decrypt = bool(command.get("decrypt", self.config.mode == "decrypt"))
        self._faulty = self._wrong = self._text_begun = False
        self._phase = NONCE

    def _make_tag(self, inputs: Values) -> None:
        if self._sponge.left:
            self._sponge.left -= 1
            return
        key = self._command.unpack(inputs["cmd_payload"])["key"]
        self._sponge.end(key_high=key)
        self._phase = CHECK if self._decrypt else DONE

    # blocks

    def _run(self, inputs: Values) -> None:
        block = self._take(inputs)
        if self._sponge.left:
            self._sponge.left -= 1
        elif block is not None:
            self._add(block, self._command.unpack(inputs["cmd_payload"])["key"])

    def _take(self, inputs: Values) -> Block | None:
        """Take a beat of the packet, or of its padding; returns the block it completes."""
        ends = self._beats == self.config.block_beats - 1
        if self._over:
            if ends and not self._wanted:
                return None
            beat, size = int(not self._padded), 0
            self._padded = True
        else:
            name = "text" if self._of_text else "ad"
            if not (self._ready and inputs[f"{name}_valid"]):
                return None
            payload = inputs[f"{name}_payload"]
            size, last = self._size(payload >> self._data_bits)
            if last and not size and not self._of_text and not self._begun:
                self._of_text = True  # no associated data: no block
                return None
            beat = payload & (1 << 8 * size) - 1
            if size < self.config.beat_bytes:
                beat |= 1 << 8 * size
                self._padded = True
            self._begun, self._over = True, last
            self._sizes.append(size)
        self._data |= beat << self._beats * self._data_bits
        self._bytes += size
        self._beats += 1
        if not ends:
            return None
        block = Block(self._data, self._bytes, self._sizes, self._over, self._padded)
        self._next_block()
        if block.final:
            self._next_packet()
        return block

    def _size(self, said: int) -> tuple[int, bool]:
        """Bytes of a beat, and whether it is the last, from what it says of itself."""
        size, last = said & self._size_mask, bool(said >> self.config.size_bits)
        whole = self.config.beat_bytes
        if size > whole or (size < whole and not last):
            self._faulty = True
        return (min(size, whole) if last else whole), last

    def _add(self, block: Block, key: int) -> None:
        sponge, text = self._sponge, self._of_text
        ends_text = text and block.final
        sponge.end(block.data, key_low=key if ends_text else 0,
                   key_high=key if self._phase == NONCE else 0,
                   separate=text and not self._text_begun, long=ends_text)
        self._phase = TAG if ends_text else DATA
        if text:
            self._text_begun = True
            mask = (1 << 8 * block.bytes) - 1
            self._give(sponge.block & mask, block)
            if self._decrypt:
                sponge.replace(block.data, mask)
        if block.final:
            self._of_text = not text

    def _give(self, data: int, block: Block) -> None:
        """The beats of a block of text on result."""
        mask = (1 << self._data_bits) - 1
        for number, size in enumerate(block.sizes):
            last = block.last and number == len(block.sizes) - 1
            beat = data >> number * self._data_bits & mask
            self._coming.append(
                beat | (last << self.config.size_bits | size) << self._data_bits)
