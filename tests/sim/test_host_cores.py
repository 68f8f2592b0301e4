"""A core of every family behind the pins of a UART: load, run, read back, compare."""

import numpy as np
import pytest
from bitslice_jobs import Bench
from kv_configs import SMALL as KV
from kv_configs import random_layer
from pim_configs import FAST

from pimlico.generators.block import find
from pimlico.generators.load import load
from pimlico.hdl.kv.config import KvConfig
from pimlico.hdl.omap.config import DEL, GET, MISS, OK, PUT, OmapConfig
from pimlico.hdl.pim.commands import Op
from pimlico.hdl.pim.config import PimBankConfig
from pimlico.host.layout import unpack
from pimlico.host.simulated import simulated
from pimlico.verif.ascon.golden import seal
from pimlico.verif.bits import pack
from pimlico.verif.kv.golden import History
from pimlico.verif.kv.stimulus import Script

pytestmark = pytest.mark.deep


def driven(block, config, seed):
    return simulated(find(block), config, seed=seed)


def test_bitslice_products(seed):
    config = load("bitslice-array", preset="ice40-tiny").config
    bench = Bench(config, np.random.default_rng(seed))
    with driven("bitslice-array", config, seed) as host:
        for _ in range(6):
            bench.work()
        out = host.run(bench.beats, {"o": len(bench.results)})["o"]
        expected = unpack(config.port("o"), bench.results)
        for name, values in expected.items():
            assert out[name].tolist() == values.tolist(), name
        assert host.read("status") == 0


@pytest.mark.parametrize("name", ["two-beats", "int8", "tail"])
def test_kv_layers(seed, name):
    config = KvConfig(**KV[name])
    rng = np.random.default_rng(seed)
    history = History(config)
    with driven("kv-history", config, seed) as host:
        for layer in range(5):
            append = bool(rng.integers(2)) if config.append and layer else None
            job = random_layer(config, rng, 0, layer, config.tokens - 1, append=append)
            script = Script(config)
            script.run(job)
            expected = history.run(job)
            out = host.run(script.beats, {"kv": expected.fresh.size, "done": 1})
            data = out["kv"]["data"].reshape(expected.data.shape)
            mask = (1 << config.elem_width) - 1
            assert (data & mask).tolist() == (expected.data & mask).tolist()
            assert out["kv"]["hole"].tolist() == expected.hole.ravel().tolist()
            assert out["done"]["fresh_rows"].tolist() == [expected.fresh_rows]


def test_an_oblivious_map(seed):
    """The host is the memory too: pages come and go over the line."""
    config = OmapConfig(log2_pages=3, slots=4, capacity=12, key_width=16, value_width=16,
                        beat_width=128, host_latency_max=65_535)
    rng = np.random.default_rng(seed)
    pages = {page: [int.from_bytes(rng.bytes(16), "little") for _ in range(config.beats)]
             for page in range(1 << config.log2_pages)}
    known = {}

    def draw(count):
        return [int(word) for word in rng.integers(0, 1 << config.random_bits, count)]

    def serve(host):
        request = host.pop("req", 1)
        page = int(request["page"][0])
        if request["write"][0]:
            out = host.pop("wdata", config.beats)
            pages[page] = [int(word) for word in out["data"]]
            assert out["last"].tolist() == [0] * (config.beats - 1) + [1]
        else:
            host.push("rdata", {"data": np.array(pages[page], object),
                                "last": np.arange(config.beats) == config.beats - 1})

    with driven("omap-controller", config, seed) as host:
        host.pulse("init")
        host.push("random", draw(config.init_draws))
        for _ in range(1000):
            if host.read("ready"):
                break
        for _ in range(25):
            op, key = int(rng.choice([PUT, PUT, GET, DEL])), int(rng.integers(9))
            value = int(rng.integers(1 << 16))
            host.push("random", draw(1))
            host.push("cmd", {"op": op, "key": key, "value": value})
            for _ in range(4):
                serve(host)
            answer = {name: int(each[0]) for name, each in host.pop("rsp", 1).items()}
            found = key in known
            assert answer["found"] == found
            assert answer["status"] == (OK if found or op == PUT else MISS)
            assert answer["value"] == (value if op == PUT else known.get(key, 0))
            if op == PUT:
                known[key] = value
            elif op == DEL:
                known.pop(key, None)
            assert host.read("live") == len(known)


def test_a_bank_that_multiplies(seed):
    """Commands of one frame follow each other within a few cycles."""
    config = PimBankConfig(fmt="int8", lanes=8, row_bytes=256, rows=4, strict=False,
                           timing={**FAST, "trefi": 65_535})
    rng = np.random.default_rng(seed)
    matrix, vector = rng.integers(-128, 128, (2, 8)), rng.integers(-128, 128, (2, 8))
    cmd = {name: 0 for name in (field.name for field in config.port("cmd").fields)}

    def commands(*given):
        return {name: [{**cmd, **each}[name] for each in given] for name in cmd}

    with driven("pim-bank", config, seed) as host:
        banks = {"bank_mask": 1} if "bank_mask" in cmd else {}
        out = host.run({
            "cmd": commands(
                {"op": Op.REF}, {"op": Op.GB_WR, "col": 0}, {"op": Op.GB_WR, "col": 1},
                {"op": Op.ACT, "row": 2, **banks}, {"op": Op.WR, "col": 3, **banks},
                {"op": Op.WR, "col": 4, **banks}, {"op": Op.ACC_WR, "slot": 1, **banks},
                {"op": Op.MAC, "n": 2, "col": 3, "slot": 1, **banks},
                {"op": Op.ACC_RD, "slot": 1, "tag": 77, **banks},
                {"op": Op.RD, "col": 4, "tag": 78, **banks}),
            "wdata": pack(np.concatenate([vector, matrix]), 8),
        }, {"result": 1, "rdata": 1})
        assert out["result"]["data"].ravel().tolist() == [int((matrix * vector).sum())]
        assert out["result"]["tag"].tolist() == [77]
        assert [int(word) for word in out["rdata"]["data"]] == pack(matrix[1:], 8)
        assert host.read("busy") == 0


def test_a_sealed_text(seed):
    config = load("ascon-aead128", preset="compact").config
    rng = np.random.default_rng(seed)
    key, nonce, ad, text = rng.bytes(16), rng.bytes(16), rng.bytes(6), rng.bytes(11)
    lanes = config.port("text").fields[0].lanes

    def packet(octets):
        cut = [octets[at:at + lanes] for at in range(0, len(octets), lanes)]
        return {"data": [list(each.ljust(lanes, b"\0")) for each in cut],
                "bytes": [len(each) for each in cut],
                "last": np.arange(len(cut)) == len(cut) - 1}

    cmd = {"key": int.from_bytes(key, "little"), "nonce": int.from_bytes(nonce, "little"),
           "decrypt": 0}
    with driven("ascon-aead128", config, seed) as host:
        out = host.run({"cmd": cmd, "ad": packet(ad), "text": packet(text)},
                       {"result": len(packet(text)["bytes"]), "done": 1})
    cipher, tag = seal(key, nonce, ad, text)
    got = out["result"]["data"].astype(np.uint8).tobytes()[:len(text)]
    assert (got, int(out["done"]["tag"][0])) == (cipher, int.from_bytes(tag, "little"))
