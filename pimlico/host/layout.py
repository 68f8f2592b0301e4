"""Between NumPy arrays and the payloads of a core's streams, by the manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pimlico.hdl.common.ports import Field, Stream, Wire
from pimlico.verif import bits

Values = Mapping[str, Any]
"""An array, or one value for all beats, for each field of a stream."""

_MACHINE_BITS = 63


def described_ports(manifest: Mapping[str, Any]) -> dict[str, Stream | Wire]:
    """The ports that a manifest describes, by name and in order."""
    found: dict[str, Stream | Wire] = {}
    for entry in manifest["ports"]:
        if entry["kind"] == "wire":
            found[entry["name"]] = Wire(entry["name"], entry["direction"], entry["width"])
            continue
        found[entry["name"]] = Stream(entry["name"], entry["direction"], tuple(
            Field(field["name"], field["width"], field["lanes"], field["signed"])
            for field in entry["fields"]))
    return found


def pack(stream: Stream, values: Values) -> list[int]:
    """Payloads of a stream.

    Parameters
    ----------
    stream : Stream
    values : mapping of str to array
        For each field integers of shape (beats,), or (beats, lanes) where it has lanes; what has
        one beat counts for all.

    Raises
    ------
    ValueError
        If a field is missing or unknown, or an array has the wrong shape or a value that does
        not fit.
    """
    names = [field.name for field in stream.fields]
    if set(values) != set(names):
        raise ValueError(f"stream {stream.name} has the fields {', '.join(names)}, "
                         f"not {', '.join(values)}")
    arrays = {field.name: _shaped(stream, field, values[field.name]) for field in stream.fields}
    beats = max((len(array) for array in arrays.values()), default=0)
    words = [0] * beats
    at = 0
    for field in stream.fields:
        array = arrays[field.name]
        if len(array) not in (1, beats):
            raise ValueError(f"{stream.name}.{field.name} has {len(array)} beats, not {beats}")
        lanes = _words(field, array)
        for beat in range(beats):
            words[beat] |= lanes[beat if len(lanes) > 1 else 0] << at
        at += field.bits
    return words


def unpack(stream: Stream, words: Sequence[int]) -> dict[str, np.ndarray[Any, Any]]:
    """The fields of payloads; the inverse of `pack`.

    Returns
    -------
    dict of str to array
        Of shape (beats,), or (beats, lanes) for a field of several lanes: int64, or Python
        integers for a field wider than 63 bits.
    """
    found = {}
    at = 0
    for field in stream.fields:
        shifted = [word >> at for word in words]
        if field.width <= _MACHINE_BITS:
            array = bits.unpack(shifted, field.width, field.lanes, field.signed)
        else:
            array = np.empty((len(words), field.lanes), object)
            one = Stream(field.name, stream.direction, (field,))
            for beat, word in enumerate(shifted):
                value = one.unpack(word)[field.name]
                array[beat] = value if isinstance(value, list) else [value]
        found[field.name] = array if field.lanes > 1 else array[:, 0]
        at += field.bits
    return found


def _shaped(stream: Stream, field: Field, value: Any) -> np.ndarray[Any, Any]:
    array = np.asarray(value, object if field.width > _MACHINE_BITS else None)
    if array.ndim == 0:
        array = array[None]
    if field.lanes == 1 and array.ndim == 1:
        array = array[:, None]
    what = f"{stream.name}.{field.name}"
    if array.ndim != 2 or array.shape[1] != field.lanes:
        wanted = f"(beats, {field.lanes})" if field.lanes > 1 else "(beats,)"
        raise ValueError(f"{what} has the shape {np.shape(value)}, not {wanted}")
    if array.dtype == bool:
        array = array.astype(np.int64)
    if array.size and not (array.dtype == object or np.issubdtype(array.dtype, np.integer)):
        raise ValueError(f"{what} holds {array.dtype}, not integers")
    low, high = ((-(1 << field.width - 1), (1 << field.width - 1) - 1) if field.signed
                 else (0, (1 << field.width) - 1))
    for extreme in (array.min(), array.max()) if array.size else ():
        if not low <= int(extreme) <= high:
            raise ValueError(f"{what} = {extreme} does not fit: {low} to {high}")
    return array


def _words(field: Field, array: np.ndarray[Any, Any]) -> list[int]:
    if field.width <= _MACHINE_BITS:
        return bits.pack(array.astype(np.int64), field.width)
    one = Stream(field.name, "in", (field,))
    return [one.pack({field.name: [int(lane) for lane in row]}) for row in array]
