"""What the README and the pages say is so: commands, examples, links and drawings."""

import ast
import doctest
import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer
from pages import PAGES, ROOT, fenced

from pimlico.cli import app
from pimlico.generators.load import load
from pimlico.generators.verilog import emit
from pimlico.hdl.common.config import ConfigError

PROGRAM = typer.main.get_command(app)
QUICK = {"list", "show", "generate", "pack", "doctor"}
by_name = pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])


def typed(text):
    """Commands of a console block, with what they print."""
    return [(command, output) for command, _, output in
            (entry.partition("\n") for entry in re.split(r"^\$ ", text, flags=re.M)[1:])]


COMMANDS = [(page, command) for page in PAGES for language, text in fenced(page)
            if language == "console" for command, _ in typed(text)]
TABLED = sorted(set(re.findall(r"`(pimlico \w+ [^`]*)`", "".join(
    page.read_text() for page in PAGES))))
OURS = sorted({command for _, command in COMMANDS if command.startswith("pimlico ")} | set(TABLED))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to be in, with the files that the pages show."""
    monkeypatch.chdir(tmp_path)
    for page in PAGES:
        for language, text in fenced(page):
            if language == "yaml":
                (tmp_path / re.match(r"# (\S+\.yaml)\n", text)[1]).write_text(text)
    return tmp_path


def parse(command):
    """The parameters that click reads from a command line; raises where there is a mistake."""
    context = PROGRAM.make_context("pimlico", shlex.split(command)[1:], resilient_parsing=True)
    name, found, rest = PROGRAM.resolve_command(context, shlex.split(command)[1:])
    return found.make_context(name, rest).params


@pytest.mark.parametrize("command", OURS)
def test_command(command, folder, request):
    """Options exist, values are legal, and the configuration can be built or is refused."""
    asked = parse(command)
    block = asked.get("block") or (None if asked.get("config") else "ternary-gemm")
    refused = any(typing == command and output.startswith("error: ") and "--tensor" not in output
                  for page in PAGES for language, text in fenced(page) if language == "console"
                  for typing, output in typed(text))
    settings = {key: asked[key] for key in ("preset", "config") if asked.get(key)}
    if refused:
        with pytest.raises(ConfigError):
            load(block, settings=asked["settings"] or (), **settings)
    elif {"settings", "preset"} <= asked.keys():
        if block == "running-sum":
            from running_sum import BLOCK
            request.getfixturevalue("monkeypatch").setattr(
                "pimlico.generators.load.find", {BLOCK.name: BLOCK}.__getitem__)
        load(block, settings=asked["settings"] or (), **settings)


def test_make_targets_exist():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {target for page in PAGES for target in re.findall(
        r"(?:^ {4}|`)(?:\w+=\S+ )?make ([a-z-]+)\b(?!=)", page.read_text(), re.M)}
    assert named
    assert named <= targets


@by_name
def test_examples(page, folder, request):
    """Python blocks run in order in one session, between the quick commands of the page."""
    environment = {"rng": None}
    monkeypatch = request.getfixturevalue("monkeypatch")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    monkeypatch.setenv("COLUMNS", "200")
    for language, text in fenced(page):
        if language == "python" and not missing(text):
            exec(compile(text, str(page), "exec"), environment)
        elif language == "console":
            for command, output in typed(text):
                words = shlex.split(command)
                if words[0] == "pimlico" and words[1] in QUICK and page.name == "tutorial.md":
                    run_quick(words, output)


def missing(text):
    """Whether an example imports something that is not installed."""
    names = [alias.name if isinstance(node, ast.Import) else node.module
             for node in ast.walk(ast.parse(text))
             if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names]
    return any(importlib.util.find_spec(name.partition(".")[0]) is None for name in names)


def run_quick(words, output):
    run = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True)
    if output.startswith("error: "):
        assert run.returncode == 2
        assert run.stderr == output
    else:
        assert run.returncode == 0, run.stderr
        if words[1] != "doctor":
            for line in output.splitlines():
                assert condensed(line) in condensed(run.stdout)


def condensed(text):
    """Without spacing, and without what depends on where it runs."""
    return re.sub(r"\s|….*", "", re.sub(r" to \S*/\w+", " to …", text))


@by_name
def test_interpreter_examples(page):
    sessions = "".join(text for language, text in fenced(page) if language == "pycon")
    found = doctest.DocTestParser().get_doctest(sessions, {}, page.name, str(page), 0)
    assert doctest.DocTestRunner().run(found).failed == 0


@by_name
def test_links_and_images(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        path, _, anchor = unquote(target).partition("#")
        linked = page.parent / path if path else page
        assert linked.exists(), target
        if anchor:
            assert anchor in slugs(linked.read_text()), target


def slugs(text):
    """Anchors of a page's headings, as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.+)$", text, re.M)}


def test_drawings_are_those_of_generate():
    spec = importlib.util.spec_from_file_location("figures", ROOT / "docs" / "figures.py")
    figures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(figures)
    for name, text in figures.figures().items():
        assert (figures.FOLDER / name).read_text() == text, "run python docs/figures.py"


def test_the_instance_for_litex_has_every_port(folder):
    text = next(text for _, text in fenced(ROOT / "docs" / "tutorial.md") if "migen" in text)
    design = load(None, config=folder / "ffn.yaml")
    emitted = emit(design.block, design.config, design.name)
    assert f'"{emitted.top}"' in text
    assert sorted(re.findall(r"\b([io]_\w+)=", text)) == sorted(
        f"{port.direction[0]}_{port.name}" for port in emitted.ports)
