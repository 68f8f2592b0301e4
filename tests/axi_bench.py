"""Runs inside the simulator: cocotbext-axi on the AXI ports of a generated top, by prefix.

The plan of a run is a JSON file that the variable AXI_PLAN names; what was seen goes to another.
"""

import json
import os
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)

PATIENCE = 4000


class Top:
    """The device under test with a master, sources and sinks on it."""

    def __init__(self, dut, plan):
        self.dut, self.plan = dut, plan
        self.rng = random.Random(plan["seed"])
        cocotb.start_soon(Clock(dut.clk, 10, unit="ns").start())
        self.reset = getattr(dut, plan["reset"])
        active = plan["reset"] == "rst"
        end = (dut.clk, self.reset, active)
        # without tkeep a beat is always whole: it counts as one lane
        self.sources = {name: AxiStreamSource(AxiStreamBus.from_prefix(dut, f"s_axis_{name}"), *end,
                                              byte_lanes=1) for name in plan["sources"]}
        self.sinks = {name: AxiStreamSink(AxiStreamBus.from_prefix(dut, f"m_axis_{name}"), *end,
                                          byte_lanes=1) for name in plan["sinks"]}
        self.master = (AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), *end)
                       if plan["script"] else None)
        self.sent = dict.fromkeys(self.sources, 0)
        self.seen = {name: [] for name in self.sinks}
        self.active = active

    def stutter(self):
        """Random stalls on every channel."""
        ends = [*self.sources.values(), *self.sinks.values()]
        if self.master:
            write, read = self.master.write_if, self.master.read_if
            ends += [write.aw_channel, write.w_channel, write.b_channel, read.ar_channel,
                     read.r_channel]
        for end in ends:
            end.set_pause_generator(self._stalls(self.rng.choice(self.plan["stalls"])))

    def _stalls(self, share):
        while True:
            yield self.rng.random() < share

    async def start(self):
        for name, (first, _) in self.plan["wires"].items():
            getattr(self.dut, name).value = first
        self.reset.value = int(self.active)
        await ClockCycles(self.dut.clk, 4)
        self.reset.value = int(not self.active)
        await ClockCycles(self.dut.clk, 2)
        for name, (_, then) in self.plan["wires"].items():
            getattr(self.dut, name).value = then
        for name in self.sinks:
            cocotb.start_soon(self._receive(name))
        for name in self.sources:
            cocotb.start_soon(self._send(name))

    async def _send(self, name):
        source = self.sources[name]
        has_last = hasattr(source.bus, "tlast")
        width = self.plan["data_width"][name]
        words = self.plan["sources"][name]
        after = self.plan["after"].get(name) or [{}] * len(words)
        delay = self.plan["delay"].get(name) or [0] * len(words)
        frame = []
        for word, needed, cycles in zip(words, after, delay, strict=True):
            for other, count in needed.items():
                while self.moved(other) < count:
                    await RisingEdge(self.dut.clk)
            if cycles:
                await ClockCycles(self.dut.clk, cycles)
            frame.append(word & (1 << width) - 1)
            if not has_last or word >> width:
                source.send_nowait(AxiStreamFrame(frame))
                if self.plan["after"] or any(delay):
                    await source.wait()
                self.sent[name] += len(frame)
                frame = []
        assert not frame, f"the last beat of {name} is not a last one"

    def moved(self, name):
        return len(self.seen[name]) if name in self.seen else self.sent[name]

    async def _receive(self, name):
        sink = self.sinks[name]
        width = self.plan["data_width"][name]
        has_last = hasattr(sink.bus, "tlast")
        while True:
            frame = await sink.recv(compact=False)
            words = [int(word) for word in frame.tdata]
            assert not any(word >> width for word in words), "padding of tdata is not 0"
            if has_last:
                words[-1] |= 1 << width
            self.seen[name] += words

    async def beats(self, name, count):
        for _ in range(PATIENCE):
            if len(self.seen[name]) >= count:
                return
            await RisingEdge(self.dut.clk)
        raise AssertionError(f"{name} gave {len(self.seen[name])} beats, not {count}")

    async def step(self, what, *given):
        """One line of the script."""
        if what == "write":
            address, value, length = given
            done = await self.master.write(address, value.to_bytes(length, "little"))
            return int(done.resp)
        if what == "read":
            done = await self.master.read(given[0], 4)
            return [int.from_bytes(done.data, "little"), int(done.resp)]
        if what == "poll":
            address, value = given
            for _ in range(PATIENCE):
                done = await self.master.read(address, 4)
                if int.from_bytes(done.data, "little") == value:
                    return None
            raise AssertionError(f"{address:#x} does not come to {value:#x}")
        if what == "beats":
            return await self.beats(*given)
        assert what == "hold"
        name, value = given
        self.sinks[name].clear_pause_generator()
        self.sinks[name].pause = value
        return None


@cocotb.test()
async def run(dut):
    plan = json.loads(Path(os.environ["AXI_PLAN"]).read_text())
    top = Top(dut, plan)
    top.stutter()
    await top.start()
    results = [await top.step(*line) for line in plan["script"]]
    for name, count in plan["sinks"].items():
        await top.beats(name, count)
    await ClockCycles(dut.clk, plan["settle"])
    Path(plan["result"]).write_text(json.dumps({"steps": results, "sinks": top.seen}))
