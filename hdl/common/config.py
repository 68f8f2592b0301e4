"""The base of every block's configuration, and the one error bad parameters raise."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from .ports import Port


class ConfigError(Exception):
    """A parameter that cannot be built.

    Parameters
    ----------
    field : str
        The parameter at fault.
    value : object
        What it was set to.
    legal : str
        What it may be, as the rest of a sentence that begins with "must".
    advice : str
        What to do instead; may be empty.
    """

    def __init__(self, field: str, value: object, legal: str, advice: str = ""):
        self.field, self.value, self.legal, self.advice = field, value, legal, advice
        super().__init__(f"{field} = {value}: must {legal}" + (f"; {advice}" if advice else ""))


class BlockConfig(BaseModel):
    """Frozen, validated parameters of one block.

    Subclasses declare fields with ranges and a description that carries the unit, and give
    every derived number (widths, ``latency``, ``interval``, ``ports``) as a property, so that
    the RTL, the golden model, the manifest and the datasheet read the same one.

    Raises
    ------
    ConfigError
        On construction, for the first parameter that is out of range, unknown or in conflict.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    block: ClassVar[str]

    def __init__(self, **data: Any):
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise _explain(type(self), error) from None

    @property
    def ports(self) -> tuple[Port, ...]:
        """Every port of the component but clock and reset, in order."""
        raise AttributeError(f"{type(self).__name__} declares no ports")

    def port(self, name: str) -> Any:
        """The port called `name`.

        Raises
        ------
        KeyError
            If there is none under this configuration.
        """
        return self._ports_by_name[name]

    @cached_property
    def _ports_by_name(self) -> dict[str, Port]:
        return {port.name: port for port in self.ports}

    @property
    def latency(self) -> int:
        """Cycles from the last input beat of a result to its valid output, never stalled."""
        raise AttributeError(f"{type(self).__name__} declares no latency")

    @property
    def interval(self) -> int:
        """Initiation interval: cycles between two input beats at full rate."""
        return 1

    @property
    def facts(self) -> dict[str, str]:
        """What else `pimlico show` and the datasheet tell, with its unit."""
        return {}


def _explain(model: type[BlockConfig], error: ValidationError) -> ConfigError:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"]) or model.block
    kind, context, value = first["type"], first.get("ctx", {}), first.get("input")
    fields, name = _place(model, first["loc"])
    if kind == "missing":
        return ConfigError(field, "(nothing)", "be set")
    if kind == "extra_forbidden":
        near = get_close_matches(name, fields, n=1)
        advice = f"did you mean {near[0]}?" if near else "remove it"
        return ConfigError(field, value, f"be one of {', '.join(fields)}", advice)
    info = fields.get(name)
    if info is not None and kind in ("greater_than_equal", "less_than_equal", "literal_error"):
        return ConfigError(field, value, f"be {_legal(info.metadata, context)}{_meaning(info)}")
    return ConfigError(field, value, f"be valid: {first['msg'].lower()}{_meaning(info)}")


def _place(model: type[BaseModel], path: Sequence[str | int]) -> tuple[dict[str, Any], str]:
    """The fields among which the last name of a path is, in a record if it goes through one."""
    for part in path[:-1]:
        inner = model.model_fields[part].annotation if part in model.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        model = inner
    return dict(model.model_fields), str(path[-1]) if path else ""


def _legal(metadata: list[Any], context: dict[str, Any]) -> str:
    if "expected" in context:
        return "one of " + context["expected"].replace("'", "").replace(" or ", ", ")
    bounds = {name: getattr(item, name) for item in metadata for name in ("ge", "le")
              if getattr(item, name, None) is not None}
    if "ge" in bounds and "le" in bounds:
        return f"{bounds['ge']} to {bounds['le']}"
    return f"at least {bounds['ge']}" if "ge" in bounds else f"at most {bounds['le']}"


def _meaning(info: Any) -> str:
    return "" if info is None or not info.description else f" ({info.description})"
