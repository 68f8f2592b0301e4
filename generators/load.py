"""From what the user typed to a block and its configuration: presets, YAML files and ``--set``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pimlico.hdl.common.config import BlockConfig, ConfigError

from .block import Block, find
from .choice import Choice

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class Document(BaseModel):
    """A YAML file: the parameters of one block, and what the file says about itself.

    Presets are such files too, so a preset copied out of the package works with ``--config``.
    """

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    block: str | None = Field(None, description="block that the parameters are for")
    name: str | None = Field(None, description="name of the emitted top module, without pimlico_")
    summary: str = Field("", description="what the configuration is for, in one line")
    source: str = Field("", description="the published design or model that it follows")

    @property
    def parameters(self) -> dict[str, Any]:
        """Everything else in the file."""
        return dict(self.model_extra or {})


class Design(NamedTuple):
    """What one command works on."""

    block: Block
    config: BlockConfig
    name: str


class Typed(NamedTuple):
    """What a command line says: a block, the parameters that it names, and the top's name."""

    block: Block
    parameters: dict[str, Any]
    name: str

    def design(self) -> Design:
        """The design, with the block's choice of parameters that were left out.

        Raises
        ------
        ConfigError
            If the parameters are not legal.
        """
        choice = self.choice()
        values = self.parameters if choice is None else choice.parameters
        return Design(self.block, self.block.config(**values), self.name)

    def choice(self) -> Choice | None:
        """The block's choice, or None if it leaves that to its defaults."""
        return self.block.load("choose")(self.parameters) if self.block.choose else None


def load(block: str | None, *, preset: str | None = None, config: Path | None = None,
         settings: Sequence[str] = (), name: str | None = None) -> Design:
    """The design that a command line names; see `typed` for the parameters.

    Raises
    ------
    ConfigError
        For anything that is not legal; nothing was built.
    """
    return typed(block, preset=preset, config=config, settings=settings, name=name).design()


def typed(block: str | None, *, preset: str | None = None, config: Path | None = None,
          settings: Sequence[str] = (), name: str | None = None) -> Typed:
    """What a command line says, before the parameters are looked at.

    Parameters
    ----------
    block : str, optional
        The block's name; may be left out where the file `config` names it.
    preset : str, optional
        A preset of the block.
    config : Path, optional
        A YAML file; goes without `preset`.
    settings : sequence of str
        ``key=value`` each, the value a YAML scalar; they win over the file, later ones over
        earlier ones. ``record.key=value`` sets a part of a record; if that is a name, of a record
        on that base.
    name : str, optional
        Name of the emitted top, without the prefix ``pimlico_``; by default the file's, else the
        block's.

    Raises
    ------
    ConfigError
        If there is no such block, preset or file, or it is not what it should be.
    """
    if preset is not None and config is not None:
        raise ConfigError("--preset", preset, "go without --config",
                          "give one of them, then change it with --set key=value")
    document = Document() if config is None else read(config)
    if block is not None and document.block not in (None, block):
        raise ConfigError("block", document.block, f"be {block}, the block on the command line",
                          f"leave BLOCK out, or correct {config}")
    block = block or document.block
    if block is None:
        raise ConfigError("BLOCK", "(nothing)", "be named",
                          "see `pimlico list`, or write block: in the YAML file")
    found = find(block)
    if preset is not None:
        document = read_preset(found, preset)
    values = document.parameters
    for setting in settings:
        key, value = _setting(setting)
        record, _, member = key.partition(".")
        values[record] = _member(found, values, record, member, value) if member else value
    name = name or document.name or found.name.replace("-", "_")
    return Typed(found, values, check_name(name))


def read(path: Path) -> Document:
    """The YAML file at `path`.

    Raises
    ------
    ConfigError
        If it cannot be read, is not a mapping of names to values, or repeats a key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError("--config", path, "be a readable YAML file",
                          (error.strerror or str(error)).lower()) from None
    except UnicodeDecodeError as error:
        raise ConfigError("--config", path, "be UTF-8 text",
                          f"byte {error.start} is not") from None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_repeats(path, root)
        values = {} if root is None else yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError("--config", path, "be valid YAML", _where(error)) from None
    if not isinstance(values, dict):
        raise ConfigError("--config", path, "hold key: value lines",
                          f"it holds a {type(values).__name__}")
    for key in values:
        if not isinstance(key, str):
            raise ConfigError(str(key), values[key], "be a parameter's name",
                              f"YAML reads this key of {path} as a {type(key).__name__}; "
                              "put it in quotes")
    try:
        return Document(**values)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(str(first["loc"][0]), first["input"], "be text",
                          f"correct {path}") from None


def read_preset(block: Block, name: str) -> Document:
    """The preset called `name`.

    Raises
    ------
    ConfigError
        If the block has no such preset; the message names the nearest.
    """
    names = block.preset_names
    if name not in names:
        near = get_close_matches(name, names, n=1)
        raise ConfigError("--preset", name, f"be one of {', '.join(names)}" if names
                          else f"be left out: {block.name} has no presets",
                          f"did you mean {near[0]}?" if near else "")
    return read(block.presets / f"{name}.yaml")


def schema(block: Block) -> dict[str, Any]:
    """JSON Schema of a configuration file of `block`, for editors that complete YAML."""
    own = block.config.model_json_schema()
    about = Document.model_json_schema()["properties"]
    about["block"] = {"const": block.name, "description": about["block"]["description"]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **own,
            "properties": about | own["properties"]}


def check_name(name: str) -> str:
    """`name`, if the emitted top may be called so.

    Raises
    ------
    ConfigError
        If it is not a plain Verilog identifier.
    """
    if not _IDENTIFIER.fullmatch(name):
        raise ConfigError("--name", name, "be a Verilog identifier: up to 64 letters, digits and "
                          "underscores, not beginning with a digit")
    return name


def _member(block: Block, values: dict[str, Any], record: str, member: str,
            value: Any) -> dict[str, Any]:
    """The record called `record` with a value for `member`."""
    field = block.config.model_fields.get(record)
    now = values.get(record, field.default if field else None)
    if isinstance(now, str):
        now = {"base": now}
    return {**(now if isinstance(now, dict) else {}), member: value}


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not key:
        raise ConfigError("--set", text, "have the form key=value", "for example --set keys=16")
    try:
        parsed = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError):
        parsed = {}
    if isinstance(parsed, (dict, list)):
        raise ConfigError("--set", text, "set one plain value: a number, a word, true or false")
    return key, parsed


def _refuse_repeats(path: Path, root: yaml.Node | None) -> None:
    if not isinstance(root, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key, value in root.value:
        line = key.start_mark.line + 1
        if key.value in seen and isinstance(key.value, str):
            raise ConfigError(key.value, value.value, "be set once",
                              f"{path} sets it on line {seen[key.value]} and again on line {line}")
        if isinstance(key.value, str):
            seen[key.value] = line


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or error).splitlines()[0]
    return problem if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: {problem}"
