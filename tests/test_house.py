"""The house rules: who may import whom, what is packaged, and clean lint and types."""

import ast
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("pimlico", "generators", "sim", "verif", "constraints", "hdl")
MAY_IMPORT = {
    "hdl": {"hdl"},
    "verif": {"verif", "hdl"},
    "generators": {"generators", "verif", "hdl"},
    "sim": {"sim", "generators", "verif", "hdl"},
    "constraints": {"constraints", "generators", "verif", "hdl"},
    "pimlico": {"pimlico", "sim", "constraints", "generators", "verif", "hdl"},
}
PACKAGING = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def module_name(path):
    """Installed name of a source file; the front door's own modules are `pimlico.pimlico.*`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in ("pimlico", *parts) if part != "__init__")


SOURCES = {module_name(path): path for part in PARTS
           for path in sorted((ROOT / part).rglob("*.py"))}


def imports(name):
    """Modules of ours that a module imports, inside functions too."""
    path = SOURCES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = package.split(".")[:len(package.split(".")) - node.level + 1]
                base = ".".join([*up, *filter(None, [node.module])])
            found |= {f"{base}.{alias.name}" for alias in node.names} | {base}
    return {known for known in map(own_module, found) if known and known != name}


def own_module(name):
    """The source module that an imported name comes from, or None if it is not ours."""
    if name.split(".")[0] != "pimlico":
        return None
    for candidate in (name, name.rpartition(".")[0]):
        for spelled in (candidate, candidate.replace("pimlico.", "pimlico.pimlico.", 1)):
            if spelled in SOURCES:
                return spelled
    return None


def part_of(name):
    return name.split(".")[1]


def test_imports_are_recognised():
    assert imports("pimlico.generators.ternary") == {
        "pimlico.generators.block", "pimlico.hdl.ternary.config"}
    assert {"pimlico.sim.verify", "pimlico.generators.load", "pimlico.pimlico.results"} \
        <= imports("pimlico.pimlico.commands.check")


@pytest.mark.parametrize("name", SOURCES)
def test_imports_point_downward(name):
    for other in imports(name):
        assert part_of(other) in MAY_IMPORT[part_of(name)], f"{name} imports {other}"


@pytest.mark.parametrize("name", [name for name in SOURCES if part_of(name) == "verif"])
def test_verif_takes_only_configurations_of_hdl(name):
    """A golden model that imports the RTL proves nothing."""
    allowed = {"pimlico.hdl.common.config", "pimlico.hdl.common.ports", "pimlico.hdl.pim.commands"}
    for other in imports(name):
        if part_of(other) == "hdl":
            assert other in allowed or other.endswith(".config"), f"{name} imports {other}"


def test_there_are_no_circles():
    TopologicalSorter({name: imports(name) for name in SOURCES}).prepare()


def test_the_package_list_is_the_tree():
    found = {}
    for name, path in SOURCES.items():
        if path.name == "__init__.py":
            installed = re.sub(r"^pimlico\.pimlico\b", "pimlico", name)
            found[installed] = str(path.parent.relative_to(ROOT))
    assert sorted(PACKAGING["packages"]) == sorted(found)
    assert PACKAGING["package-dir"] == found


def test_every_source_is_in_a_package():
    for path in SOURCES.values():
        assert (path.parent / "__init__.py").exists(), path


def test_data_files_are_packaged():
    """Files that the code reads at run time go into the wheel."""
    packaged = {path for package, patterns in PACKAGING["package-data"].items()
                for pattern in patterns
                for path in (ROOT / PACKAGING["package-dir"][package]).glob(pattern)}
    data = {path for part in PARTS for path in (ROOT / part).rglob("*")
            if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts}
    assert packaged == data


def test_licence_and_type_marker():
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert files("pimlico").joinpath("py.typed").is_file()


@pytest.mark.parametrize("command", [
    ["ruff", "check", "."], ["mypy", *PARTS]], ids=["ruff", "mypy"])
def test_clean(command):
    run = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
