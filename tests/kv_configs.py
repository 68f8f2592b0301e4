"""Configurations of the KV history buffer that together take every value of every parameter,
layers of random rows, and passes with one offence each."""

from collections.abc import Iterator, Sequence

import numpy as np

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.kv.config import KvConfig
from pimlico.verif.episode import Episode
from pimlico.verif.kv.golden import Layer
from pimlico.verif.kv.stimulus import Script

SMALL = {
    "smallest": {"elem_width": 4, "row_elems": 8, "beat_elems": 8, "tokens": 1},
    "one-beat": {"elem_width": 5, "row_elems": 8, "beat_elems": 8, "tokens": 2, "sequences": 2},
    "two-beats": {"row_elems": 16, "tokens": 5, "append": True},
    "three-beats": {"elem_width": 5, "row_elems": 12, "beat_elems": 4, "tokens": 5, "banks": 3,
                    "sequences": 3},
    "seven-beats": {"elem_width": 7, "row_elems": 14, "beat_elems": 2, "tokens": 16, "banks": 16,
                    "append": True},
    "many-beats": {"elem_width": 32, "row_elems": 64, "beat_elems": 1, "tokens": 3},
    "interleaved": {"row_elems": 16, "beat_elems": 4, "tokens": 8, "banks": 2, "sequences": 2,
                    "order": "interleaved"},
    "interleaved-six": {"elem_width": 8, "row_elems": 12, "beat_elems": 2, "tokens": 7,
                        "sequences": 3, "order": "interleaved", "append": True},
    "append-one": {"row_elems": 8, "beat_elems": 4, "tokens": 1, "append": True},
    "many-sequences": {"elem_width": 6, "row_elems": 8, "beat_elems": 4, "tokens": 2,
                       "sequences": 256, "banks": 2},
    "many-rows": {"row_elems": 8, "beat_elems": 4, "tokens": 600, "sequences": 2},
    "block": {"row_elems": 32, "tokens": 4, "banks": 4, "sequences": 4, "memory": "block"},
    "ultra": {"row_elems": 32, "beat_elems": 2, "tokens": 4, "banks": 16, "memory": "ultra",
              "append": True},
    "spram": {"elem_width": 4, "row_elems": 8, "beat_elems": 4, "tokens": 600, "memory": "spram"},
    "tail": {"row_elems": 16, "beat_elems": 4, "tokens": 5, "overflow": "dense_tail"},
    "tail-one": {"row_elems": 8, "tokens": 1, "overflow": "dense_tail", "append": True,
                 "sequences": 2, "memory": "block"},
    "int8": {"row_elems": 16, "beat_elems": 4, "tokens": 5, "quant": "int8", "append": True},
    "int8-three": {"elem_width": 24, "row_elems": 12, "beat_elems": 2, "tokens": 6, "banks": 3,
                   "sequences": 3, "quant": "int8", "memory": "block"},
    "int8-single": {"row_elems": 8, "beat_elems": 1, "tokens": 2, "quant": "int8",
                    "memory": "ultra"},
    "int4": {"elem_width": 32, "row_elems": 32, "beat_elems": 2, "tokens": 8, "banks": 2,
             "sequences": 2, "quant": "int4", "order": "interleaved"},
    "int4-tail": {"row_elems": 24, "beat_elems": 6, "tokens": 3, "quant": "int4",
                  "overflow": "dense_tail", "append": True, "memory": "spram"},
    "int2": {"row_elems": 16, "beat_elems": 2, "tokens": 600, "quant": "int2"},
    "int2-narrow": {"elem_width": 4, "row_elems": 8, "beat_elems": 4, "tokens": 4, "quant": "int2",
                    "sequences": 2, "on_chip_bits": 316},
}

LARGE = {
    "longest-row": {"elem_width": 32, "row_elems": 16384, "beat_elems": 64, "tokens": 16,
                    "banks": 16},
    "widest-beat": {"elem_width": 4, "row_elems": 4096, "beat_elems": 2048, "tokens": 64},
    "most-tokens": {"elem_width": 4, "row_elems": 8, "beat_elems": 4, "tokens": 65536,
                    "append": True, "memory": "block"},
    "most-beats": {"elem_width": 8, "row_elems": 16384, "beat_elems": 1, "tokens": 3},
    "int8-wide": {"row_elems": 1024, "beat_elems": 128, "tokens": 256, "quant": "int8",
                  "memory": "block"},
}


