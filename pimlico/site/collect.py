"""What commands printed with ``--json``, read back and sorted by block."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pimlico.hdl.common.config import ConfigError

KINDS = ("verify", "prove", "mutate", "synth", "build")
"""Commands whose results the site shows."""

Results = dict[str, dict[str, list[dict[str, Any]]]]


def read_results(folder: Path | None) -> Results:
    """The results in the ``*.json`` files of a folder: by block and command, a list each.

    Raises
    ------
    ConfigError
        If the folder is missing, or a file holds no result of one of `KINDS`.
    """
    if folder is None:
        return {}
    if not folder.is_dir():
        raise ConfigError("--results", folder, "be a folder of what commands printed with --json",
                          "make one: pimlico synth … --json > results/NAME.json")
    found: Results = {}
    for path in sorted(folder.glob("*.json")):
        try:
            result = json.loads(path.read_text())
            kind, block = result["command"], result["block"]
        except (ValueError, KeyError, TypeError):
            kind = None
        if kind not in KINDS:
            raise ConfigError("--results", path, "hold the object that a command printed with "
                              "--json", f"commands that are shown: {', '.join(KINDS)}")
        found.setdefault(block, {}).setdefault(kind, []).append(result)
    return found


def read_tests(path: Path | None) -> dict[str, str] | None:
    """Outcomes of a run of pytest, by test id without its folder: passed, failed or skipped.

    Raises
    ------
    ConfigError
        If the file is none of pytest's ``--junitxml``.
    """
    if path is None:
        return None
    try:
        cases = list(ElementTree.parse(path).iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        raise ConfigError("--tests", path, "be a file of pytest --junitxml", str(error)) from None
    outcomes = {}
    for case in cases:
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else \
            "skipped" if "skipped" in kinds else "passed"
        module = case.get("classname", "").rpartition(".")[2]
        outcomes[f"{module}::{case.get('name')}"] = outcome
    return outcomes


def outcome(tests: Sequence[str], outcomes: Mapping[str, str] | None) -> str:
    """What became of the tests of a testplan's point: of several, the worst."""
    if outcomes is None:
        return "not run"
    found = set()
    for test in tests:
        file, _, name = test.partition("::")
        known = f"{Path(file).stem}::{name}"
        found |= {told for case, told in outcomes.items()
                  if case == known or case.partition("[")[0] == known}
    return next((told for told in ("failed", "passed", "skipped") if told in found), "not run")
