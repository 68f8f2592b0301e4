"""From a ternary tensor of a GGUF file to the weight beats of the ternary GEMM core."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.ternary.config import BLOCK, TernaryConfig
from pimlico.verif.ternary.codecs import FormatError, decode_tq1_0, decode_tq2_0
from pimlico.verif.ternary.formats import beats

from .errors import ToolError

Array = npt.NDArray[Any]
Kind = Literal["TQ1_0", "TQ2_0"]

_DECODERS: dict[str, Callable[[Array], tuple[Array, Array]]] = {
    "TQ1_0": decode_tq1_0,
    "TQ2_0": decode_tq2_0,
}
_ACCEPTED = " or ".join(_DECODERS)


def pack(path: Path | str, tensor: str, config: TernaryConfig, out: Path | str) -> dict[str, Any]:
    """Write a tensor's weights as the beats of the core's ``w`` stream.

    `out` holds the payloads in order, each padded to whole bytes, little endian; beside it,
    ``<out>.json`` says what they are.

    Parameters
    ----------
    path : Path or str
        A GGUF file.
    tensor : str
        Name of a two-dimensional TQ1_0 or TQ2_0 tensor whose blocks share one scale.
    config : TernaryConfig
        The core that is to read the beats.
    out : Path or str
        File to write.

    Returns
    -------
    dict
        What ``<out>.json`` holds: ``block``, ``config``, ``tensor``, ``tensor_type``, ``n``,
        ``m``, ``scale`` (a weight is its trit times this), ``format``, ``beats``,
        ``beat_bytes`` and ``sha256`` of `out`.

    Raises
    ------
    ConfigError
        If the file, the tensor or `out` is not fit; nothing is left behind.
    ToolError
        If the package ``gguf`` is not installed.
    """
    path, out = Path(path), Path(out)
    entry = _find(_read(path), path, tensor)
    kind, (n, m) = entry.tensor_type.name, (int(size) for size in entry.shape)
    for axis, size, limit in (("columns", n, "n_max"), ("rows", m, "m_max")):
        if size > (most := getattr(config, limit)):
            raise ConfigError("--tensor", tensor, f"have at most {limit} = {most} {axis}, "
                              f"not {size}", f"add --set {limit}={size}")
    try:
        trits, scales = _DECODERS[kind](np.asarray(entry.data).reshape(m, -1))
    except FormatError as error:
        raise ConfigError("--tensor", tensor, "hold ternary weights only", f"at offset "
                          f"{entry.data_offset + error.offset} of {path}: {error.reason}") from None
    scale = _common_scale(tensor, scales)
    trits[np.repeat(scales == 0, BLOCK, axis=1)] = 0
    words = beats(config, trits)
    beat_bytes = -(-config.keys * config.weight_bits // 8)
    data = b"".join(word.to_bytes(beat_bytes, "little") for word in words)
    sidecar = {
        "block": config.block, "config": config.model_dump(), "tensor": tensor,
        "tensor_type": kind, "n": n, "m": m, "scale": scale, "format": config.weight_format,
        "beats": len(words), "beat_bytes": beat_bytes, "sha256": hashlib.sha256(data).hexdigest(),
    }
    text = json.dumps(sidecar, indent=2) + "\n"
    try:
        with _replacing(out, Path(f"{out}.json")) as (data_part, text_part):
            data_part.write_bytes(data)
            text_part.write_text(text)
    except OSError as error:
        raise ConfigError("--out", out, "be a file that can be written", _reason(error)) from None
    return sidecar


def make_gguf(path: Path | str, tensors: Mapping[str, Array],
              kind: Kind | Mapping[str, Kind]) -> None:
    """Write a GGUF file of ternary tensors.

    Parameters
    ----------
    path : Path or str
    tensors : mapping of str to float array of shape (M, N)
        N a multiple of 256; each block of 256 is scaled by its largest magnitude and rounded,
        so that a tensor of {-s, 0, s} comes through unchanged if s is a float16.
    kind : str, or mapping of str to str
        ``TQ1_0`` or ``TQ2_0``: the type of every tensor, or each one's by name.

    Raises
    ------
    ToolError
        If the package ``gguf`` is not installed.
    """
    gguf, path = _gguf(), Path(path)
    with _replacing(path) as (part,):
        writer = gguf.GGUFWriter(part, "bitnet")
        for name, values in tensors.items():
            kind_id = gguf.GGMLQuantizationType[kind if isinstance(kind, str) else kind[name]]
            writer.add_tensor(name, gguf.quantize(values, kind_id), raw_dtype=kind_id)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def _gguf() -> ModuleType:
    try:
        import gguf
    except ImportError:
        raise ToolError("the package gguf is missing; pip install 'pimlico[gguf]'") from None
    return gguf


def _read(path: Path) -> Any:
    """The open file, or one line that says why not."""
    gguf = _gguf()
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ConfigError("FILE", path, "be a file that can be read", _reason(error)) from None
    if magic != b"GGUF":
        raise ConfigError("FILE", path, "be a GGUF file", "it does not begin with GGUF")
    try:
        reader = gguf.GGUFReader(path)
    except Exception as error:  # the reader trusts offsets and counts, and fails in many ways
        if unknown := re.search(r"(\d+)\)? is not a valid GGMLQuantizationType", str(error)):
            raise ConfigError("FILE", path, "hold only tensors of types known to llama.cpp",
                              f"it holds one of type {unknown[1]}") from None
        raise ConfigError("FILE", path, "be a whole GGUF file of version 2 or 3",
                          "it is cut short or damaged") from None
    if reader.endianess != gguf.GGUFEndian.LITTLE:
        raise ConfigError("FILE", path, "be little endian", "convert the model again")
    return reader


def _find(reader: Any, path: Path, tensor: str) -> Any:
    """The tensor's entry, checked to be a ternary matrix."""
    entries = {entry.name: entry for entry in reader.tensors}
    if tensor not in entries:
        ternary = [name for name, entry in entries.items() if entry.tensor_type.name in _DECODERS]
        near = get_close_matches(tensor, entries, n=3)
        advice = (f"did you mean {' or '.join(near)}?" if near
                  else f"it holds {', '.join(ternary[:3])}" + ", …" * (len(ternary) > 3) if ternary
                  else f"it holds none of type {_ACCEPTED}")
        raise ConfigError("--tensor", tensor, f"be a tensor of {path}", advice)
    entry = entries[tensor]
    if entry.tensor_type.name not in _DECODERS:
        raise ConfigError("--tensor", tensor, f"be of type {_ACCEPTED}, "
                          f"not {entry.tensor_type.name}", "llama-quantize converts to both")
    if len(entry.shape) != 2:
        raise ConfigError("--tensor", tensor, f"have 2 dimensions, not {len(entry.shape)}",
                          "choose a weight matrix")
    return entry


def _common_scale(tensor: str, scales: Array) -> float:
    """The scale of every block that has one; 0 if none has. `scales` is (M, N/256)."""
    flat = scales.ravel()
    used = np.flatnonzero(flat)
    if not used.size:
        return 0.0
    scale = float(flat[used[0]])
    odd = used[(flat[used] != scale) | ~np.isfinite(flat[used])]
    if odd.size:
        row, block = divmod(int(odd[0]), scales.shape[1])
        raise ConfigError("--tensor", tensor, "have one finite scale for all its blocks",
                          f"block {odd[0]} (row {row}, column {block * BLOCK}) has "
                          f"d = {flat[odd[0]]:g}, the first block in use d = {scale:g}")
    return scale


@contextmanager
def _replacing(*targets: Path) -> Iterator[list[Path]]:
    """Temporary names beside `targets`, renamed to them in the end, removed on failure."""
    parts = [target.parent / f".{target.name}.{os.getpid()}.tmp" for target in targets]
    try:
        for target in targets:
            if target.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
        yield parts
        for part, target in zip(parts, targets, strict=True):
            part.replace(target)
    finally:
        for part in parts:
            with suppress(OSError):
                part.unlink(missing_ok=True)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
