"""The registers and the bus end against a plain model, access by access."""

import random

import pytest
from amaranth.hdl import Elaboratable, Module
from amaranth.sim import Simulator

from pimlico.hdl.axil.bank import RegisterBank
from pimlico.hdl.axil.registers import RegisterMap
from pimlico.hdl.axil.slave import ACCESS, OKAY, SLVERR, AxilSlave
from pimlico.hdl.common.ports import Field, Stream, Wire

PORTS = (
    Stream("cmd", "in", (Field("op", 3), Field("key", 70), Field("scale", 9, 2))),
    Stream("go", "in", (Field("go", 1),)),
    Stream("o", "out", (Field("data", 8),)),
    Stream("done", "out", (Field("code", 5), Field("tag", 33))),
    Wire("level", "in", 37), Wire("count", "out", 40), Wire("flag", "out", 1),
)
REGISTERS = RegisterMap(PORTS, 0x89ABCDEF)


class Both(Elaboratable):
    def __init__(self):
        self.slave, self.bank = AxilSlave(), RegisterBank(REGISTERS)

    def elaborate(self, platform):
        m = Module()
        m.submodules.slave, m.submodules.bank = self.slave, self.bank
        for name, member in ACCESS.items():
            ends = getattr(self.bank, name), getattr(self.slave, name)
            sink, source = ends if member.flow.name == "Out" else ends[::-1]
            m.d.comb += sink.eq(source)
        return m


class Model:
    """What the registers hold, and what becomes of an access."""

    def __init__(self):
        self.value = {"cmd": 0, "go": 0, "level": 0}
        self.waiting = {"cmd": False, "go": False}
        self.reply = None
        self.wires = {"count": 0, "flag": 0}
        self.sent, self.taken = [], []

    def read(self, address):
        entry = {entry.address: entry for entry in REGISTERS.registers}.get(address)
        if entry is None:
            return 0, SLVERR
        if entry.kind == "identity":
            return REGISTERS.identity, OKAY
        if entry.kind == "status":
            return (not self.waiting["cmd"]) | (not self.waiting["go"]) << 1 \
                | (self.reply is not None) << 2, OKAY
        name = entry.port.name
        if entry.kind == "push":
            return int(self.waiting[name]), OKAY
        if entry.kind == "pop":
            return int(self.reply is not None), OKAY
        value = self.reply if name == "done" else {**self.value, **self.wires}[name]
        if value is None:
            return 0, SLVERR
        return value >> entry.lsb & (1 << entry.width) - 1, OKAY

    def write(self, address, data, strobe):
        entry = {entry.address: entry for entry in REGISTERS.registers}.get(address)
        if entry is None or entry.access == "ro":
            return SLVERR
        name, asked = entry.port.name, data & strobe & 1
        if entry.kind == "push":
            if asked and self.waiting[name]:
                return SLVERR
            self.waiting[name] |= bool(asked)
            return OKAY
        if entry.kind == "pop":
            if asked and self.reply is None:
                return SLVERR
            if asked:
                self.taken.append(self.reply)
                self.reply = None
            return OKAY
        if self.waiting.get(name):
            return SLVERR
        for bit in range(entry.width):
            if strobe >> bit // 8 & 1:
                mask = 1 << entry.lsb + bit
                self.value[name] = self.value[name] & ~mask | (data >> bit & 1) * mask
        return OKAY


