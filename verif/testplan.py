"""Testplans: what is to be shown of a family, and the tests that show it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator


class Point(BaseModel):
    """One thing to be shown.

    Stages: V1 is the smoke test, V2 every planned feature, V3 corners and long campaigns.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1)]
    shows: Annotated[str, Field(min_length=1, description="what holds if its tests pass")]
    stage: Literal["V1", "V2", "V3"]
    tests: Annotated[list[str], Field(
        min_length=1, description="pytest ids; one without brackets stands for all its cases")]


class Testplan(BaseModel):
    """The plan of one family, ``verif/<family>/testplan.yaml``."""

    __test__ = False
    model_config = ConfigDict(frozen=True, extra="forbid")

    family: str
    points: Annotated[list[Point], Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [point.name for point in self.points]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"points named twice: {', '.join(repeated)}")
        if all(point.stage != "V1" for point in self.points):
            raise ValueError("no point of stage V1")
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """The plan in the YAML file `path`.

        Raises
        ------
        pydantic.ValidationError
            If it is no plan.
        """
        return cls.model_validate(yaml.safe_load(path.read_text()))

    @property
    def files(self) -> list[str]:
        """The test files that the plan names, each once."""
        return sorted({test.partition("::")[0] for point in self.points for test in point.tests})

    def unknown(self, collected: Collection[str]) -> list[str]:
        """Ids of the plan that are not among the `collected` pytest ids.

        Returns
        -------
        list of str
            ``point: id``, in the plan's order.
        """
        known = set(collected) | {test.partition("[")[0] for test in collected}
        return [f"{point.name}: {test}" for point in self.points for test in point.tests
                if test not in known]
