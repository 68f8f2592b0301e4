"""The timing rules of a DRAM device, in cycles, and those of published ones."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Cycles = Annotated[int, Field(ge=1, le=255)]


class Timing(BaseModel):
    """Least cycles between two commands; a user's own record names what differs from `base`.

    Attributes
    ----------
    base : str, optional
        A published device, whose value an unset field takes.
    trcd_rd, trcd_wr, trcd_mac : int
        From ACT to RD, to WR, and to MAC or ROW_TO_GB.
    trp : int
        From PRE to ACT or REF.
    tras, trc : int
        From ACT to PRE, and to the next ACT of the bank.
    tccd_s, tccd_l : int
        Between two RD or WR: of any banks, and of banks of one group.
    tccd_mac : int
        Between two columns of a burst, and from the last one to the next burst.
    trrd_s, trrd_l : int
        Between two activations: of any banks, and of banks of one group.
    tfaw : int
        A window of so many cycles has four activations at most.
    faw_exempt : bool
        Whether ACT_GROUP and ACT_ALL stay outside of that window, as in AiM.
    twr, twtr : int
        From WR to PRE, and to RD, MAC or ROW_TO_GB, of the bank.
    trtp : int
        From RD, or from the last column of a burst, to PRE.
    trefi, trfc : int
        Between two REF at most, and from REF to ACT or REF.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: Literal["hbm2_samsung", "hbm2_neupims", "gddr6_aim", "hbm3_attacc"] | None = None
    trcd_rd: Cycles
    trcd_wr: Cycles
    trcd_mac: Cycles
    trp: Cycles
    tras: Cycles
    trc: Cycles
    tccd_s: Cycles
    tccd_l: Cycles
    tccd_mac: Cycles
    trrd_s: Cycles
    trrd_l: Cycles
    tfaw: Cycles
    faw_exempt: bool = False
    twr: Cycles
    twtr: Cycles
    trtp: Cycles
    trefi: Annotated[int, Field(ge=2, le=65535)]
    trfc: Annotated[int, Field(ge=1, le=65535)]

    @model_validator(mode="before")
    @classmethod
    def _from_base(cls, given: Any) -> Any:
        """A name stands for a published device; a record adds to its base."""
        if isinstance(given, str):
            given = {"base": given}
        if isinstance(given, dict) and given.get("base") in DEVICES:
            return {**DEVICES[given["base"]], **given}
        return given


DEVICES: dict[str, dict[str, Any]] = {
    "hbm2_samsung": {
        "trcd_rd": 14, "trcd_wr": 10, "trcd_mac": 14, "trp": 14, "tras": 33, "trc": 47,
        "tccd_s": 2, "tccd_l": 4, "tccd_mac": 4, "trrd_s": 4, "trrd_l": 6, "tfaw": 16,
        "twr": 16, "twtr": 8, "trtp": 5, "trefi": 3900, "trfc": 350},
    "hbm2_neupims": {
        "trcd_rd": 14, "trcd_wr": 14, "trcd_mac": 14, "trp": 14, "tras": 34, "trc": 48,
        "tccd_s": 1, "tccd_l": 2, "tccd_mac": 2, "trrd_s": 4, "trrd_l": 6, "tfaw": 30,
        "twr": 16, "twtr": 8, "trtp": 6, "trefi": 3900, "trfc": 260},
    "gddr6_aim": {
        "trcd_rd": 36, "trcd_wr": 28, "trcd_mac": 56, "trp": 32, "tras": 54, "trc": 89,
        "tccd_s": 2, "tccd_l": 2, "tccd_mac": 2, "trrd_s": 11, "trrd_l": 11, "tfaw": 42,
        "faw_exempt": True,
        "twr": 33, "twtr": 11, "trtp": 12, "trefi": 3333, "trfc": 210},
    "hbm3_attacc": {
        "trcd_rd": 19, "trcd_wr": 19, "trcd_mac": 19, "trp": 19, "tras": 45, "trc": 64,
        "tccd_s": 2, "tccd_l": 4, "tccd_mac": 6, "trrd_s": 2, "trrd_l": 4, "tfaw": 39,
        "twr": 21, "twtr": 8, "trtp": 8, "trefi": 5070, "trfc": 260},
}
"""Cycles of 1 ns (HBM2: Samsung's PIMSimulator; NeuPIMs), 0.5 ns (GDDR6: AiM), and of HBM3 as
AttAcc has it. tWTR, which not all sources give, is that of the longer kind in NeuPIMs' file and
in aim_simulator. The tRC of AttAcc, 63, is a cycle short of its own tRAS + tRP, and is 64 here."""
