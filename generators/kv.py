"""Registration of the KV history buffer."""

from pathlib import Path

from pimlico.hdl.kv.config import KvConfig

from .block import Block

BLOCK = Block(
    name="kv-history",
    summary="On-chip history of K/V rows for per-layer token skipping, without gathers",
    config=KvConfig,
    component="pimlico.hdl.kv.core:KvHistory",
    cycles="pimlico.verif.kv.cycles:KvCycles",
    stimulus="pimlico.verif.kv.stimulus:episodes",
    presets=Path(__file__).parent / "presets" / "kv-history",
    properties="pimlico.hdl.kv.properties:properties",
    diagram="pimlico.hdl.kv.diagram:stages",
)
