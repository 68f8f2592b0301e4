"""Parameters of the KV history buffer, and every number derived from them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from pimlico.hdl.common.config import BlockConfig, ConfigError
from pimlico.hdl.common.ports import Field as Slice
from pimlico.hdl.common.ports import Port, Stream, Wire

TAIL_BITS = 20
LAYER_BITS = 8
CODE_BITS = 4
QUANT_BITS = {"none": 0, "int8": 8, "int4": 4, "int2": 2}
GROUP = 4
"""Rows whose validity bits are one word of the validity memory."""

SEQUENCE, LAYER, EMPTY, CAPACITY, BUSY, HOLE, SHORTAGE, EXCESS = range(1, 9)
STATUS = {
    0: "ok",
    SEQUENCE: "start or reset refused: unknown sequence",
    LAYER: "start refused: layer is neither 0 nor the one after the sequence's last",
    EMPTY: "start refused: no token",
    CAPACITY: "start refused: more tokens than the buffer has rows",
    BUSY: "start, or reset of the running sequence, refused: a pass runs or its done waits",
    HOLE: "mask is 0 on a row not written in this pass; zeros went out",
    SHORTAGE: "fresh ended before the mask's count; zeros went out, the row is not valid",
    EXCESS: "fresh did not end at the mask's count; the rest of the burst is dropped",
}


class KvConfig(BlockConfig):
    """On-chip history of K/V rows for per-layer token skipping.

    Keeps, for every token of a sequence, the K/V row of the last layer that executed it, and
    gives all rows of a layer in order: those executed at this layer from one sequential burst,
    the others from the buffer. Source: SkipOPU, arXiv 2603.14785 (proactive KV history buffer).
    """

    block: ClassVar[str] = "kv-history"

    elem_width: Annotated[int, Field(
        ge=4, le=32, description="width of an element of K or V, in bits")] = 16
    row_elems: Annotated[int, Field(
        ge=8, le=16384,
        description="elements of a token's row: 2 * kv_heads * head_dim, K and V")] = 32
    beat_elems: Annotated[int, Field(
        ge=1, le=4096, description="elements a beat")] = 8
    tokens: Annotated[int, Field(
        ge=1, le=65536, description="rows of a sequence")] = 256
    sequences: Annotated[int, Field(
        ge=1, le=256, description="number of sequences, each with rows of its own")] = 1
    banks: Annotated[int, Field(
        ge=1, le=16, description="memories that the words of a sequence are spread over, "
                                 "in turn")] = 1
    overflow: Annotated[Literal["reject", "dense_tail"], Field(
        description="tokens past the last row: refused, or always streamed from off chip")] \
        = "reject"
    order: Annotated[Literal["k_then_v", "interleaved"], Field(
        description="beats of a row: all of K, then all of V; or K and V in turn")] = "k_then_v"
    append: Annotated[bool, Field(
        description="stream for the row of a new token, after those of start")] = False
    quant: Annotated[Literal["none", "int8", "int4", "int2"], Field(
        description="form of the stored rows: as they came, or quantized with a zero and a "
                    "scale a row; elements are then signed integers")] = "none"
    memory: Annotated[Literal["auto", "block", "ultra", "spram"], Field(
        description="kind of memory asked of synthesis: its own choice, block RAM, UltraRAM, "
                    "or iCE40 SPRAM")] = "auto"
    on_chip_bits: Annotated[int | None, Field(
        ge=1, description="memory that may be used, in bits; no bound if unset")] = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_row()
        if self.quant != "none":
            self._check_packing()
        if self.tokens * self.row_words % self.banks:
            raise ConfigError("banks", self.banks,
                              f"divide the depth of a sequence, {self.tokens * self.row_words} "
                              "words", f"set banks to {self._nearest_banks()}, or change tokens")
        budget = self.on_chip_bits
        if budget is not None and self.storage_bits > budget:
            fits = self._largest_tokens(budget)
            advice = f"the largest tokens that fits is {fits}" if fits else \
                "not even one token fits: narrow the row, or use fewer sequences"
            raise ConfigError("on_chip_bits", budget,
                              f"be at least {self.storage_bits}, {self.storage_bits - budget} "
                              f"more, for tokens = {self.tokens}", advice)
        return self

    def _check_row(self) -> None:
        if self.row_elems % 2:
            raise ConfigError("row_elems", self.row_elems, "be even, half K and half V",
                              f"set it to {self.row_elems + 1}")
        if self.row_elems % self.beat_elems:
            fits = max(size for size in range(1, self.beat_elems) if self.row_elems % size == 0)
            raise ConfigError("beat_elems", self.beat_elems,
                              f"divide row_elems = {self.row_elems}",
                              f"the next smaller divisor is {fits}")
        if self.order == "interleaved" and self.beats % 2:
            raise ConfigError("order", self.order, "go with an even number of beats a row, "
                              f"not {self.beats}", "halve beat_elems, or use k_then_v")

    def _check_packing(self) -> None:
        bits = QUANT_BITS[self.quant]
        if self.elem_width % bits or self.elem_width == bits:
            raise ConfigError("quant", self.quant,
                              f"pack into the beat: elem_width a multiple of {bits} above "
                              f"{bits}, not {self.elem_width}",
                              "use fewer bits, or quant = none")
        if self.beats % self.pack:
            raise ConfigError("quant", self.quant,
                              f"pack into the beat: beats a row a multiple of {self.pack}, "
                              f"not {self.beats}",
                              "set beat_elems to a divisor of row_elems / "
                              f"{self.pack}, or use quant = none")

    def _nearest_banks(self) -> int:
        return max(count for count in range(1, self.banks)
                   if self.tokens * self.row_words % count == 0)

    def _largest_tokens(self, budget: int) -> int:
        return next((tokens for tokens in range(self.tokens - 1, 0, -1)
                     if self._storage_bits(tokens) <= budget
                     and tokens * self.row_words % self.banks == 0), 0)

    @property
    def beats(self) -> int:
        """Beats a row, B."""
        return self.row_elems // self.beat_elems

    @property
    def beat_bits(self) -> int:
        return self.elem_width * self.beat_elems

    @property
    def row_bytes(self) -> int:
        """Bytes of a row off chip."""
        return -(-self.elem_width * self.row_elems // 8)

    @property
    def quant_bits(self) -> int:
        """Bits of a stored element; 0 when stored as it came."""
        return QUANT_BITS[self.quant]

    @property
    def pack(self) -> int:
        """Beats in a word of the memory."""
        return self.elem_width // self.quant_bits if self.quant_bits else 1

    @property
    def row_words(self) -> int:
        """Words of the memory that hold a row."""
        return self.beats // self.pack

    @property
    def sequence_words(self) -> int:
        """Words of one sequence in each bank."""
        return self.tokens * self.row_words // self.banks

    @property
    def bank_words(self) -> int:
        """Depth of a bank."""
        return self.sequences * self.sequence_words

    @property
    def scale_bits(self) -> int:
        """Bits of a row's scale, a step in units of ``2**-(quant_bits + 1)``."""
        return self.elem_width + 2

    @property
    def storage_bits(self) -> int:
        """Bits of all memories: rows, their zeros and scales, validity, the row buffer, and what
        is remembered of several sequences."""
        return self._storage_bits(self.tokens)

    def _storage_bits(self, tokens: int) -> int:
        rows = self.sequences * tokens
        bits = rows * self.row_words * self.beat_bits
        if self._few(tokens):
            bits += max(2, self.sequences * -(-tokens // GROUP)) * GROUP
        else:
            bits += rows
        if self.quant_bits:
            bits += rows * (self.elem_width + self.scale_bits)
            bits += self.buffer_beats * self.beat_bits
        if self.sequences > 1:
            bits += self.sequences * (LAYER_BITS + max(1, (tokens - 1).bit_length()))
        return bits

    @property
    def minmax_stages(self) -> int:
        """Register stages from a beat to the least and greatest of its row so far."""
        return (self.beat_elems - 1).bit_length() + 1

    @property
    def buffer_beats(self) -> int:
        """Beats that wait for the least and greatest element of their row.

        With a place to spare, so that none is written as it is read: there memories differ.
        """
        return self.beats + self.minmax_stages if self.quant_bits else 0

    @property
    def settle_cycles(self) -> int:
        """Cycles from the entry of a row's last beat until the quantized row may be read.

        A row is read no faster than it is written, so its first word, zero and scale are what
        counts: the least and greatest element, the buffer and the two stages behind it, a stage
        a quotient bit but the first, a word's beats, and the write. 0 for rows that are stored
        as they come.
        """
        if not self.quant_bits:
            return 0
        return self.minmax_stages + self.quant_bits + self.pack + 2

    @property
    def sequence_bits(self) -> int:
        """Bits of a sequence's number; some numbers are unknown ones."""
        return self.sequences.bit_length()

    @property
    def token_bits(self) -> int:
        """Bits of ``n_tokens``; with ``reject`` some numbers are too great."""
        return TAIL_BITS if self.overflow == "dense_tail" else self.tokens.bit_length() + 1

    @property
    def max_rows(self) -> int:
        """Most rows of a pass."""
        if self.overflow == "dense_tail":
            return (1 << TAIL_BITS) - 1 + self.append
        return self.tokens

    @property
    def row_bits(self) -> int:
        """Bits of a count of rows."""
        return self.max_rows.bit_length()

    @property
    def few_rows(self) -> bool:
        """Whether the validity bits go to LUT RAM; else to a block RAM."""
        return self._few(self.tokens)

    def _few(self, tokens: int) -> bool:
        return self.memory == "auto" and self.sequences * tokens <= 512

    @property
    def aligned(self) -> bool:
        """Whether a beat's word has its row's number, and its sequence's, in its address."""
        rows = self.tokens if self.sequences > 1 else 1
        return all(size & (size - 1) == 0 for size in (self.beats, self.pack, self.banks, rows))

    @property
    def byte_bits(self) -> int:
        """Bits of a pass's count of off-chip bytes."""
        rows = min(self.max_rows, (1 << self.token_bits) - 1)
        return (rows * self.row_bytes + -(-rows // 8)).bit_length()

    @property
    def bypass(self) -> bool:
        """Whether a streamed beat goes round the memory; else it is written through it."""
        return (self.quant != "none" or self.overflow == "dense_tail"
                or self.memory in ("ultra", "spram"))

    @property
    def latency(self) -> int:
        """Cycles from a row's mask bit, or its fresh beat, to the beat on kv."""
        return 2

    def pass_cycles(self, rows: int) -> int:
        """Cycles from a pass's start to its done, never stalled."""
        return rows * self.beats + 3

    @property
    def ports(self) -> tuple[Port, ...]:
        elements = Slice("data", self.elem_width, self.beat_elems, self.quant != "none",
                         "elements in order")
        sequence = Slice("sequence", self.sequence_bits, doc="0 to sequences - 1")
        layer = Slice("layer", LAYER_BITS, doc="0, or the one after the sequence's last")
        rows = self.row_bits
        start = [sequence, layer, Slice("n_tokens", self.token_bits, doc="tokens with a mask bit")]
        if self.append:
            start.append(Slice("append", 1, doc="a new token comes after them"))
        ports: list[Port] = [
            Stream("start", "in", tuple(start), "one beat a layer"),
            Stream("mask", "in", (Slice("executed", 1, doc="this layer executed the token"),),
                   "one beat a token"),
            Stream("fresh", "in", (elements, Slice("last", 1, doc="last beat of the burst")),
                   "rows of the executed tokens, in order: one burst a layer, none if it "
                   "executed no token"),
        ]
        if self.append:
            ports.append(Stream("append", "in", (
                elements, Slice("executed", 1, doc="this layer executed the new token")),
                "the new token's row; one beat, its data not used, if it was not executed"))
        ports += [
            Stream("reset", "in", (sequence,), "forget a sequence"),
            Stream("kv", "out", (
                elements, Slice("fresh", 1, doc="streamed in this pass; else from the buffer"),
                Slice("hole", 1, doc="not known: zeros"),
                Slice("part", 2, doc="bit 0: elements of K; bit 1: elements of V"),
                Slice("last", 1, doc="last beat of the pass")), "every token's row, in order"),
            Stream("done", "out", (
                sequence, layer,
                Slice("code", CODE_BITS, doc="first status code of the pass"),
                Slice("fresh_rows", rows, doc="rows taken from fresh"),
                Slice("held_rows", rows, doc="rows read from the buffer"),
                Slice("offchip_bytes", self.byte_bits, doc="of the fresh rows and the mask")),
                "end of a pass"),
            Wire("status", "out", CODE_BITS, "first error since cleared, 0 when none"),
            Wire("status_row", "out", rows, "row of a HOLE or a SHORTAGE, else 0"),
            Wire("status_clear", "in", 1, "forget the error"),
        ]
        return tuple(ports)


def parts(config: KvConfig, beat: int) -> int:
    """Whether beat number `beat` of a row has elements of K (bit 0) and of V (bit 1)."""
    if config.order == "interleaved":
        return 1 << (beat & 1)
    first, half = beat * config.beat_elems, config.row_elems // 2
    return (first < half) | (first + config.beat_elems > half) << 1


def count(numbers: int) -> range:
    """Shape of one of so many numbers, a bit wide at least: Verilog has no ports of none."""
    return range(max(2, numbers))
