"""The datapath as the datasheet draws it."""

from __future__ import annotations

from .config import OmapConfig

Stage = tuple[str, str, int, tuple[str, ...]]


def stages(config: OmapConfig) -> list[Stage]:
    """Every stage from the command to the response: title, detail, cycles, and the streams that
    enter or leave there."""
    slots = f"{config.lanes} slots a beat" if config.lanes > 1 else f"{config.parts} beats a slot"
    cipher = "; Ascon-AEAD128" if config.sealed else ""
    random = ("random",) if config.entropy == "stream" else ()
    pages = f"two pages of {config.beats} beat{'s' * (config.beats > 1)}"
    return [
        ("index", f"{config.index_ways} ways of {1 << config.index_bits} entries, "
                  f"{config.index_stash} in the stash", config.trusted_latency + 2, ("cmd",)),
        ("read", f"{pages}, {slots}{cipher}", config.fetched,
         (*random, "req", "rdata")),
        ("merge", f"up to {config.merges} of {config.pending} waiting items into each page",
         2 * config.merges, ()),
        ("write", "both pages, the item waits for its next page", 2 * config.beats,
         ("wdata", "rsp")),
    ]
