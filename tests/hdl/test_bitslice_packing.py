"""Products that share a multiplier of a DSP block: how many fit, and that they part exactly."""

import subprocess
from itertools import product

import numpy as np
import pytest
from amaranth.back import verilog
from amaranth.hdl import Module, signed
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.bitslice.config import BitsliceConfig
from pimlico.hdl.bitslice.packed import PackedPe, operand_lines
from pimlico.hdl.bitslice.packing import DSP, MOST_OVERLAP, pack_weights
from pimlico.hdl.bitslice.shape import PeShape
from pimlico.sim.tools import require

WIDTHS = [(a, w) for a in (4, 5, 8, 9) for w in (2, 3, 4, 5, 8)]
MOST_CASES = 1 << 20
"""Operand combinations tried; of more, corners and as many at random."""


def signed_bits(values, bits):
    """The low `bits` of integers as two's complement."""
    values = values & (1 << bits) - 1
    return values - ((values >> bits - 1) << bits)


def fits(count, spacing, dsp, a_bits, w_bits):
    """Whether so many weights at such distances are an operand of the block, and part again."""
    wide, narrow = DSP[dsp]
    lowest = -sum(1 << spacing * place + w_bits - 1 for place in range(count))
    overlap = max(0, a_bits + w_bits - spacing)
    return (a_bits <= narrow and lowest >= -(1 << wide - 1)
            and overlap <= min(MOST_OVERLAP, spacing))


@pytest.mark.parametrize("dsp", DSP)
@pytest.mark.parametrize(("a_bits", "w_bits"), WIDTHS)
def test_as_many_weights_as_fit_share_a_multiplier(dsp, a_bits, w_bits):
    """Found by trial of all distances; and placed as far apart as there is room."""
    possible = {count: [spacing for spacing in range(1, a_bits + w_bits + 1)
                        if fits(count, spacing, dsp, a_bits, w_bits)] for count in range(2, 20)}
    most = max([count for count, spacings in possible.items() if spacings], default=1)
    packing = pack_weights(dsp, a_bits, w_bits, 0)
    assert packing.count == most
    if most > 1:
        assert packing.spacing == max(possible[most])
        assert packing.overlap == a_bits + w_bits - packing.spacing
        assert packing.width <= DSP[dsp][0]


@pytest.mark.parametrize(("dsp", "a_bits", "w_bits", "count"), [
    ("dsp48e2", 8, 8, 2), ("dsp48e2", 8, 4, 3), ("dsp48e2", 8, 2, 5), ("dsp48e2", 4, 4, 6),
    ("dsp48e2", 11, 4, 3), ("ecp5", 8, 8, 1), ("ecp5", 8, 4, 2), ("ecp5", 8, 2, 3),
    ("ecp5", 4, 4, 4), ("ice40", 8, 8, 1), ("ice40", 8, 4, 2), ("ice40", 8, 2, 3),
    ("ice40", 4, 4, 3)])
def test_products_of_a_multiplier(dsp, a_bits, w_bits, count):
    """The blocks' tables: three int4 by int8 in a DSP48E2, two in the others."""
    assert pack_weights(dsp, a_bits, w_bits, 0).count == count


def test_skipopus_three_int4_by_eleven_bits_lie_at_bits_0_11_and_22():
    packing = pack_weights("dsp48e2", 11, 4, 0)
    assert (packing.count, packing.spacing, packing.overlap) == (3, 11, 4)


def operands_of(a_bits, w_bits, count, rng):
    """All operands, or corners and as many at random: ``a`` and a row of weights each."""
    if a_bits + count * w_bits <= MOST_CASES.bit_length() - 1:
        grid = np.arange(1 << a_bits + count * w_bits)
        a = signed_bits(grid, a_bits)
        return a, [signed_bits(grid >> a_bits + place * w_bits, w_bits) for place in range(count)]
    half = 1 << w_bits - 1
    corners = np.array(list(product([-half, -1, half - 1], repeat=min(count, 6))))
    corners = np.pad(corners, ((0, 0), (0, count - corners.shape[1])), mode="wrap")
    weights = np.concatenate([corners, rng.integers(-half, half, (1 << 12, count))])
    a = np.arange(-(1 << a_bits - 1), 1 << a_bits - 1)
    return np.tile(a, len(weights)), list(np.repeat(weights, len(a), axis=0).T)


