"""Whether a signal can ever be 1 from a reset on: asked of ABC's property-directed reachability."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Run = Callable[..., None]

_BITS = {"S0": "0", "S1": "1"}


def reset_values(ys: Any, run: Run, module: Any, reset: str) -> dict[str, str]:
    """What the outputs of a module without state are while `reset` is 1.

    Parameters
    ----------
    ys : module
        ``pyosys.libyosys``.
    run : callable
        Runs commands on the design of `module`, which they change.
    module : pyosys.libyosys.Module
    reset : str
        An input.

    Returns
    -------
    dict of str to str
        Bits of each output, most significant first: 0, 1, or x where it depends on other inputs.
    """
    wire = module.wire(ys.IdString(f"\\{reset}"))
    wire.port_input = False
    module.connect(ys.SigSpec(wire), ys.SigSpec(ys.Const(1, 1)))
    module.fixup_ports()
    run("opt_expr", "opt_clean -purge")
    return constants(module)


def constants(module: Any) -> dict[str, str]:
    """The outputs of a module that was cleaned, bit by bit: 0, 1, or x for no constant."""
    values = {wire.name.str()[1:]: ["x"] * wire.width for wire in module.wires_.values()
              if wire.port_output}
    for left, right in module.connections_:
        for bit, value in zip(left.to_sigbit_vector(), right.to_sigbit_vector(), strict=True):
            if bit.wire.name.str()[1:] in values and not value.is_wire():
                values[bit.wire.name.str()[1:]][bit.offset] = _BITS.get(value.data.name, "x")
    return {name: "".join(reversed(bits)) for name, bits in values.items()}


def begin_with(ys: Any, run: Run, module: Any, register: Any, values: str) -> None:
    """Give a register values that it has first.

    Parameters
    ----------
    ys, run
        As of `reset_values`.
    module : pyosys.libyosys.Module
    register : pyosys.libyosys.Cell
        A ``$dff``.
    values : str
        Bits, most significant first; x is an input, of the name of the register, while the input
        ``begun`` is 0.
    """
    ports = {name.str()[1:]: bits for name, bits in register.connections_.items()}
    name = "".join(letter if letter.isalnum() else "_" for letter in register.name.str())
    begun = module.wire(ys.IdString("\\begun")) or module.addWire(ys.IdString("\\begun"), 1)
    held = module.addWire(ys.IdString(f"\\held{name}"), len(values))
    first = module.addWire(ys.IdString(f"\\begin{name}"), len(values))
    begun.port_input = first.port_input = True
    module.remove(register)
    module.addDff(ys.IdString(f"\\register{name}"), ports["CLK"], ports["D"], ys.SigSpec(held))
    run(f"setattr -set init {len(values)}'b{values.replace('x', '0')} w:held{name}")
    for bit, (q, value) in enumerate(zip(ports["Q"].to_sigbit_vector(), reversed(values),
                                         strict=True)):
        now = ys.SigSpec(held, bit, 1)
        if value == "x":
            module.addMux(ys.IdString(f"\\first{name}_{bit}"), ys.SigSpec(first, bit, 1), now,
                          ys.SigSpec(begun), ys.SigSpec(q, 1))
        else:
            module.connect(ys.SigSpec(q, 1), now)


def never(ys: Any, run: Run, miter: Any, state: Mapping[str, str], folder: Path,
          timeout: int) -> bool:
    """Whether ``trigger`` of a miter stays 0 when its state is put back in.

    Parameters
    ----------
    ys, run
        As of `reset_values`.
    miter : pyosys.libyosys.Module
        With inputs ``in_<name>_Q`` and outputs ``gold_<name>_D`` for each register, and an input
        ``in_clk``.
    state : mapping of str to str
        What each register begins with, most significant bit first; x is anything.
    folder : Path
        Where to work.
    timeout : int
        Seconds, after which the answer is no.
    """
    clock = ys.SigSpec(miter.wire(ys.IdString("\\in_clk")))
    for wire in miter.wires_.values():
        if wire.port_output and wire.name.str() != "\\trigger":
            wire.port_output = False
    for name, begin in state.items():
        now = miter.wire(ys.IdString(f"\\in_{name}_Q"))
        following = miter.wire(ys.IdString(f"\\gold_{name}_D"))
        if now is not None and following is not None:
            now.port_input = False
            miter.addDff(ys.IdString(f"\\{name}"), clock, ys.SigSpec(following), ys.SigSpec(now))
            run(f"setattr -set init {len(begin)}'b{begin} w:in_{name}_Q")
    begun = miter.wire(ys.IdString("\\in_begun"))
    if begun is not None:
        begun.port_input = False
        miter.addDff(ys.IdString("\\begins"), clock, ys.SigSpec(ys.Const(1, 1)),
                     ys.SigSpec(begun))
        run("setattr -set init 1'b0 w:in_begun")
    miter.fixup_ports()
    run("opt_clean -purge", "techmap", "opt -fast -keepdc", "dffunmap", "simplemap",
        "setundef -undriven -anyseq", "aigmap", "opt_clean",
        f"write_aiger {folder / 'miter.aig'}")
    abc = Path(str(ys.__file__)).with_name("yosys-abc")
    # undc: a register that begins with x begins with an input
    answer = subprocess.run(
        [abc, "-c", f"read_aiger {folder / 'miter.aig'}; logic; undc; strash; scleanup; "
                    f"pdr -T {timeout}"],
        capture_output=True, text=True, check=False, cwd=folder)
    return "Property proved" in answer.stdout