def random_config(rng: np.random.Generator) -> KvConfig:
    """Parameters drawn until they go together."""
    while True:
        beats = int(rng.choice([1, 2, 3, 4, 5, 6, 8, 12, 16, 24]))
        parameters = {
            "elem_width": int(rng.choice([4, 5, 8, 12, 16, 24, 32])),
            "beat_elems": int(rng.integers(1, 9)),
            "tokens": int(rng.choice([1, 2, 3, 4, 5, 8, 16, 17, 100, 512, 513, 700])),
            "sequences": int(rng.choice([1, 1, 2, 3, 4, 7])),
            "banks": int(rng.choice([1, 1, 2, 3, 4, 5, 8, 16])),
            "overflow": str(rng.choice(["reject", "reject", "dense_tail"])),
            "order": str(rng.choice(["k_then_v", "interleaved"])),
            "append": bool(rng.integers(2)),
            "quant": str(rng.choice(["none", "none", "none", "int8", "int4", "int2"])),
            "memory": str(rng.choice(["auto", "auto", "block", "ultra", "spram"])),
        }
        try:
            return KvConfig(row_elems=beats * parameters["beat_elems"], **parameters)
        except ConfigError:
            continue


def random_layer(config: KvConfig, rng: np.random.Generator, sequence: int, layer: int,
                 n_tokens: int, *, keep: float = 0.6, append: bool | None = None,
                 off: int = 0) -> Layer:
    """Random rows under a random mask; the burst is `off` beats longer than the mask asks for."""
    half = 1 << config.elem_width - 1
    executed = rng.random(n_tokens) < keep
    streamed = int(executed[:config.tokens].sum()) + max(0, n_tokens - config.tokens)
    beats = max(1, streamed * config.beats + off) if streamed else 0
    fresh = rng.integers(-half, half, (beats, config.beat_elems))
    appended = None if append is None else rng.integers(-half, half, config.row_elems)
    return Layer(sequence, layer, executed, fresh, appended, append)


def offences(config: KvConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """Each status code by itself, in the order of the codes."""
    def first(script: Script, **options: float) -> None:
        script.run(random_layer(config, rng, 0, 0, config.tokens, **options))

    for name, start in {"unknown sequence": (config.sequences, 0, 1), "layer": (0, 5, 1),
                        "no token": (0, 1, 0), "capacity": (0, 1, config.tokens + 1)}.items():
        script = Script(config)
        first(script, keep=1)
        script.start(*start)
        yield script.episode(name)
    script = Script(config)
    first(script, keep=1)
    script.busy(0, 1, 1)
    yield script.episode("busy", ready={"kv": 0.1})
    for name, options in {"hole": {"keep": 0}, "shortage": {"keep": 1, "off": -1},
                          "excess": {"keep": 1, "off": 2}}.items():
        script = Script(config)
        first(script, **options)
        yield script.episode(name)


def back_to_back(config: KvConfig, rng: np.random.Generator, keeps: Sequence[float]) -> Episode:
    """Layers of ten rows at most, each start in the cycle that takes the done before it."""
    script = Script(config)
    rows = min(config.tokens, 10)
    for layer, keep in enumerate(keeps):
        script.run(random_layer(config, rng, config.sequences - 1, layer, rows, keep=keep))
    after = [{"kv": layer * rows * config.beats} for layer in range(len(keeps))]
    return Episode("back to back", script.beats, after={"start": after})


def bubble_free(config: KvConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """Passes of any mix of rows without a bubble."""
    yield back_to_back(config, rng, (1, 0, 0.5, 0.5, 0.2, 0.8, 0.5))
    yield back_to_back(config, rng, (0.5, 0.5, 0.5, 1, 0, 0))


def tails(config: KvConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """Twice as many tokens as rows and more, then the rows again: none of the tail is in them."""
    script = Script(config)
    for layer, (rows, keep) in enumerate(((config.tokens, 1), (2 * config.tokens + 5, 0),
                                          (config.tokens, 0))):
        script.run(random_layer(config, rng, config.sequences - 1, layer, rows, keep=keep))
    yield script.episode("tail")
