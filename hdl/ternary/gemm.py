"""The block: the core of the build that a configuration asks for."""

from __future__ import annotations

from pimlico.hdl.common.component import BlockComponent

from .config import TernaryConfig
from .core import TernaryGemm
from .serial_core import SerialTernaryGemm


def ternary_gemm(config: TernaryConfig) -> BlockComponent:
    """The ternary LUT GEMM core of a configuration.

    Parameters
    ----------
    config : TernaryConfig

    Returns
    -------
    BlockComponent
        Output stationary with a parallel build, activation stationary with a serial one.
    """
    return (SerialTernaryGemm if config.serial else TernaryGemm)(config)