@pytest.mark.parametrize("dsp", DSP)
@pytest.mark.parametrize(("a_bits", "w_bits"), [(4, 2), (4, 4), (8, 2), (8, 4), (9, 5), (8, 8)])
def test_products_part_exactly(dsp, a_bits, w_bits, seed):
    """Of all operands: one product of the block, less what overlaps and what is borrowed."""
    packing = pack_weights(dsp, a_bits, w_bits, 0)
    if packing.count == 1:
        assert (dsp, a_bits, w_bits) in {("ecp5", 8, 8), ("ice40", 8, 8), ("ice40", 9, 5)}
        return
    a, weights = operands_of(a_bits, w_bits, packing.count, np.random.default_rng(seed))
    operand = sum(w << packing.spacing * place for place, w in enumerate(weights))
    wide, _ = DSP[dsp]
    assert operand.min() >= -(1 << wide - 1) and operand.max() < 1 << wide - 1
    assert (signed_bits(operand, packing.width) == operand).all()
    rest = operand * a
    for place in range(packing.count - 1):
        below, above = rest & (1 << packing.spacing) - 1, rest >> packing.spacing
        if packing.overlap:
            mask = (1 << packing.overlap) - 1
            own = signed_bits(above - (weights[place + 1] & mask) * (a & mask), packing.overlap)
        else:
            own = -(below >> packing.spacing - 1)
        found = signed_bits(below | (own << packing.spacing), a_bits + w_bits)
        assert (found == weights[place] * a).all(), f"product {place}, seed {seed}"
        rest = above - own
    assert (rest == weights[-1] * a).all(), f"seed {seed}"


class Lane(Component):
    """A PE of one lane, and its operand from weights side by side."""

    def __init__(self, dsp, a_bits, w_bits):
        self.w_bits = w_bits
        self.packing = pack_weights(dsp, a_bits, w_bits, 0)
        self.shape = PeShape(a_width=a_bits, lanes=1, slices=(1,) * self.packing.count,
                             acc_widths=(a_bits + w_bits,) * self.packing.count,
                             acc_form="binary")
        super().__init__({"a": In(signed(a_bits)), "w": In(w_bits * self.packing.count),
                          "products": Out((a_bits + w_bits) * self.packing.count)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.pe = pe = PackedPe(self.shape, self.packing, self.w_bits)
        weights = [self.w.word_select(place, self.w_bits).as_signed()
                   for place in range(self.packing.count)]
        m.d.comb += [pe.a.eq(self.a), pe.first.eq(1), self.products.eq(pe.state),
                     pe.digits.eq(operand_lines(m, self.packing, weights, "operand"))]
        return m


BENCH = """
module bench;
  reg clk = 0;
  reg signed [{a}-1:0] a;
  reg [{w}*{n}-1:0] w;
  wire [({a}+{w})*{n}-1:0] products;
  reg signed [{w}-1:0] one;
  reg signed [{a}+{w}-1:0] exact;
  integer i, j, place, code, wrong = 0, tried = 0;
  top dut(.clk(clk), .rst(1'b0), .a(a), .w(w), .products(products));
  function [{w}-1:0] corner(input integer which);
    case (which)
      0: corner = 1 << {w} - 1;
      1: corner = (1 << {w} - 1) - 1;
      2: corner = -1;
      3: corner = 0;
      4: corner = 1;
      default: corner = $random;
    endcase
  endfunction
  initial begin
    for (i = 0; i < 1 << {a}; i = i + 1)
      for (j = 0; j < {sets}; j = j + 1) begin
        a = i;
        code = j;
        for (place = 0; place < {n}; place = place + 1) begin
          w[place * {w} +: {w}] = corner(code % 6);
          code = code / 6;
        end
        #1 clk = 1;
        #1 clk = 0;
        tried = tried + 1;
        for (place = 0; place < {n}; place = place + 1) begin
          one = w[place * {w} +: {w}];
          exact = one * a;
          if (products[place * ({a} + {w}) +: {a} + {w}] !== exact) wrong = wrong + 1;
        end
      end
    $display("%0d wrong of %0d", wrong, tried);
  end
endmodule
"""


@pytest.mark.parametrize(("dsp", "a_bits", "w_bits"), [
    ("dsp48e2", 8, 4), ("ecp5", 8, 4), ("ice40", 8, 4), ("ice40", 4, 4)])
def test_the_pe_makes_exact_products(dsp, a_bits, w_bits, tmp_path):
    """All activations by the corners of every weight, and any others."""
    lane = Lane(dsp, a_bits, w_bits)
    count = lane.packing.count
    sets = 6 ** count
    (tmp_path / "top.v").write_text(verilog.convert(lane, name="top"))
    (tmp_path / "bench.v").write_text(BENCH.format(a=a_bits, w=w_bits, n=count, sets=sets))
    subprocess.run([require("iverilog"), "-g2005", "-s", "bench", "-o", "bench.vvp", "top.v",
                    "bench.v"], cwd=tmp_path, check=True)
    run = subprocess.run([require("vvp"), "bench.vvp"], cwd=tmp_path, check=True,
                         capture_output=True, text=True)
    assert run.stdout.splitlines()[-1] == f"0 wrong of {sets << a_bits}"


def test_columns_share_what_the_widths_allow():
    """A weight without sign takes a bit more, as does an activation."""
    signed_ones = BitsliceConfig(multiplier="dsp_packed", w_width=4, cols=12)
    assert signed_ones.columns == 4 and signed_ones.column_results == 3
    either = BitsliceConfig(multiplier="dsp_packed", w_width=4, cols=12, w_signed="runtime",
                            a_signed="runtime")
    assert either.packing.count == pack_weights("dsp48e2", 9, 5, 12).count
    assert BitsliceConfig(multiplier="dsp_packed", w_width=4, cols=4).packing.count == 2
