"""Clock constraints for the core taken by itself: SDC, Xilinx XDC and Lattice LPF."""

from __future__ import annotations

from .verilog import Emitted

CLOCK_MHZ = 100
"""A starting point; the period stands in one line of each file."""

_PERIOD = f"{1000 / CLOCK_MHZ:.3f}"


def constraints(emitted: Emitted) -> dict[str, str]:
    """Text of the three constraint files by name.

    They are for building the core out of context. In a design that has its own constraint on
    the clock, leave them out.
    """
    top = emitted.top
    inputs = " ".join(port.name for port in emitted.ports
                      if port.direction == "input" and port.role != "clk")
    outputs = " ".join(port.name for port in emitted.ports if port.direction == "output")
    about = f"# {top} out of context, {CLOCK_MHZ} MHz. Leave out where the clock has its own.\n"
    return {
        f"{top}.sdc": about + f"""\
create_clock -name clk -period {_PERIOD} [get_ports clk]
set_input_delay -clock clk 0.000 [get_ports {{{inputs}}}]
set_output_delay -clock clk 0.000 [get_ports {{{outputs}}}]
""",
        f"{top}.xdc": about + f"create_clock -name clk -period {_PERIOD} [get_ports clk]\n",
        f"{top}.lpf": about + f'FREQUENCY PORT "clk" {CLOCK_MHZ}.0 MHZ;\n',
    }