@pytest.mark.parametrize("order", ["together", "address first", "data first"])
def test_random_accesses(seed, order):
    """Between accesses the core's side moves: it takes commands, and gives replies and values."""
    rng, dut, model = random.Random(seed), Both(), Model()
    slave, bank = dut.slave, dut.bank
    addresses = [entry.address for entry in REGISTERS.registers]
    strobes = [entry.address for entry in REGISTERS.registers if entry.kind in ("push", "pop")]
    took, gave = [], []

    async def edge(ctx):
        for name in ("cmd", "go"):
            end = getattr(bank, name)
            if ctx.get(end.valid) and ctx.get(end.ready):
                took.append((name, ctx.get(end.payload)))
        popped = ctx.get(bank.done.valid) and ctx.get(bank.done.ready)
        if popped:
            gave.append(ctx.get(bank.done.payload))
        await ctx.tick()
        if popped:
            ctx.set(bank.done.valid, 0)

    async def until(ctx, signal):
        for _ in range(20):
            if ctx.get(signal):
                return
            await edge(ctx)
        raise AssertionError("the bus does not move")

    async def send(ctx, channel, **payload):
        for name, value in payload.items():
            ctx.set(getattr(slave, name), value)
        ctx.set(getattr(slave, f"{channel}valid"), 1)
        await until(ctx, getattr(slave, f"{channel}ready"))
        await edge(ctx)
        ctx.set(getattr(slave, f"{channel}valid"), 0)

    async def answer(ctx, channel, *names):
        await until(ctx, getattr(slave, f"{channel}valid"))
        values = [ctx.get(getattr(slave, name)) for name in names]
        for _ in range(rng.choice([0, 0, 3])):  # it stays while it is not taken
            await edge(ctx)
            assert ctx.get(getattr(slave, f"{channel}valid"))
            assert values == [ctx.get(getattr(slave, name)) for name in names]
        ctx.set(getattr(slave, f"{channel}ready"), 1)
        await edge(ctx)
        ctx.set(getattr(slave, f"{channel}ready"), 0)
        assert not ctx.get(getattr(slave, f"{channel}valid"))
        return values

    async def core(ctx):
        """The core takes what waits, or not; its outputs change."""
        for name in ("cmd", "go"):
            end = getattr(bank, name)
            if rng.random() < 0.2:
                ctx.set(end.ready, 1)
                await edge(ctx)
                ctx.set(end.ready, 0)
                if model.waiting[name]:
                    model.sent.append((name, model.value[name]))
                model.waiting[name] = False
        if model.reply is None and rng.random() < 0.4:
            model.reply = rng.getrandbits(38)
        ctx.set(bank.done.valid, model.reply is not None)
        ctx.set(bank.done.payload, model.reply or 0)
        model.wires = {"count": rng.getrandbits(40), "flag": rng.getrandbits(1)}
        for name, value in model.wires.items():
            ctx.set(getattr(bank, name), value)

    async def write(ctx, address, data, strobe):
        halves = [("aw", {"awaddr": address}), ("w", {"wdata": data, "wstrb": strobe})]
        if order == "together":
            for channel, payload in halves:
                for name, value in payload.items():
                    ctx.set(getattr(slave, name), value)
                ctx.set(getattr(slave, f"{channel}valid"), 1)
            assert ctx.get(slave.awready) and ctx.get(slave.wready)
            await edge(ctx)
            ctx.set(slave.awvalid, 0)
            ctx.set(slave.wvalid, 0)
        else:
            for channel, payload in halves if order == "address first" else halves[::-1]:
                await send(ctx, channel, **payload)
                for _ in range(rng.choice([0, 2])):
                    await edge(ctx)
        expected = model.write(address, data, strobe)
        assert await answer(ctx, "b", "bresp") == [expected]

    async def bench(ctx):
        for _ in range(1000):
            await core(ctx)
            address = rng.choice([rng.choice(addresses), rng.choice(addresses),
                                  rng.choice(strobes), 4 * rng.randrange(1 << 10)])
            low = rng.randrange(4)
            if rng.random() < 0.5:
                strobe = rng.choice([15, 15, rng.randrange(16)])
                await write(ctx, address | low, rng.getrandbits(32) | rng.getrandbits(1), strobe)
            else:
                await send(ctx, "ar", araddr=address | low)
                assert await answer(ctx, "r", "rdata", "rresp") == list(model.read(address))

    # the two lowest bits of an address are ignored
    plain_read, plain_write = model.read, model.write
    model.read = lambda address: plain_read(address & ~3)
    model.write = lambda address, *rest: plain_write(address & ~3, *rest)
    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(bench)
    simulator.run()
    assert (took, gave) == (model.sent, model.taken)
    assert len(took) > 2 and len(gave) > 2


def address_of(name):
    return next(entry.address for entry in REGISTERS.registers if entry.name == name)


def run(bench):
    dut = Both()

    async def testbench(ctx):
        await bench(ctx, dut.slave, dut.bank)

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run()


