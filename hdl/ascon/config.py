"""Parameters of Ascon-AEAD128 blocks, and every number derived from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from pimlico.hdl.common.config import BlockConfig, ConfigError
from pimlico.hdl.common.ports import Field as Slice
from pimlico.hdl.common.ports import Port, Stream, Wire

LONG, SHORT = 12, 8
"""Rounds of the permutation at the ends of a message, and between its blocks."""

BLOCK_BITS = TAG_BITS = 128
BEAT_WIDTHS = (32, 64, 128, 256, 512)
ROUNDS_PER_CYCLE = (1, 2, 4)
FIELD_BITS = 64
"""Most bits of a page's address, and of its version."""

CODE_BITS = 2
WRONG_TAG, MALFORMED = 1, 2
STATUS = {
    0: "ok",
    WRONG_TAG: "the tag is not that of the message: its text is not to be used",
    MALFORMED: "a beat of ad or text says more bytes than it has, or fewer and is not the last: "
               "the message has no tag, its result is not to be used",
}

_LEAST_TEXT = 32


@dataclass(frozen=True)
class PageShape:
    """Sizes of the pages of a page cipher, and how fast they go.

    Parameters
    ----------
    beat_width : int
        Bits of a beat: 32, 64, 128, 256 or 512.
    beats : int
        Of a page: the tag of 128 bits, and 32 bits of text or more.
    address_bits, version_bits : int
        1 to 64 each.
    rounds_per_cycle : int
        1, 2 or 4.

    Raises
    ------
    ValueError
        That names the parameter, its value and what is legal.
    """

    beat_width: int
    beats: int
    address_bits: int
    version_bits: int
    rounds_per_cycle: int

    def __post_init__(self) -> None:
        if self.beat_width not in BEAT_WIDTHS:
            raise ValueError(f"beat_width must be one of {BEAT_WIDTHS}, not {self.beat_width}")
        least = -(-(TAG_BITS + _LEAST_TEXT) // self.beat_width)
        if self.beats < least:
            raise ValueError(f"beats must be at least {least} of {self.beat_width} bits, "
                             f"not {self.beats}")
        for name in ("address_bits", "version_bits"):
            if not 1 <= getattr(self, name) <= FIELD_BITS:
                raise ValueError(f"{name} must be 1 to {FIELD_BITS}, not {getattr(self, name)}")
        if self.rounds_per_cycle not in ROUNDS_PER_CYCLE:
            raise ValueError(f"rounds_per_cycle must be one of {ROUNDS_PER_CYCLE}, "
                             f"not {self.rounds_per_cycle}")

    @property
    def text_bits(self) -> int:
        """Bits of a page before the tag."""
        return self.beat_width * self.beats - TAG_BITS

    @property
    def blocks(self) -> int:
        """Whole blocks of text."""
        return self.text_bits // BLOCK_BITS

    @property
    def tail(self) -> int:
        """Bits of text after the whole blocks."""
        return self.text_bits % BLOCK_BITS

    @property
    def interval(self) -> int:
        """Cycles from page to page, never stalled.

        Between blocks the rounds set the pace, or with beats of 32 and 64 bits, of which a
        block takes several, and one cycle more to give them out, those.
        """
        long, short = LONG // self.rounds_per_cycle, SHORT // self.rounds_per_cycle
        ends = 1 + 2 * long + 2 * short
        if not self.blocks:
            return ends
        beats = BLOCK_BITS // self.beat_width
        if beats < 2:
            return ends + self.blocks * short
        return (ends + (self.blocks - 1) * max(short, beats + 1)
                + max(short, beats + (self.tail > 0)))


class AsconConfig(BlockConfig):
    """Ascon-AEAD128 on messages of any number of bytes, a command each.

    Encrypts and gives a tag, or decrypts and checks one; associated data and text come as
    packets. Source: NIST SP 800-232, Ascon-Based Lightweight Cryptography Standards for
    Constrained Devices.
    """

    block: ClassVar[str] = "ascon-aead128"

    rounds_per_cycle: Annotated[int, Field(
        ge=1, le=4, description="rounds of the permutation in a cycle: 1, 2 or 4")] = 1
    beat_bits: Annotated[int, Field(
        ge=32, le=128,
        description="data of a beat of ad, text and result, in bits: 32, 64 or 128")] = 32
    mode: Annotated[Literal["both", "encrypt", "decrypt"], Field(
        description="what it does: either, as the command says, or one alone")] = "both"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.rounds_per_cycle not in ROUNDS_PER_CYCLE:
            raise ConfigError("rounds_per_cycle", self.rounds_per_cycle,
                              "divide 12 and 8: 1, 2 or 4", "set it to 2 or 4")
        if self.beat_bits & (self.beat_bits - 1):
            nearest = 64 if self.beat_bits < 128 - 32 else 128
            raise ConfigError("beat_bits", self.beat_bits, "be 32, 64 or 128",
                              f"set it to {nearest}")
        return self

    @property
    def beat_bytes(self) -> int:
        return self.beat_bits // 8

    @property
    def block_beats(self) -> int:
        """Beats of a block of 128 bits."""
        return BLOCK_BITS // self.beat_bits

    @property
    def size_bits(self) -> int:
        """Bits of a beat's number of bytes."""
        return self.beat_bytes.bit_length()

    @property
    def encrypts(self) -> bool:
        return self.mode != "decrypt"

    @property
    def decrypts(self) -> bool:
        return self.mode != "encrypt"

    @property
    def long(self) -> int:
        """Cycles of the permutation at the ends of a message."""
        return LONG // self.rounds_per_cycle

    @property
    def short(self) -> int:
        """Cycles of the permutation between blocks."""
        return SHORT // self.rounds_per_cycle

    @property
    def latency(self) -> int:
        """Cycles from the last beat of a block of text to the first of its result."""
        return 1

    @property
    def block_cycles(self) -> int:
        """Cycles from block to block of a long text, never stalled."""
        return max(self.short, self.block_beats + (self.block_beats > 1))

    @property
    def interval(self) -> int:
        """Cycles a beat of a long text, never stalled, rounded up."""
        return -(-self.block_cycles // self.block_beats)

    def message_cycles(self, ad_bytes: int, text_bytes: int, decrypt: bool = False) -> int:
        """Cycles from a message's command to that of the next one, never stalled.

        The command waits for the message before it, everything else is on offer as it is
        wanted, and packets end with their last byte.
        """
        gather = self.block_beats
        ad_blocks = ad_bytes // (BLOCK_BITS // 8) + 1 if ad_bytes else 0
        whole = text_bytes // (BLOCK_BITS // 8)
        first = max(self.long, gather)
        if not ad_bytes:  # the beat that says so takes a cycle
            first = max(self.long, gather + 1) if gather > 1 else self.long + 1
        return (first + ad_blocks * max(self.short, gather) + whole * self.block_cycles
                + self.long + 1 + decrypt)

    @property
    def ports(self) -> tuple[Port, ...]:
        command = [Slice("key", 128, doc="first byte in the low bits"),
                   Slice("nonce", 128, doc="never twice with one key")]
        if self.mode == "both":
            command.append(Slice("decrypt", 1, doc="1: text is cipher, and there is a tag"))
        data = (Slice("data", 8, self.beat_bytes, doc="bytes in order"),
                Slice("bytes", self.size_bits, doc="how many there are: all, but in the last beat"),
                Slice("last", 1, doc="last beat of the packet"))
        ports: list[Port] = [
            Stream("cmd", "in", tuple(command), "one beat a message, held until its tag is made"),
            Stream("ad", "in", data, "a packet a message: its associated data, which may be "
                                     "none in one beat of 0 bytes"),
            Stream("text", "in", data, "a packet a message: plaintext or cipher; may be none too"),
        ]
        if self.decrypts:
            ports.append(Stream("tag", "in", (
                Slice("tag", TAG_BITS, doc="first byte in the low bits"),),
                "one beat a message that is decrypted: the tag to check"))
        done = [Slice("code", CODE_BITS, doc="status code of the message")]
        if self.encrypts:
            done.insert(0, Slice("tag", TAG_BITS,
                                 doc="of a message that was encrypted without error; else 0"))
        ports += [
            Stream("result", "out", data, "cipher, or plaintext before its tag is checked; a "
                                          "beat for a beat of text"),
            Stream("done", "out", tuple(done), "end of a message"),
            Wire("status", "out", CODE_BITS, "first code other than 0 since cleared, 0 when none"),
            Wire("status_clear", "in", 1, "forget it"),
        ]
        return tuple(ports)
