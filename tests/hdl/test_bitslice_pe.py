"""The PEs of the bit-sliced array: gates for all operand pairs, sums of beats."""

import json
import random
import subprocess
import sys
from graphlib import TopologicalSorter

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.hdl import C, Cat, Module, Value
from amaranth.lib.wiring import Component, In, Out
from amaranth.sim import Simulator

from pimlico.generators.verilog import _plain_names, _write_verilog
from pimlico.hdl.bitslice import reduce as adders
from pimlico.hdl.bitslice.encoder import SliceEncoder, split
from pimlico.hdl.bitslice.exact import exact_pe
from pimlico.hdl.bitslice.multiplier import MultiplierPe
from pimlico.hdl.bitslice.pe import Pe, PeWs, Resolve
from pimlico.hdl.bitslice.shape import LINES, PeShape
from pimlico.hdl.common.parts import PartLibrary, place
from pimlico.sim.smt import solve, write_smt2

WHOLE = {"a_width": 8, "lanes": 1, "slices": (4,), "acc_widths": (25,)}
HALVES = {"a_width": 8, "lanes": 1, "slices": (2, 2), "acc_widths": (22, 22)}
PAIRS = {"a_width": 8, "lanes": 1, "slices": (1, 1, 1, 1), "acc_widths": (20,) * 4}
SERIAL = {"a_width": 8, "lanes": 1, "slices": (1,), "acc_widths": (25,), "window": 4, "shifts": 4}
COLUMN = {"negation": "column"}
RANGES = {"booth": range(-2, 3), "ent": range(-1, 3), "unit": range(2)}

MULTIPLIERS = [
    PeShape(**WHOLE), PeShape(**WHOLE, **COLUMN), PeShape(**WHOLE, encoding="ent"),
    PeShape(**WHOLE, **COLUMN, encoding="ent"),
    PeShape(**WHOLE, acc_form="segmented", segment=3, pipeline=1),
    PeShape(**WHOLE, **COLUMN, encoding="ent", acc_form="binary", pipeline=2),
    PeShape(**HALVES, encoding="ent"), PeShape(**HALVES, **COLUMN),
    PeShape(**PAIRS, **COLUMN, acc_form="segmented", pipeline=2),
]
UNSIGNED = [
    PeShape(**{**WHOLE, "slices": (5,)}, unsigned=True),
    PeShape(**{**HALVES, "slices": (3, 3)}, **COLUMN, unsigned=True, encoding="ent", pipeline=1),
]
ONE_DIGIT = [
    PeShape(**SERIAL, acc_form="segmented", segment=2, pipeline=2),
    PeShape(**SERIAL, **COLUMN, acc_form="segmented", segment=2, pipeline=2),
    PeShape(**SERIAL, **COLUMN, acc_form="binary", pipeline=1),
]
EDGES = 3


class Bank(Component):
    """Many PEs beside each other, whose values are what they hold more than PEs of zeros do."""

    def __init__(self):
        self.outputs = {f"{kind}_{number}": (shape, kind) for kind, shapes in
                        (("signed", MULTIPLIERS), ("unsigned", UNSIGNED), ("digit", ONE_DIGIT),
                         ("passing", MULTIPLIERS[:2] + UNSIGNED[:1]))
                        for number, shape in enumerate(shapes)}
        super().__init__({"a": In(32), "w": In(8), "lines": In(3), "index": In(2),
                          "position": In(2), **{name: Out(20) for name in self.outputs}})

    def elaborate(self, platform):
        m = Module()
        for name, (shape, kind) in self.outputs.items():
            values, digits = [], self._digits(m, platform, shape, kind)
            for operand in (self.a[:shape.a_bits], C(0, shape.a_bits)):
                pe = PeWs(shape) if kind == "passing" else Pe(shape)
                resolve = Resolve(shape)
                m.submodules += [place(platform, pe), place(platform, resolve)]
                m.d.comb += [pe.a.eq(operand), pe.digits.eq(digits),
                             resolve.state.eq(pe.total if kind == "passing" else pe.state)]
                if kind != "passing":
                    m.d.comb += pe.first.eq(1)
                if kind == "digit":
                    m.d.comb += [pe.index.eq(self.index), pe.position.eq(self.position)]
                values.append(resolve.values)
            total, start, step = 0, 0, 8 // len(shape.slices)
            for number, width in enumerate(shape.acc_widths):
                more = (values[0][start:start + width] - values[1][start:start + width])[:width]
                total += more.as_signed() << number * step
                start += width
            m.d.comb += getattr(self, name).eq(total)
        return m

    def _digits(self, m, platform, shape, kind):
        if kind == "digit":
            return self.lines
        lines = []
        for number, (value, carry) in enumerate(split(self.w, len(shape.slices))):
            encoder = SliceEncoder(shape, number)
            m.submodules += place(platform, encoder)
            m.d.comb += [encoder.value.eq(value), encoder.carry.eq(carry)]
            if shape.unsigned:
                m.d.comb += encoder.unsigned.eq(number == len(shape.slices) - 1)
            lines.append(encoder.lines)
        return Cat(lines)