async def begin(ctx, slave, **write):
    """Hands over both halves of a write, which the slave has room for."""
    for name, value in {"wstrb": 15, **write, "awvalid": 1, "wvalid": 1}.items():
        ctx.set(getattr(slave, name), value)
    assert ctx.get(slave.awready) and ctx.get(slave.wready)
    await ctx.tick()
    ctx.set(slave.awvalid, 0)
    ctx.set(slave.wvalid, 0)


async def answered(ctx, slave, channel, name):
    """The answer that stands, taken."""
    assert ctx.get(getattr(slave, f"{channel}valid"))
    value = ctx.get(getattr(slave, name))
    ctx.set(getattr(slave, f"{channel}ready"), 1)
    await ctx.tick()
    ctx.set(getattr(slave, f"{channel}ready"), 0)
    return value


def test_a_write_waits_until_the_answer_before_it_is_taken():
    async def bench(ctx, slave, bank):
        await begin(ctx, slave, awaddr=0xFFC, wdata=1)
        await ctx.tick()
        await begin(ctx, slave, awaddr=address_of("LEVEL_0"), wdata=0x1234)
        for _ in range(4):
            await ctx.tick()
            assert not ctx.get(slave.awready) and not ctx.get(slave.wready)
            assert ctx.get(bank.level) == 0
            assert ctx.get(slave.bvalid) and ctx.get(slave.bresp) == SLVERR
        assert await answered(ctx, slave, "b", "bresp") == SLVERR
        assert ctx.get(bank.level) == 0x1234
        assert await answered(ctx, slave, "b", "bresp") == OKAY
        assert not ctx.get(slave.bvalid)

    run(bench)


def test_a_read_waits_until_the_answer_before_it_is_taken():
    async def bench(ctx, slave, bank):
        for address in (address_of("CORE_ID"), 0xFFC):
            ctx.set(slave.araddr, address)
            ctx.set(slave.arvalid, 1)
            assert ctx.get(slave.arready)
            await ctx.tick()
            ctx.set(slave.arvalid, 0)
            await ctx.tick()
        for _ in range(4):
            await ctx.tick()
            assert not ctx.get(slave.arready)
            assert ctx.get(slave.rdata) == REGISTERS.identity and ctx.get(slave.rresp) == OKAY
        assert await answered(ctx, slave, "r", "rdata") == REGISTERS.identity
        assert await answered(ctx, slave, "r", "rresp") == SLVERR
        assert not ctx.get(slave.rvalid)

    run(bench)


@pytest.mark.parametrize("moment", range(5))
def test_a_push_while_the_core_takes_what_waits(moment):
    """As many beats leave as pushes were answered OKAY, whichever is first."""
    async def bench(ctx, slave, bank):
        taken = answers = 0

        async def edge():
            nonlocal taken
            taken += ctx.get(bank.go.valid) and ctx.get(bank.go.ready)
            await ctx.tick()

        push = {"awaddr": address_of("GO_PUSH"), "wdata": 1}
        await begin(ctx, slave, **push)
        await edge()
        answers += await answered(ctx, slave, "b", "bresp") == OKAY
        ctx.set(bank.go.ready, moment == 0)
        taken += moment == 0
        await begin(ctx, slave, **push)
        for now in range(1, 5):
            ctx.set(bank.go.ready, now == moment)
            await edge()
        answers += await answered(ctx, slave, "b", "bresp") == OKAY
        assert answers == 1 + (moment == 0)
        ctx.set(bank.go.ready, 1)
        for _ in range(3):
            await edge()
        assert taken == answers

    run(bench)


def test_a_pop_without_a_reply_takes_none():
    async def bench(ctx, slave, bank):
        await begin(ctx, slave, awaddr=address_of("DONE_POP"), wdata=1)
        assert ctx.get(slave.write)
        await ctx.tick()
        assert await answered(ctx, slave, "b", "bresp") == SLVERR
        ctx.set(bank.done.valid, 1)
        for _ in range(4):
            assert not ctx.get(bank.done.ready)
            await ctx.tick()
        await begin(ctx, slave, awaddr=address_of("DONE_POP"), wdata=1)
        assert ctx.get(bank.done.ready)
        await ctx.tick()
        assert not ctx.get(bank.done.ready)
        assert await answered(ctx, slave, "b", "bresp") == OKAY

    run(bench)
