"""What ``init`` does before the first command: secrets are drawn, memories cleared."""

from __future__ import annotations

from typing import Literal

from pimlico.hdl.omap.config import OmapConfig


class Startup:
    """How far ``init`` has got.

    Attributes
    ----------
    doing : str
        ``"off"``, ``"draw"`` or ``"clear"``.
    clears : int
        Words of the memories that are cleared.
    secrets : int
        What has been drawn.
    ready : bool
        Whether commands may come.
    """

    def __init__(self, config: OmapConfig):
        self.config = config
        self.doing: Literal["off", "draw", "clear"] = "off"
        self.clears = self.secrets = 0
        self.ready = False
        self._draws = 0

    @property
    def seed(self) -> int | None:
        """Of the index's hash, if that is drawn."""
        config = self.config
        return self.secrets & (1 << config.seed_bits) - 1 if config.index_hash == "drawn" else None

    def tick(self, starts: bool, drawn: bool, random: int) -> bool:
        """The clock edge; whether the map is empty from now on."""
        config, empties = self.config, False
        if self.doing == "off":
            if starts:
                self._draws, self.clears, self.ready = config.init_draws, 0, False
                self.doing = "draw" if config.init_draws else "clear"
        elif self.doing == "draw":
            if drawn:
                self.secrets = (self.secrets << config.random_bits | random) \
                    & (1 << config.secret_bits) - 1
                self._draws -= 1
                if not self._draws:
                    self.doing = "clear"
        else:
            empties = not self.clears
            self.clears += 1
            if self.clears == config.clear_words:
                self.doing, self.ready = "off", True
        return empties