SCRIPT = """
from pyosys import libyosys as ys
design = ys.Design()
for command in ("read_verilog bank.v", "hierarchy -top bank", "proc", "techmap", "opt", "flatten",
                "opt_clean -purge", "dfflegalize -cell $_DFF_P_ 01", "write_json bank.json"):
    ys.run_pass(command, design)
"""
GATES = {
    "AND": lambda a, b: a & b, "OR": lambda a, b: a | b, "XOR": lambda a, b: a ^ b,
    "NAND": lambda a, b: ~(a & b), "NOR": lambda a, b: ~(a | b), "XNOR": lambda a, b: ~(a ^ b),
    "ANDNOT": lambda a, b: a & ~b, "ORNOT": lambda a, b: a | ~b, "NOT": lambda a: ~a,
    "MUX": lambda a, b, s: (a & ~s) | (b & s),
}


class Netlist:
    """Gates, each evaluated for all rows of operands at once: a row is a bit of long words."""

    def __init__(self, design, folder):
        (folder / "bank.v").write_text(verilog(design, "bank"))
        subprocess.run([sys.executable, "-c", SCRIPT], cwd=folder, check=True,
                       capture_output=True)
        module = json.loads((folder / "bank.json").read_text())["modules"]["bank"]
        self.ports = {name: port["bits"] for name, port in module["ports"].items()}
        self.outputs = design.outputs
        self.registers, makers = {}, {}
        for cell in module["cells"].values():
            wires = {port: bits[0] for port, bits in cell["connections"].items()}
            if cell["type"] == "$_DFF_P_":
                self.registers[wires["Q"]] = wires["D"]
            else:
                gate = GATES[cell["type"][2:-1]]
                makers[wires["Y"]] = gate, [wires[port] for port in "ABS" if port in wires]
        known = {"0", "1", *self.registers, *(bit for name in ("a", "w", "lines", "index",
                                                               "position")
                                              for bit in self.ports[name])}
        order = TopologicalSorter({wire: [x for x in made_of if x not in known]
                                   for wire, (_, made_of) in makers.items()})
        self.gates = [(wire, *makers[wire]) for wire in order.static_order()]

    def run(self, edges, **inputs):
        """The outputs, `edges` clock edges after the inputs, all held; arrays of a row each."""
        rows = len(inputs["a"])
        wires = {"0": 0, "1": -1, **dict.fromkeys(self.registers, 0)}
        for name, bits in self.ports.items():
            if name in inputs:
                for place, bit in enumerate(bits):
                    column = np.packbits(inputs[name] >> place & 1, bitorder="little")
                    wires[bit] = int.from_bytes(column.tobytes(), "little")
        for edge in range(edges + 1):
            for wire, gate, made_of in self.gates:
                wires[wire] = gate(*(wires[x] for x in made_of))
            if edge < edges:
                wires.update({q: wires[d] for q, d in self.registers.items()})
        return {name: sum(self._column(wires[bit], rows) << place
                          for place, bit in enumerate(bits))
                for name, bits in self.ports.items() if name in self.outputs}

    @staticmethod
    def _column(word, rows):
        data = (word & (1 << rows) - 1).to_bytes(-(-rows // 8), "little")
        return np.unpackbits(np.frombuffer(data, np.uint8), count=rows,
                             bitorder="little").astype(np.int64)


def verilog(part, name):
    library = PartLibrary(name)
    library.add(name, part, [Value.cast(value)
                             for _, _, value in part.signature.flatten(part)])
    text = "\n".join(library.modules[each] for each in [name, *sorted(library.modules)[1:]])
    return _write_verilog(_plain_names(text), name)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    design = Bank()
    return design.outputs, Netlist(design, tmp_path_factory.mktemp("bank"))


def grid(*ranges):
    return [axis.ravel() for axis in np.meshgrid(*ranges, indexing="ij")]


def test_all_operand_pairs(bank):
    outputs, netlist = bank
    a, w = grid(np.arange(-128, 128), np.arange(256))
    none = np.zeros_like(a)
    found = netlist.run(EDGES, a=a & 255, w=w, lines=none, index=none, position=none)
    for name, (shape, kind) in outputs.items():
        if kind != "digit":
            weight = w if shape.unsigned else np.where(w < 128, w, w - 256)
            assert (found[name] == a * weight & 0xFFFFF).all(), shape.part


def test_all_elements_digits_positions_and_places_in_the_window(bank):
    outputs, netlist = bank
    index, position, a, digit = grid(range(4), range(4), range(-128, 128), range(-2, 3))
    others = 0x8055AA7F & ~(255 << 8 * index)
    lines = np.array([6, 5, 0, 1, 2])[digit + 2]
    found = netlist.run(EDGES, a=others | (a & 255) << 8 * index, w=np.zeros_like(a),
                        lines=lines, index=index, position=position)
    for name, (shape, kind) in outputs.items():
        if kind == "digit":
            assert (found[name] == a * digit * 4 ** position & 0xFFFFF).all(), shape.part


def digit_lines(kind, digit):
    if kind == "unit":
        return digit
    one, two, negative = abs(digit) == 1, abs(digit) == 2, digit < 0
    if kind == "ent":
        one = digit == 1
    return one | two << 1 | negative << 2


class Beat:
    """Random operands for one cycle, and what they add to each slice."""

    def __init__(self, shape, rng, bubble):
        low, high = -(1 << shape.a_width - 1), (1 << shape.a_width - 1) - 1
        a = [rng.choice([low, high, -1, rng.randint(low, high)])
             for _ in range(shape.lanes * shape.window)]
        self.first = 0
        self.index, self.position = rng.randrange(shape.window), rng.randrange(shape.shifts)
        self.digits = self.a = self.sums = 0
        for number, element in enumerate(a):
            self.a |= (element & (1 << shape.a_width) - 1) << number * shape.a_width
        self.sums = [0] * len(shape.slices)
        place = 0
        extreme = rng.random() < 0.3
        for lane in range(shape.lanes):
            element = a[self.index if shape.window > 1 else lane]
            for number in range(len(shape.slices)):
                for digit, kind in enumerate(shape.kinds(number)):
                    legal = RANGES[kind]
                    value = 0 if bubble else legal[0] if extreme else rng.choice(legal)
                    self.digits |= digit_lines(kind, value) << place
                    place += LINES[kind]
                    self.sums[number] += element * value * 4 ** (digit + self.position)

    def drive(self, context, pe):
        for name in ("a", "digits", "first", "index", "position"):
            if hasattr(pe, name):
                context.set(getattr(pe, name), getattr(self, name))


def values_of(shape, word):
    out = []
    for width in shape.acc_widths:
        out.append(word & (1 << width) - 1)
        word >>= width
    return out


def wrapped(shape, sums):
    return [total % (1 << width) for total, width in zip(sums, shape.acc_widths, strict=True)]


SUMMED = [
    *MULTIPLIERS[:2], MULTIPLIERS[4], MULTIPLIERS[5], *ONE_DIGIT,
    PeShape(**WHOLE, acc_form="segmented", segment=2),
    PeShape(4, 4, (2,), (16,), pipeline=2), PeShape(4, 2, (1,) * 4, (14,) * 4, encoding="ent"),
    PeShape(8, 4, (2, 2), (20, 20), **COLUMN, encoding="ent", acc_form="segmented", pipeline=1),
    PeShape(9, 2, (3, 3), (21, 21), unsigned=True, encoding="ent", acc_form="binary"),
    PeShape(8, 2, (1,), (20,), **COLUMN, shifts=4, acc_form="binary"),
]


@pytest.mark.parametrize("shape", SUMMED, ids=lambda shape: shape.part)
def test_accumulators_hold_the_sum_since_first(shape, seed):
    rng = random.Random(seed)
    beats = [Beat(shape, rng, bubble=rng.random() < 0.2) for _ in range(50)]
    m = Module()
    m.submodules.pe = pe = Pe(shape)
    m.submodules.zero = zero = Pe(shape)
    m.submodules.of_pe = of_pe = Resolve(shape)
    m.submodules.of_zero = of_zero = Resolve(shape)
    m.d.comb += [of_pe.state.eq(pe.state), of_zero.state.eq(zero.state)]
    right = []
    sums, count = [0] * len(shape.slices), 0
    for number, beat in enumerate(beats):
        beat.first = int(number == 0 or rng.random() < 0.08)
        kept = [0 if beat.first else total for total in sums]
        sums = [total + more for total, more in zip(kept, beat.sums, strict=True)]
        count = 1 if beat.first else count + 1
        right.append((wrapped(shape, sums), count))

    async def bench(context):
        for number, beat in enumerate(beats):
            beat.drive(context, pe)
            beat.drive(context, zero)
            context.set(zero.a, 0)
            await context.tick()
            if number + 1 < shape.latency:
                continue
            sums, count = right[number + 1 - shape.latency]
            beside = values_of(shape, context.get(of_zero.values))
            found = values_of(shape, context.get(of_pe.values))
            assert sums == wrapped(
                shape, [more - less for more, less in zip(found, beside, strict=True)])
            if shape.negation == "pe":
                assert beside == wrapped(
                    shape, [count * shape.bias(number) for number in range(len(sums))])

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("shape", [
    PeShape(**WHOLE, pipeline=2), PeShape(4, 4, (2, 2), (16, 16), encoding="ent"),
    PeShape(**HALVES, acc_form="segmented", segment=3, pipeline=1)], ids=lambda shape: shape.part)
def test_partial_sums_that_pass_a_pe_gain_its_products(shape, seed):
    """A chain of two; the second's operands come as much later as the first's sums."""
    rng = random.Random(seed)
    beats = [[Beat(shape, rng, bubble=rng.random() < 0.2) for _ in range(2)] for _ in range(30)]
    m = Module()
    m.submodules.upper = upper = PeWs(shape)
    m.submodules.lower = lower = PeWs(shape)
    m.submodules.resolve = resolve = Resolve(shape)
    m.d.comb += [lower.psum.eq(upper.total), resolve.state.eq(lower.total)]

    async def bench(context):
        for number in range(len(beats)):
            beats[number][0].drive(context, upper)
            if number:
                beats[number - 1][1].drive(context, lower)
            await context.tick()
            done = number - shape.latency
            if done >= 0:
                right = [above + below + 2 * shape.bias(at) for at, (above, below) in enumerate(
                    zip(beats[done][0].sums, beats[done][1].sums, strict=True))]
                assert values_of(shape, context.get(resolve.values)) == wrapped(shape, right)

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def test_the_plain_multiplier_accumulates(seed):
    rng = random.Random(seed)
    mac = MultiplierPe(PeShape(8, 1, (1,), (20,), acc_form="binary"), 8)

    async def bench(context):
        total = 0
        for number in range(60):
            a, w = (rng.choice([-128, 127, rng.randint(-128, 127)]) for _ in range(2))
            first = int(number == 0 or rng.random() < 0.1)
            total = (0 if first else total) + a * w
            context.set(mac.a, a)
            context.set(mac.digits, w)
            context.set(mac.first, first)
            await context.tick()
            assert context.get(mac.state) == total % (1 << 20)

    simulator = Simulator(mac)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def proved(shape, folder):
    harness = rtlil.convert(exact_pe(shape), name="harness", ports=[], emit_src=False)
    return solve(write_smt2(harness, folder), 1, induction=True, timeout=300)


@pytest.mark.parametrize("shape", [PeShape(8, 1, (2,), (12,)), pytest.param(
    PeShape(4, 1, (2,), (8,), negation="column"), marks=pytest.mark.deep)],
    ids=["alone", "column"])
def test_the_pe_of_4_bit_weights_is_proved_for_all_operands_and_accumulators(shape, tmp_path):
    assert proved(shape, tmp_path).holds is True


def test_the_proof_finds_a_carry_that_is_lost(tmp_path, monkeypatch):
    whole = adders.add

    def add(m, bits, name):
        total, carry = whole(m, bits, name)
        return total, adders.Bit(carry.arrival, C(0, 1)) if name == "slice_0_9_0" else carry

    monkeypatch.setattr(adders, "add", add)
    verdict = proved(PeShape(8, 1, (2,), (12,)), tmp_path)
    assert (verdict.holds, verdict.broken) == (False, ("slice 0 holds the sum",))


@pytest.mark.parametrize("change", [
    {"lanes": 2}, {"pipeline": 1},
    {"unsigned": True}, {"slices": (1,), "shifts": 2}])
def test_the_proof_is_of_plain_pes(change):
    shape = PeShape(**{**WHOLE, **change})
    with pytest.raises(ValueError) as error:
        exact_pe(shape)
    assert str(error.value) == f"shape must be a plain PE of one lane, not {shape.part}"
