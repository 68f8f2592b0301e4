"""The host against the simulated board, over the pins: beats, wires, and lines that fail."""

import contextlib
import os
import pty
import threading
import tty

import numpy as np
import pytest
from bridge_core import BLOCK, JoinConfig, board, bridge

from pimlico.constraints.netlist import synthesise
from pimlico.generators.board_top import board_manifest, bridge_config, emit_board_top
from pimlico.generators.load import load
from pimlico.hdl.bridge.config import BAD_LENGTH, WRITE
from pimlico.host import (
    Host,
    HostError,
    NoAnswerError,
    RefusedError,
    StalledError,
    WrongCoreError,
)
from pimlico.host.link import Link
from pimlico.host.simulated import DIVISOR, GAP_LOG2, STALL_LOG2, simulated_line
from pimlico.sim.serial_pins import SimulatedSerial
from pimlico.verif.ternary.formats import activation_beats, beats
from pimlico.verif.ternary.golden import gemv

MANIFEST = board_manifest(BLOCK, JoinConfig(), bridge())
MANIFEST["bridge"]["baud"] = 115_200


@pytest.fixture
def host(seed):
    with Host(board(seed), MANIFEST, patience=3) as host:
        yield host


@pytest.fixture
def ternary(seed):
    """The line to the tiny ternary core, its manifest and configuration."""
    design = load("ternary-gemm", preset="tiny")
    line, manifest = simulated_line(design.block, design.config, seed=seed)
    with line:
        yield line, manifest, design.config


def job(rng, config):
    """A random job: beats of every input, its shape, and what NumPy says of it."""
    m, n = int(rng.integers(1, 20)), int(rng.integers(1, 40))
    weights = rng.integers(-1, 2, (m, n)).astype(np.int8)
    x = rng.integers(-8, 8, n)
    tag = int(rng.integers(16))
    inputs = {"cfg": {"n": n, "m": m, "tag": tag}, "a": activation_beats(config, x, m),
              "w": beats(config, weights)}
    return inputs, m, tag, gemv(weights, x)


