"""What is known of a beat beside its data."""

from __future__ import annotations

from amaranth.lib import data

from .config import TAG_BITS, TernaryConfig


def beat_layout(config: TernaryConfig) -> data.StructLayout:
    """Travels with a beat from the table to the output.

    ``first`` and ``last`` are of the row tile, ``job_last`` marks a job's last row tile,
    ``rows`` counts the rows of the tile that exist; the rest is the job's. With a serial build
    all row tiles have the job's ``first`` and ``last``.
    """
    return data.StructLayout({
        "first": 1, "last": 1, "job_last": 1, "rows": config.rows_bits, "tag": TAG_BITS,
        **{field.name: field.bits for field in config.scale_fields}})
