"""The cocotb ``Makefile`` that reruns the lockstep bench on a generated core."""

from __future__ import annotations

import json
from dataclasses import asdict

from pimlico.hdl.common.config import BlockConfig
from pimlico.verif.run import Pin, Run, object_name

from .block import Block
from .verilog import Emitted

_CYCLES = 20_000


def cocotb_files(block: Block, config: BlockConfig, emitted: Emitted) -> dict[str, str]:
    """Text of the ``Makefile`` and of ``<top>_run.json``, which tells the bench what to run."""
    top = emitted.top
    run = Run(config=object_name(type(config)), parameters=config.model_dump(mode="json"),
              model=block.cycles, stimulus=block.stimulus,
              pins=[Pin(**asdict(port)) for port in emitted.ports], seed=1, cycles=_CYCLES,
              result=f"{top}_result.json")
    return {"Makefile": _makefile(top), f"{top}_run.json": json.dumps(asdict(run), indent=1) + "\n"}


def _makefile(top: str) -> str:
    return f"""\
# Runs {top} against its golden model, cycle by cycle:
#   make SIM=icarus     or     make SIM=verilator
# in an environment with Pimlico installed (cocotb-config on PATH). Seed and cycles stand in
# {top}_run.json; the outcome goes to {top}_result.json.

SIM ?= icarus
TOPLEVEL_LANG = verilog
VERILOG_SOURCES = $(CURDIR)/{top}.v
COCOTB_TOPLEVEL = {top}
COCOTB_TEST_MODULES = pimlico.verif.bench
SIM_BUILD ?= sim_build/$(SIM)

export PIMLICO_RUN = $(CURDIR)/{top}_run.json

ifeq ($(SIM),verilator)
# Verilator comes with Pimlico as a Python package: its program is not on PATH, it gives no
# version number that cocotb understands, and its makefile lacks the flag that includes a
# precompiled header.
PYTHON := $(shell cocotb-config --python-bin)
export VERILATOR_ROOT := $(shell $(PYTHON) -c \\
    "import os, verilator; print(os.path.dirname(verilator.__file__))")
override VLT_VERSION := $(shell $(PYTHON) -c \\
    "from importlib.metadata import version; print(version('verilator'))")
VERILATOR_BIN_DIR := $(VERILATOR_ROOT)/bin
VERILOG_SOURCES += $(CURDIR)/{top}.vlt
BUILD_ARGS += CFG_CXXFLAGS_PCH_I=-include
endif

include $(shell cocotb-config --makefiles)/Makefile.sim
"""
