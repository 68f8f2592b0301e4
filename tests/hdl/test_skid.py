import random

from amaranth.sim import Simulator

from pimlico.hdl.common.skid import SkidBuffer


def run(rng, offer, take, cycles):
    """Beats that entered and left a skid buffer, with the cycle of each."""
    dut = SkidBuffer(8)
    entered, left, held = [], [], []

    async def bench(context):
        value, offering = 0, False
        for now in range(cycles):
            if not offering and rng.random() < offer:
                value, offering = value + 1, True
            context.set(dut.i.valid, offering)
            context.set(dut.i.payload, value & 0xFF if offering else 0)
            context.set(dut.o.ready, rng.random() < take)
            if held:
                assert context.get(dut.o.valid) and context.get(dut.o.payload) == held.pop()
            if context.get(dut.o.valid):
                if context.get(dut.o.ready):
                    left.append((now, context.get(dut.o.payload)))
                else:
                    held.append(context.get(dut.o.payload))
            if offering and context.get(dut.i.ready):
                entered.append((now, value & 0xFF))
                offering = False
            await context.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return entered, left


def test_full_rate_has_latency_one_and_no_bubble():
    entered, left = run(random.Random(0), 1, 1, 50)
    assert [now for now, _ in entered] == list(range(50))
    assert left == [(now + 1, value) for now, value in entered[:-1]]


def test_nothing_is_lost_doubled_or_reordered_and_payload_holds(seed):
    rng = random.Random(seed)
    for _ in range(10):
        entered, left = run(rng, rng.choice([0.3, 0.7, 1]), rng.choice([0.2, 0.6, 1]), 200)
        values = [value for _, value in entered]
        assert [value for _, value in left] == values[:len(left)]
        assert len(values) - len(left) <= 2


def test_ready_is_a_register(seed):
    """Ready in a cycle does not move with the sink's ready in that cycle."""
    dut = SkidBuffer(4)
    rng = random.Random(seed)

    async def bench(context):
        for _ in range(100):
            context.set(dut.i.valid, rng.randrange(2))
            context.set(dut.o.ready, 0)
            before = context.get(dut.i.ready), context.get(dut.o.valid)
            context.set(dut.o.ready, 1)
            assert (context.get(dut.i.ready), context.get(dut.o.valid)) == before
            context.set(dut.o.ready, rng.randrange(2))
            await context.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
