"""Cores behind AXI4-Lite, driven by cocotbext-axi."""

import numpy as np
import pytest
from axi_run import AxiTop
from ternary_play import make_job, rows_of

from pimlico.generators.ascon import BLOCK as ASCON
from pimlico.generators.load import load
from pimlico.generators.ternary import BLOCK as TERNARY
from pimlico.hdl.axil.slave import OKAY, SLVERR
from pimlico.verif.ascon.golden import seal
from pimlico.verif.ascon.stimulus import number, packet

TINY = load("ternary-gemm", preset="tiny").config
COMPACT = load("ascon-aead128", preset="compact").config


@pytest.fixture(scope="module", params=[
    ("icarus", "high"), pytest.param(("verilator", "active-low"), marks=pytest.mark.deep)],
    ids=lambda case: case[0])
def ternary(request):
    simulator, reset = request.param
    return AxiTop(TERNARY, TINY, True, reset, simulator)


@pytest.fixture(scope="module", params=[
    "icarus", pytest.param("verilator", marks=pytest.mark.deep)])
def ascon(request):
    return AxiTop(ASCON, COMPACT, True, "active-low", request.param)


class Script:
    """Lines for the bench, with what each must answer."""

    def __init__(self, top):
        self.top, self.lines, self.answers = top, [], []

    def _add(self, line, answer=None):
        self.lines.append(line)
        self.answers.append(answer)

    def write(self, register, value, answer=OKAY, length=4, byte=0):
        self._add(["write", self._at(register) + byte, value, length], answer)

    def read(self, register, value, answer=OKAY):
        self._add(["read", self._at(register)], [value, answer])

    def poll(self, register, value):
        self._add(["poll", self._at(register), value])

    def beats(self, sink, count):
        self._add(["beats", sink, count])

    def hold(self, sink, value):
        self._add(["hold", sink, value])

    def send(self, stream, values):
        """Field by field, then push."""
        port = self.top.config.port(stream)
        for field in port.fields:
            self.number(f"{stream}_{field.name}".upper(), values[field.name], field.width)
        self.write(f"{stream}_push".upper(), 1)

    def number(self, register, value, width):
        for part in range(-(-width // 32)):
            self.write(self._part(register, part, width), value >> 32 * part & 0xFFFFFFFF)

    def expect(self, register, value, width):
        for part in range(-(-width // 32)):
            self.read(self._part(register, part, width), value >> 32 * part & 0xFFFFFFFF)

    @staticmethod
    def _part(register, part, width):
        return f"{register}_{part}" if width > 32 else register

    def _at(self, register):
        return register if isinstance(register, int) else self.top.address(register)

    def run(self, folder, seed, sources=None, sinks=None, **options):
        steps, seen = self.top.run(folder, seed, sources or {}, sinks or {}, self.lines,
                                   **options)
        for line, answer, step in zip(self.lines, self.answers, steps, strict=True):
            assert step == answer, (line, step, answer)
        return seen


def test_a_ternary_job(ternary, tmp_path, seed):
    """Sizes over AXI4-Lite, activations and weights over AXI4-Stream, results as NumPy's."""
    rng = np.random.default_rng(seed)
    script, sources, wanted, beats = Script(ternary), {"a": [], "w": []}, [], 0
    script.read("CORE_ID", ternary.registers.identity)
    script.read("STREAM_STATUS", 1)
    for _ in range(3):
        n, m = (int(rng.integers(1, most + 1)) for most in (3 * TINY.columns, 3 * TINY.keys))
        job, results = make_job(TINY, rng, n, m)
        sources = {name: sources[name] + job[name] for name in sources}
        wanted.append(results)
        beats += -(-m // TINY.keys)
        script.poll("STREAM_STATUS", 1)
        script.send("cfg", TINY.port("cfg").unpack(job["cfg"][0]))
    script.beats("o", beats)
    script.read("STATUS", 0)
    seen = script.run(tmp_path, seed, sources, {"o": beats})
    rows, lasts = rows_of(TINY, list(enumerate(seen["o"])))
    assert np.array_equal(rows, np.concatenate(wanted, axis=1))
    assert sum(lasts) == 3 and len(lasts) == beats


def test_a_ternary_job_that_cannot_be_done(ternary, tmp_path, seed):
    """Its error stands in STATUS until it is cleared."""
    script = Script(ternary)
    script.send("cfg", {"n": 0, "m": 1, "tag": 3})
    script.poll("CFG_PUSH", 0)
    script.read("STATUS", 1)
    script.read("STATUS", 1)
    script.write("STATUS_CLEAR", 1)
    script.read("STATUS_CLEAR", 1)
    script.read("STATUS", 0)
    script.write("STATUS_CLEAR", 0)
    script.read("STATUS_CLEAR", 0)
    script.run(tmp_path, seed, settle=20)


def test_a_command_that_waits_is_kept(ternary, tmp_path, seed):
    """While a job waits for its data the next command cannot go: no write touches it."""
    script = Script(ternary)
    script.send("cfg", {"n": 2, "m": 2, "tag": 1})
    script.poll("CFG_PUSH", 0)
    script.send("cfg", {"n": 5, "m": 6, "tag": 7})
    script.read("CFG_PUSH", 1)
    script.read("STREAM_STATUS", 0)
    for register in ("CFG_N", "CFG_M", "CFG_TAG", "CFG_PUSH"):
        script.write(register, 0xFFFFFFFF, SLVERR)
        script.write(register, 0xFF, SLVERR, length=1)
    script.write("CFG_PUSH", 0)
    for register, value in (("CFG_N", 5), ("CFG_M", 6), ("CFG_TAG", 7), ("CFG_PUSH", 1)):
        script.read(register, value)
    script.run(tmp_path, seed)


def test_illegal_accesses_change_nothing(ternary, tmp_path, seed):
    rng = np.random.default_rng(seed)
    registers = ternary.registers.registers
    script = Script(ternary)
    values = {"CFG_N": 0x155, "CFG_M": 0x0AA, "CFG_TAG": 9, "STATUS_CLEAR": 1}
    for register, value in values.items():
        script.write(register, value | 0xABCD << 16)
    past = 4 * len(registers)
    beyond = [past, 0xFFC, *(4 * int(rng.integers(past // 4, 1 << 10)) for _ in range(6))]
    for address in beyond:
        script.write(address, 0xFFFFFFFF, SLVERR)
        script.read(address, 0, SLVERR)
    for register in registers:
        if register.access == "ro":
            script.write(register.name, 0xFFFFFFFF, SLVERR)
    for register, value in values.items():
        script.read(register, value)
    script.read("CORE_ID", ternary.registers.identity)
    script.read("CFG_PUSH", 0)
    script.run(tmp_path, seed)


def test_strobes_choose_bytes(ternary, tmp_path, seed):
    script = Script(ternary)
    script.write("CFG_N", 0x1FF)
    script.write("CFG_N", 0, length=1, byte=1)
    script.read("CFG_N", 0x0FF)
    script.write("CFG_N", 0x12, length=1)
    script.read("CFG_N", 0x012)
    script.write("CFG_N", 0xFFFF, length=2, byte=2)
    script.read("CFG_N", 0x012)
    script.write("CFG_N", 0x01, length=1, byte=1)
    script.read("CFG_N", 0x112)
    # a push whose byte is not written is none
    script.write("CFG_PUSH", 0x01, length=1, byte=1)
    script.read("CFG_PUSH", 0)
    script.run(tmp_path, seed)


def test_messages_and_their_tags(ascon, tmp_path, seed):
    """Keys through registers, text through streams, tags popped."""
    rng = np.random.default_rng(seed)
    script, sources, cipher = Script(ascon), {"ad": [], "text": []}, []
    first_of_done = "DONE_TAG_0"
    done_bit = 1 << [port.name for port in ascon.registers.streams].index("done")
    waiting = sum((port.direction == "in") << bit
                  for bit, port in enumerate(ascon.registers.streams))
    script.read(first_of_done, 0, SLVERR)
    script.write("DONE_POP", 1, SLVERR)
    script.write("DONE_POP", 0)
    for _ in range(2):
        key, nonce, ad, text = (rng.bytes(size) for size in
                                (16, 16, int(rng.integers(20)), int(rng.integers(40))))
        secret, tag = seal(key, nonce, ad, text)
        sources["ad"] += packet(COMPACT, ad)
        sources["text"] += packet(COMPACT, text)
        cipher.append(secret)
        script.send("cmd", {"key": number(key), "nonce": number(nonce), "decrypt": 0})
        script.poll("STREAM_STATUS", waiting | done_bit)
        script.read("DONE_POP", 1)
        for _ in range(2):  # reading takes nothing
            script.expect("DONE_TAG", number(tag), 128)
            script.read("DONE_CODE", 0)
        script.write("DONE_POP", 0)
        script.read("DONE_POP", 1)
        script.write("DONE_POP", 1)
        script.read("DONE_POP", 0)
        script.read(first_of_done, 0, SLVERR)
    sinks = {"result": len(sources["text"])}
    seen = script.run(tmp_path, seed, sources, sinks)
    port, told = COMPACT.port("result"), [b""]
    for word in seen["result"]:
        beat = port.unpack(word)
        told[-1] += bytes(lane & 0xFF for lane in beat["data"][:beat["bytes"]])
        if beat["last"]:
            told.append(b"")
    assert told == [*cipher, b""]
