"""The Verilog that surrounds a block for place and route: registers at every port, three pins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .targets import Device

TOP = "pimlico_harness"
CLOCK = "clk"


@dataclass(frozen=True)
class NetlistPort:
    """A port of a synthesised module; `direction` is ``"input"`` or ``"output"``."""

    name: str
    direction: str
    width: int


def harness(top: str, ports: Sequence[NetlistPort], device: Device) -> str:
    """A module that makes every path of a block start and end at a register.

    nextpnr's Fmax covers register-to-register paths only, and a block has more ports than a
    part has pins. So the inputs come from a shift register, and the outputs are registered and
    then folded to one bit by a tree of parities with a register a level. All of it is made of
    the family's own cells: the block keeps the netlist that was counted.

    Parameters
    ----------
    top : str
        The block's module.
    ports : sequence of NetlistPort
        Its ports; one called ``clk`` is the clock.
    device : Device
        Where the cells come from.
    """
    body: list[str] = []
    connections = [f".{port.name}({CLOCK})" for port in ports if port.name == CLOCK]

    def register(source: str) -> str:
        net = f"harness_{len(body)}"
        body.append(f"wire {net}; " + device.register.format(name=f"{net}_ff", d=source, q=net))
        return net

    last = "serial"
    outputs: list[str] = []
    for port in ports:
        if port.name == CLOCK:
            continue
        if port.direction == "input":
            bits = []
            for _ in range(port.width):
                last = register(last)
                bits.append(last)
            connections.append(f".{port.name}({{{', '.join(reversed(bits))}}})")
        else:
            net = f"output_{len(outputs)}"
            body.append(f"wire [{port.width - 1}:0] {net};")
            connections.append(f".{port.name}({net})")
            outputs += [register(f"{net}[{bit}]") for bit in range(port.width)]

    body.append(f"{top} core ({', '.join(connections)});")
    outputs.append(last)
    while len(outputs) > 1:
        outputs = [register(_parity(outputs[index:index + 4], body, device))
                   for index in range(0, len(outputs), 4)]
    return "\n".join([*_shell(device), *body, f"assign parity = {outputs[0]};", "endmodule", ""])


def _parity(nets: list[str], body: list[str], device: Device) -> str:
    net = f"parity_{len(body)}"
    a, b, c, d = [*nets, *["1'b0"] * (4 - len(nets))]
    body.append(f"wire {net}; "
                + device.parity.format(name=f"{net}_lut", a=a, b=b, c=c, d=d, q=net))
    return net


def _shell(device: Device) -> list[str]:
    if not device.input_pad:
        return [f"module {TOP} (input {CLOCK}, input serial, output parity);"]
    return [
        f"module {TOP} (input {CLOCK}_pin, input serial_pin, output parity_pin);",
        f"wire {CLOCK}, serial, parity;",
        device.input_pad.format(name="clk_pad", pin=f"{CLOCK}_pin", net=CLOCK),
        device.input_pad.format(name="serial_pad", pin="serial_pin", net="serial"),
        device.output_pad.format(name="parity_pad", pin="parity_pin", net="parity"),
    ]
