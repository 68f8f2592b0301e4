"""The block: the core of the dataflow that a configuration asks for."""

from __future__ import annotations

from pimlico.hdl.common.component import BlockComponent

from .config import BitsliceConfig
from .output_stationary import OutputStationary
from .weight_stationary import WeightStationary


def bitslice_array(config: BitsliceConfig) -> BlockComponent:
    """The bit-sliced PE array of a configuration.

    Parameters
    ----------
    config : BitsliceConfig

    Returns
    -------
    BlockComponent
        Output or weight stationary, with the ports that the configuration lists.
    """
    return (WeightStationary if config.dataflow == "ws" else OutputStationary)(config)
