"""A core with everything that goes with it, written to a folder whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pimlico.hdl.common.config import BlockConfig, ConfigError

from . import diagram, testbench, waveform
from .axil import wrap
from .block import Block
from .clocks import constraints
from .datasheet import datasheet
from .fusesoc import core_file, file_list
from .instance import instance
from .lint import waivers
from .makefile import cocotb_files
from .manifest import manifest, reset_pin
from .registers import register_files
from .vectors import record
from .verilog import Reset, emit
from .vivado import part_of, vivado_script


def generate(block: Block, config: BlockConfig, out: Path, name: str | None = None,
             reset: Reset = "high", axil: bool = False,
             kept: Sequence[str] = ()) -> dict[str, Any]:
    """Write the core and its deliverables into the folder `out`.

    Files of the same names are replaced, other files stay.

    Parameters
    ----------
    block : Block
    config : BlockConfig
    out : Path
        Made if it is not there.
    name : str, optional
        Name of the top without ``pimlico_``; by default the block's.
    reset : {"high", "active-low"}
        Polarity of the reset pin.
    axil : bool
        Whether an AXI4-Lite wrapper, ``<top>_axil``, goes with the core.
    kept : sequence of str
        Ports that the wrapper leaves as they are, besides the bulk streams.

    Returns
    -------
    dict
        ``manifest``, the manifest's path, and ``files``, all paths with the manifest last.

    Raises
    ------
    ConfigError
        If `out` cannot be written, or the wrapper cannot be made. Nothing is left behind.
    """
    files = deliverables(block, config, name, reset, axil, kept)
    paths = write_all(out, files)
    return {"manifest": str(paths[-1]), "files": [str(path) for path in paths]}


def deliverables(block: Block, config: BlockConfig, name: str | None = None,
                 reset: Reset = "high", axil: bool = False,
                 kept: Sequence[str] = ()) -> dict[str, str]:
    """Text of every file by name, the manifest last. The same arguments give the same text."""
    emitted = emit(block, config, name, reset)
    wrapper = wrap(block, config, emitted, kept) if axil else None
    top = emitted.top
    cycles = testbench.cycles_for(emitted)
    trace = record(block, config, cycles)
    timing = waveform.draw(top, config, trace)
    files = {
        f"{top}.v": emitted.text,
        f"{top}.f": file_list(emitted),
        f"{top}.core": core_file(block, emitted, wrapper),
        f"{top}.vlt": waivers(emitted),
        f"{top}_inst.v": instance(emitted, config),
        f"{top}_tb.v": testbench.render(emitted, config, len(trace)),
        f"{top}_tb.hex": testbench.vectors(emitted, config, trace),
        **cocotb_files(block, config, emitted),
        **constraints(emitted),
        f"{top}.svg": diagram.draw(top, config, diagram.stages(block, config),
                                   reset_pin(emitted)["port"]),
        f"{top}.md": datasheet(block, config, emitted, timing is not None),
    }
    if timing is not None:
        files[f"{top}_timing.svg"] = timing
    if (part := part_of(block, config)) is not None:
        files[f"{top}_vivado.tcl"] = vivado_script(emitted, part)
    if wrapper is not None:
        files |= {f"{top}_axil.v": wrapper.emitted.text,
                  f"{top}_axil.vlt": waivers(wrapper.emitted), **register_files(wrapper)}
    files[f"{top}.json"] = manifest(block, config, emitted, files, wrapper)
    return files


def write_all(out: Path, files: Mapping[str, str | bytes]) -> list[Path]:
    """Write `files` into the folder `out`: under a temporary name first, then all renamed.

    Raises
    ------
    ConfigError
        If the folder cannot be made or written; what was there before is unchanged.
    """
    out = Path(os.path.abspath(out))
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    # Inside a folder that exists: it may be a mount point, and files cannot be renamed across.
    parent = out if out.is_dir() else out.parent
    work = parent / f".{out.name}.{os.getpid()}.tmp"
    try:
        for name in files:
            if (out / name).is_dir():
                raise ConfigError("--out", out, "be a folder that can be written",
                                  f"{name} in it is a folder")
        work.mkdir(parents=True)
        for name, content in files.items():
            (work / name).write_bytes(content.encode() if isinstance(content, str) else content)
        if out.is_dir():
            for name in files:
                os.replace(work / name, out / name)
            work.rmdir()
        else:
            os.rename(work, out)
    except OSError as error:
        _clean(work, made)
        raise ConfigError("--out", out, "be a folder that can be written",
                          (error.strerror or str(error)).lower()) from None
    except BaseException:
        _clean(work, made)
        raise
    return [out / name for name in files]


def _clean(work: Path, made: list[Path]) -> None:
    shutil.rmtree(work, ignore_errors=True)
    for folder in made:
        try:
            folder.rmdir()
        except OSError:
            continue
