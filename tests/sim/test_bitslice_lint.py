"""The bit-sliced array's Verilog is clean under Verilator, whatever the parameters."""

import subprocess

import pytest
from bitslice_configs import SMALL

from pimlico.generators.bitslice import BLOCK
from pimlico.generators.lint import waivers
from pimlico.generators.verilog import emit
from pimlico.hdl.bitslice.config import BitsliceConfig
from pimlico.sim.tools import require


@pytest.mark.parametrize("case", SMALL)
def test_verilog_is_clean(case, tmp_path):
    """A presumed loop would stop the build of a simulation that Icarus runs without a word."""
    emitted = emit(BLOCK, BitsliceConfig(**SMALL[case]))
    source, allowed = tmp_path / f"{emitted.top}.v", tmp_path / f"{emitted.top}.vlt"
    source.write_text(emitted.text)
    allowed.write_text(waivers(emitted))
    run = subprocess.run([require("verilator"), "--lint-only", "-Wall", allowed, source],
                         capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
