"""What is shown of all of it: ``report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import console
from .options import AsJson, print_json

app = typer.Typer()


@app.command(epilog="Example: pimlico report --out site/ --results results/")
def report(out: Annotated[Path, typer.Option(
               "--out", metavar="DIR", help="Folder to write to; made if it is not there.")],
           results: Annotated[Path | None, typer.Option(
               "--results", metavar="DIR",
               help="Folder of *.json: what verify, prove, mutate, synth and build printed with "
                    "--json.")] = None,
           tests: Annotated[Path | None, typer.Option(
               "--tests", metavar="FILE.xml",
               help="What pytest --junitxml left, for the state of the testplans.")] = None,
           as_json: AsJson = False) -> None:
    """Write one page about all blocks: ports, drawings, figures, plots, proofs and tests."""
    from pimlico.site.build import build

    with console.progress() as progress:
        result = build(out, results, tests, progress)
    if as_json:
        print_json(result)
    else:
        console.table(f"Wrote {result['page']}", ("figure", "value"), [
            ("blocks", result["blocks"]), ("results", result["results"])])
