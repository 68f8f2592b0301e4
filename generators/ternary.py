"""Registration of the ternary LUT GEMM core."""

from pathlib import Path

from pimlico.hdl.ternary.config import TernaryConfig

from .block import Block

BLOCK = Block(
    name="ternary-gemm",
    summary="Ternary-weight GEMV/GEMM by table lookup (BitNet b1.58)",
    config=TernaryConfig,
    component="pimlico.hdl.ternary.gemm:ternary_gemm",
    cycles="pimlico.verif.ternary.models:cycles",
    stimulus="pimlico.verif.ternary.stimulus:episodes",
    presets=Path(__file__).parent / "presets" / "ternary-gemm",
    properties="pimlico.hdl.ternary.properties:properties",
    diagram="pimlico.hdl.ternary.diagram:stages",
    compiled="pimlico.verif.ternary.models:compiled",
    choose="pimlico.generators.ternary_cost.choice:TernaryChoice",
)
