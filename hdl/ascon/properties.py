"""Formal properties of the Ascon-AEAD128 core: its streams, its time, and what never goes out."""

from __future__ import annotations

from amaranth.asserts import AnySeq
from amaranth.hdl import Cat, Signal, Value

from pimlico.hdl.common.component import fields
from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.ports import Stream
from pimlico.hdl.common.properties import Harness, Property, stream_properties

from .config import AsconConfig

_DATA = ("state", "collected", "rest", "wrong_tag", "status")
"""Names of the registers that hold data, or what the tag was found to be; all others are of the
control."""


def properties(config: BlockConfig) -> list[Property]:
    """What holds for the core, each with the configuration it is proved for."""
    assert isinstance(config, AsconConfig)
    # more rounds a cycle change no control, and take the solver long to read
    config = AsconConfig(**{**config.model_dump(), "rounds_per_cycle": 1})
    found = [
        *stream_properties(config),
        Property("constant-time",
                 "every ready and valid is that of a twin with other keys, nonces, data and tags, "
                 "if handshakes, directions, numbers of bytes and last are the same",
                 config, _constant_time, depth=3),
        Property("no-stray-bytes", "bytes of result past its number of bytes are 0",
                 config, _no_stray_bytes, depth=3),
    ]
    if config.decrypts:
        found.append(Property(
            "tag-checked",
            "a message that is decrypted is ok only if all 128 bits of the tag that was taken are "
            "those of the sponge",
            config, _tag_checked, depth=4))
    if config.encrypts:
        found.append(Property(
            "tag-withheld",
            "done has a tag of 0 unless its message was encrypted and no beat of it malformed",
            config, _tag_withheld, depth=4))
    return found


def _constant_time(h: Harness) -> None:
    ours = h.dut
    shared: dict[str, Value] = {}
    for port in h.config.ports:
        if not (isinstance(port, Stream) and port.direction == "in"):
            continue
        payload = getattr(ours.component, port.name).payload
        secret = {"key", "nonce", "data", "tag"}
        shared[f"{port.name}.payload"] = Cat(
            AnySeq(field.bits) if field.name in secret
            else fields(port, payload)[field.name] for field in port.fields)
    twin = h.place("twin", {**ours.inputs, **shared})
    for port in h.config.ports:
        if isinstance(port, Stream):
            mine, other = getattr(ours.component, port.name), getattr(twin.component, port.name)
            end = "ready" if port.direction == "in" else "valid"
            h.require(getattr(mine, end) == getattr(other, end), f"{port.name}.{end} is the same")
    for (path, mine), (_, other) in zip(ours.registers(), twin.registers(), strict=True):
        if path.split(".")[-1] not in _DATA:
            h.require(mine == other, f"{path} is the same")


def _no_stray_bytes(h: Harness) -> None:
    result = h.dut.component.result
    parts = fields(h.config.port("result"), result.payload)
    for byte in range(h.config.beat_bytes):
        h.require(~result.valid | (parts["bytes"] > byte)
                  | (parts["data"][8 * byte:8 * byte + 8] == 0), f"byte {byte} is 0")


def _tag_withheld(h: Harness) -> None:
    core, inside = h.dut.component, h.dut.inside
    done = fields(h.config.port("done"), core.done.payload)
    spoilt = Signal()  # a beat of the message was malformed
    with h.m.If(inside("course.load")):
        h.m.d.sync += spoilt.eq(0)
    with h.m.Elif(inside("intake.malformed")):
        h.m.d.sync += spoilt.eq(1)
    h.require(inside("course.faulty") == spoilt, "faulty: a beat was malformed")
    h.require(~core.done.valid | ~(spoilt | inside("course.decrypts")) | (done["tag"] == 0),
              "the tag is 0")


def _tag_checked(h: Harness) -> None:
    core, inside = h.dut.component, h.dut.inside
    equal = Signal()
    with h.m.If(core.tag.valid & core.tag.ready):
        h.m.d.sync += equal.eq(core.tag.payload == inside("sponge.state")[-128:])
    # invariants: what is known of the tag while done is on offer
    decrypts = inside("course.decrypts")
    h.require(~core.done.valid | ~decrypts | (inside("course.wrong_tag") == ~equal),
              "wrong: the tags differ")
    code = fields(h.config.port("done"), core.done.payload)["code"]
    h.require(~core.done.valid | ~decrypts | (code != 0) | equal, "ok only with the right tag")