def check_jobs(host, config, rng, count):
    """Load, run, read back, and compare with NumPy."""
    for _ in range(count):
        inputs, m, tag, expected = job(rng, config)
        tiles = -(-m // config.keys)
        out = host.run(inputs, {"o": tiles})["o"]
        assert out["data"].shape == (tiles, config.keys)
        assert out["data"].ravel()[:m].tolist() == expected.tolist()
        assert out["tag"].tolist() == [tag] * tiles
        assert out["last"].tolist() == [0] * (tiles - 1) + [1]
    assert host.read("status") == 0


def test_ternary_products_are_numpys(ternary, seed):
    line, manifest, config = ternary
    with Host(line, manifest) as host:
        check_jobs(host, config, np.random.default_rng(seed), 10)


class Noisy:
    """A line that now and then flips a bit, loses a byte or adds one, either way.

    Of what is more than a flipped bit, one in 65536 escapes the checksum: it must stay rare.
    """

    def __init__(self, line, rng, rate):
        self.line, self.rng, self.rate = line, rng, rate
        self.damages = 0

    def damage(self, data):
        out = bytearray()
        for byte in data:
            kind = int(self.rng.integers(4)) if self.rng.random() < self.rate else -1
            self.damages += kind >= 0
            if kind == 0:
                byte ^= 1 << int(self.rng.integers(8))
            out += {1: b"", 2: bytes([byte, byte]),
                    3: bytes([int(self.rng.integers(256)), byte])}.get(kind, bytes([byte]))
        return bytes(out)

    def write(self, data):
        return self.line.write(self.damage(data))

    def read(self, size=1):
        return self.damage(self.line.read(size))[:size]

    def close(self):
        self.line.close()


def test_a_noisy_line_loses_and_doubles_nothing(ternary, seed):
    """Every beat reaches the core once: else the products, and those after them, are wrong."""
    line, manifest, config = ternary
    rng = np.random.default_rng(seed)
    line = Noisy(line, rng, 0.002)
    with Host(line, manifest) as host:
        check_jobs(host, config, rng, 10)
    assert line.damages > 5


def test_a_serial_port_of_the_system(ternary, seed):
    """pySerial on a pseudo terminal, whose other end is the simulated board."""
    line, manifest, config = ternary
    manifest = {**manifest, "bridge": {**manifest["bridge"], "baud": 115_200}}
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    name = os.ttyname(theirs)

    def serve():
        with contextlib.suppress(OSError):
            while data := os.read(ours, 4096):
                line.write(data)
                while back := line.read(256):
                    os.write(ours, back)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with Host(name, manifest) as host:
            check_jobs(host, config, np.random.default_rng(seed), 3)
    finally:
        os.close(theirs)
        thread.join(20)
        os.close(ours)
    assert not thread.is_alive()


def test_fields_and_arrays(host, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(-512, 512, (9, 2)), rng.integers(0, 8, 9)
    last = rng.integers(0, 2, 9).astype(bool)
    host.write("reset", 100)
    out = host.run({"a": {"x": x}, "b": {"y": y, "last": last}}, {"o": 9})["o"]
    packed = (x[:, 0] % 1024) + (x[:, 1] % 1024 << 10)
    assert out["sum"].tolist() == (packed + y + 100).tolist()
    assert out["last"].tolist() == last.tolist()
    assert host.read("data") == 9


def test_pushes_and_pops(host):
    host.push("a", [7])
    host.push("b", {"y": 2, "last": 1})
    out = host.pop("o", 1)
    assert (out["sum"].tolist(), out["last"].tolist()) == ([9], [1])


def test_wires(host):
    host.write("load", 1)
    assert host.read("tx") == 1
    host.pulse("load")
    assert host.read("tx") == 0


def test_reset(host):
    host.push("a", [1])
    host.reset()
    host.push("b", {"y": 1, "last": 0})
    with pytest.raises(StalledError):
        host.pop("o", 1)
    assert host.read("data") == 0


def test_a_core_that_stalls_says_what_was_done(host):
    with pytest.raises(StalledError) as raised:
        host.run({"a": [1, 2, 3], "b": [4]}, {"o": 2})
    assert str(raised.value) == (
        "the core does not go on: waiting at a after 2 beats, o after 1 beats")
    assert raised.value.pushed == {"a": 2, "b": 1} and raised.value.popped == {"o": [5]}
    host.run({"a": [3], "b": [0, 0]}, {"o": 2})
    assert host.read("data") == 3


def test_another_core_is_recognised(seed):
    other = {**MANIFEST, "bridge": {**MANIFEST["bridge"], "identity": "01" + "ab" * 8}}
    with pytest.raises(WrongCoreError, match="of 01abababababababab"):
        Host(board(seed), other)


class Silent:
    """A line that nobody answers."""

    closed = False

    def write(self, data):
        return len(data)

    def read(self, size=1):
        return b""

    def close(self):
        self.closed = True


def test_silence_is_told_and_the_line_closed():
    line = Silent()
    with pytest.raises(NoAnswerError, match="no answer from the board after 8 tries"):
        Host(line, MANIFEST)
    assert line.closed


def test_refusals_are_raised_with_their_code(seed):
    with board(seed) as line, pytest.raises(RefusedError) as raised:
        Link(line).ask(WRITE, 1, b"12")
    assert raised.value.code == BAD_LENGTH
    assert str(raised.value) == (
        "the bridge refused: the length does not suit the command and the port")


@pytest.mark.parametrize(("beats", "message"), [
    ({"y": 8, "last": 0}, r"b\.y = 8 does not fit: 0 to 7"),
    ({"y": [0, 1], "last": [0, 0, 1]}, r"b\.y has 2 beats, not 3"),
    ({"y": [[0], [1]], "last": [[0, 1]]}, r"b\.last has the shape \(1, 2\), not \(beats,\)"),
    ({"y": 0.5, "last": 0}, r"b\.y holds float64, not integers"),
    ({"y": 1}, "stream b has the fields y, last, not y"),
    ([16], "b = 0x10 does not fit in 4 bits"),
])
def test_beats_that_do_not_suit(host, beats, message):
    with pytest.raises(ValueError, match=message):
        host.push("b", beats)
    assert host.read("data") == 0


@pytest.mark.parametrize(("use", "message"), [
    (lambda host: host.push("c", [0]), "the core has no input stream c; it has a, b"),
    (lambda host: host.pop("a", 1), "the core has no output stream a; it has o"),
    (lambda host: host.read("load"), "the core has no output wire load; it has data, tx"),
    (lambda host: host.write("o", 1), "the core has no input wire o; it has reset, load"),
])
def test_unknown_names(host, use, message):
    with pytest.raises(HostError, match=message):
        use(host)


def test_values_of_wires_are_checked(host):
    with pytest.raises(ValueError, match="reset = 4096 does not fit in 12 bits"):
        host.write("reset", 0, 4096)


@pytest.mark.deep
@pytest.mark.parametrize("target", ["ice40", "ecp5", "gowin"])
def test_the_netlist_of_a_top_is_driven_likewise(seed, target):
    design = load("ternary-gemm", preset="tiny")
    found = bridge_config(design.block, design.config, DIVISOR, GAP_LOG2, STALL_LOG2)
    top = emit_board_top(design.block, design.config, "ternary_tiny", found)
    line = SimulatedSerial(synthesise(top, target), DIVISOR, timeout_cycles=2 << GAP_LOG2,
                           seed=seed)
    with Host(line, board_manifest(design.block, design.config, found)) as host:
        check_jobs(host, design.config, np.random.default_rng(seed), 5)
