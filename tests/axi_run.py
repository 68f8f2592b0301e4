"""Runs a plan of `axi_bench` on a core that was just emitted, or on its AXI4-Lite wrapper."""

import json
import os
from contextlib import suppress
from pathlib import Path

from cocotb_tools.check_results import get_results

from pimlico.generators.axil import wrap
from pimlico.generators.verilog import Emitted, emit
from pimlico.hdl.common.ports import Stream
from pimlico.sim.runner import IcarusRunner, VerilatorRunner, build

RUNNERS = {"icarus": IcarusRunner, "verilator": VerilatorRunner}


class AxiTop:
    """A built top: of a core, or of the wrapper around it with `axil`."""

    def __init__(self, block, config, axil=False, reset="high", simulator="icarus"):
        self.config, self.simulator, self.reset = config, simulator, reset
        top = emit(block, config, "axi", reset)
        self.registers = None
        if axil:
            wrapper = wrap(block, config, top)
            self.registers = wrapper.registers
            top = Emitted(wrapper.emitted.top, top.text + wrapper.emitted.text,
                          wrapper.emitted.ports)
        self.built = build(simulator, top)
        outside = self.registers.outside if axil else config.ports
        self.streams = [port for port in outside if isinstance(port, Stream)]
        self.wires = [port.name for port in outside
                      if not isinstance(port, Stream) and port.direction == "in"]

    def address(self, name):
        return next(entry.address for entry in self.registers.registers if entry.name == name)

    def run(self, folder, seed, sources, sinks, script=(), after=None, delay=None, wires=None,
            settle=0, stalls=(0.0, 0.2, 0.7)):
        """What the script's steps gave, and the beats of every sink.

        `sources` has packed payloads by stream, `sinks` how many beats each must come to,
        `after` and `delay` are those of an episode, `wires` have a value for the first cycle and
        one for all others. `stalls` are the shares of cycles that an end may be paused for.
        """
        plan = {
            "reset": "rst" if self.reset == "high" else "aresetn", "seed": seed, "stalls": stalls,
            "sources": {port.name: [int(word) for word in sources.get(port.name, [])]
                        for port in self.streams if port.direction == "in"},
            "sinks": {port.name: sinks.get(port.name, 0)
                      for port in self.streams if port.direction == "out"},
            "data_width": {port.name: port.data_width for port in self.streams},
            "after": after or {}, "delay": delay or {},
            "wires": dict.fromkeys(self.wires, (0, 0)) | (wires or {}),
            "script": list(script), "settle": settle, "result": str(folder / "seen.json"),
        }
        assert sources.keys() <= plan["sources"].keys() and sinks.keys() <= plan["sinks"].keys()
        (folder / "plan.json").write_text(json.dumps(plan))
        runner = RUNNERS[self.simulator]()
        paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        log = folder / "run.log"
        # a failed test is told by SystemExit under pytest; the results say the same
        with suppress(SystemExit):
            runner.test(
                "axi_bench", self.built.top, hdl_toplevel_lang="verilog",
                build_dir=self.built.folder, test_dir=folder, log_file=log,
                results_xml=str(folder / "results.xml"),
                extra_env={"AXI_PLAN": str(folder / "plan.json"),
                           "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                           "COCOTB_LOG_LEVEL": "WARNING"})
        assert get_results(folder / "results.xml") == (1, 0), log.read_text()[-3000:]
        seen = json.loads((folder / "seen.json").read_text())
        return seen["steps"], seen["sinks"]
