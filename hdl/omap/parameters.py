"""What can be set of the OMAP cache controller."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pimlico.hdl.common.config import BlockConfig

BEAT_WIDTHS = (32, 64, 128, 256, 512)


class OmapParameters(BlockConfig):
    """The fields of `config.OmapConfig`."""

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
