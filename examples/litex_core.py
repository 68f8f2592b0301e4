"""A generated core in LiteX: its streams as endpoints, its plain wires as CSRs.

`LitexCore` reads the ports from the core's manifest and so serves any block. `TernarySoC` shows it
at work: a job's sizes come from a CSR, activations and weights from memory by DMA, results go
back by DMA.

    $ python examples/litex_core.py --out out/litex

leaves the core and the Verilog of the SoC. Needs ``pip install litex``.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from litex.build.generic_platform import Pins, Subsignal
from litex.build.io import CRG
from litex.build.sim import SimPlatform
from litex.gen import LiteXModule
from litex.soc.cores.dma import WishboneDMAReader, WishboneDMAWriter
from litex.soc.integration.soc_core import SoCMini
from litex.soc.interconnect import stream, wishbone
from litex.soc.interconnect.csr import CSRField, CSRStatus, CSRStorage
from migen import ClockSignal, If, Instance, Mux, ResetSignal, Signal

from pimlico.generators.deliver import generate
from pimlico.generators.load import load

TOP = "pimlico_ternary"
IO = [("sys_clk", 0, Pins(1)), ("sys_rst", 0, Pins(1)),
      ("serial", 0, Subsignal("tx", Pins(1)), Subsignal("rx", Pins(1)))]


class LitexCore(LiteXModule):
    """An instance of a generated core.

    Every stream becomes an attribute, an endpoint with a field ``data``; ``tlast`` is its
    ``last``. An input wire becomes a `CSRStorage`, an output wire a `CSRStatus`, both under the
    wire's name.

    Parameters
    ----------
    platform
        LiteX's platform; the core's Verilog is added to its sources.
    folder : Path
        What `pimlico generate` wrote.
    top : str
        Name of the core's module.
    """

    def __init__(self, platform: Any, folder: Path, top: str):
        self.manifest = json.loads((folder / f"{top}.json").read_text())
        reset = self.manifest["reset"]
        active = ResetSignal() if reset["active"] == "high" else ~ResetSignal()
        pins = {"i_clk": ClockSignal(), f"i_{reset['port']}": active}
        for port in self.manifest["ports"]:
            pins |= self._stream(port) if port["kind"] == "stream" else self._wire(port)
        self.specials += Instance(top, name="pimlico", **pins)
        platform.add_source(str(folder / f"{top}.v"))

    def _stream(self, port: dict[str, Any]) -> dict[str, Any]:
        signals = port["signals"]
        endpoint = stream.Endpoint([("data", signals["tdata"]["width"])], name=port["name"])
        setattr(self, port["name"], endpoint)
        ends = {"tdata": endpoint.data, "tvalid": endpoint.valid, "tready": endpoint.ready,
                "tlast": endpoint.last}
        forward, backward = ("i", "o") if port["direction"] == "in" else ("o", "i")
        return {f"{backward if role == 'tready' else forward}_{signal['name']}": ends[role]
                for role, signal in signals.items()}

    def _wire(self, port: dict[str, Any]) -> dict[str, Any]:
        pin = port["signals"]["wire"]["name"]
        if port["direction"] == "in":
            register = CSRStorage(port["width"], name=port["name"], description=port["doc"])
            setattr(self, port["name"], register)
            return {f"i_{pin}": register.storage}
        register = CSRStatus(port["width"], name=port["name"], description=port["doc"])
        setattr(self, port["name"], register)
        return {f"o_{pin}": register.status}


class TernaryJobs(LiteXModule):
    """Sends a job's sizes to the core when its CSR is written.

    The endpoint is held until the core takes it; ``busy`` is 1 so long, and a write meanwhile is
    lost.
    """

    def __init__(self, core: LitexCore):
        port = next(port for port in core.manifest["ports"] if port["name"] == "cfg")
        self.job = CSRStorage(name="job", fields=[
            CSRField(field["name"], size=field["width"], offset=field["lsb"],
                     description=field["doc"]) for field in port["fields"]])
        self.busy = CSRStatus(name="busy")
        waiting = Signal()
        payload = Signal(len(core.cfg.data))
        self.comb += [core.cfg.valid.eq(waiting), core.cfg.data.eq(payload),
                      self.busy.status.eq(waiting)]
        self.sync += [waiting.eq(Mux(waiting, ~core.cfg.ready, self.job.re)),
                      If(~waiting, payload.eq(self.job.storage))]


class TernarySoC(SoCMini):
    """A bus with memory on it, the core with a DMA engine for each bulk stream, and a serial line
    over which a host reaches memory and CSRs (``litex_server --uart``).

    Parameters
    ----------
    platform
        LiteX's platform, with the pins of `IO`.
    folder : Path
        The generated core.
    frequency : int
        Of the clock, Hz.
    """

    def __init__(self, platform: Any, folder: Path, frequency: int = 100_000_000):
        SoCMini.__init__(self, platform, frequency, ident="Pimlico ternary-gemm")
        self.crg = CRG(platform.request("sys_clk"), platform.request("sys_rst"))
        self.add_ram("data", 0x1000_0000, 0x1_0000)
        self.add_uartbone()
        self.core = LitexCore(platform, folder, TOP)
        self.jobs = TernaryJobs(self.core)
        for name in ("a", "w"):
            bus = wishbone.Interface(data_width=32, address_width=32, addressing="word")
            reader = WishboneDMAReader(bus, with_csr=True)
            sink = getattr(self.core, name)
            converter = stream.Converter(32, len(sink.data))
            self.add_module(f"{name}_reader", reader)
            self.add_module(f"{name}_converter", converter)
            self.bus.add_master(name=f"{name}_reader", master=bus)
            self.comb += [reader.source.connect(converter.sink), converter.source.connect(sink)]
        bus = wishbone.Interface(data_width=32, address_width=32, addressing="word")
        self.o_converter = stream.Converter(len(self.core.o.data), 32)
        self.o_writer = WishboneDMAWriter(bus, with_csr=True)
        self.bus.add_master(name="o_writer", master=bus)
        self.comb += [self.core.o.connect(self.o_converter.sink),
                      self.o_converter.source.connect(self.o_writer.sink)]


def elaborate(out: Path, preset: str = "tiny") -> Path:
    """Write the core and the SoC's Verilog into `out`; the path of the latter."""
    design = load("ternary-gemm", preset=preset)
    generate(design.block, design.config, out, TOP.removeprefix("pimlico_"))
    platform = SimPlatform("SIM", IO)
    soc = TernarySoC(platform, out)
    verilog = platform.get_verilog(soc, name="ternary_soc")
    path = out / "ternary_soc.v"
    # LiteX writes the contents of memories, such as its identifier, to files beside the Verilog
    here = Path.cwd()
    os.chdir(out)
    try:
        verilog.write(str(path))
    finally:
        os.chdir(here)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--preset", default="tiny")
    arguments = parser.parse_args()
    print(elaborate(arguments.out, arguments.preset))


if __name__ == "__main__":
    main()
