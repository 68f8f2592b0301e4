"""A trace of the OMAP controller taken apart into operations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Observed:
    """What there is to see of a run, one row an operation.

    Attributes
    ----------
    pages : np.ndarray
        Shape (n, 2), int32: the pages read, in this order, numbered as on the bus.
    timing : dict of str to np.ndarray
        Shape (n,), int32 each: cycles between two things that can be seen, or a count.
    kind : np.ndarray
        Shape (n,), int16: what nobody may see: the operation, and how it ended.
    key : np.ndarray
        Shape (n,): nobody may see this either.
    misshapen : np.ndarray
        Shape (n,), bool: operations that did other than read a lower page, read an upper page,
        write the first, write the second.
    half_pages : int
        Pages of a half.
    """

    pages: np.ndarray
    timing: dict[str, np.ndarray]
    kind: np.ndarray
    key: np.ndarray
    misshapen: np.ndarray
    half_pages: int

    def __len__(self) -> int:
        return len(self.pages)

    def part(self, rows: slice) -> Observed:
        """Some of the operations."""
        timing = {name: values[rows] for name, values in self.timing.items()}
        return Observed(self.pages[rows], timing, self.kind[rows], self.key[rows],
                        self.misshapen[rows], self.half_pages)


def observe(requests: np.ndarray, responses: np.ndarray, op: np.ndarray, key: np.ndarray,
            half_pages: int) -> Observed:
    """Take a trace apart into operations, each of which begins with the first of two reads.

    Parameters
    ----------
    requests : np.ndarray
        Shape (m, 3): cycle, page, and 1 for a write; in order.
    responses : np.ndarray
        Shape (n, 3): cycle, status, found.
    op, key : np.ndarray
        Shape (n,): of the commands.
    half_pages : int
        Pages of a half.

    Raises
    ------
    ValueError
        If there are not two reads an operation, or there is something before the first.
    """
    cycle, page, write = (np.asarray(requests[:, column]) for column in range(3))
    reads = np.flatnonzero(write == 0)
    n = len(responses)
    if len(reads) != 2 * n or n == 0 or reads[0] or len(op) != n:
        raise ValueError(f"{len(reads)} reads are not two for each of {n} responses")
    begins = reads[0::2]
    ends = np.append(begins[1:], len(requests)) - 1
    start, last = cycle[begins], cycle[ends]
    pages = page[reads].reshape(n, 2).astype(np.int32)
    whole = np.flatnonzero(ends - begins == 3)
    rows = begins[whole, None] + np.arange(4)
    misshapen = np.ones(n, bool)
    misshapen[whole] = ((write[rows] != [0, 0, 1, 1]).any(1)
                        | (page[rows[:, :2]] != page[rows[:, 2:]]).any(1))
    misshapen |= (pages[:, 0] >= half_pages) | (pages[:, 1] < half_pages)
    timing = {"reads apart": cycle[reads[1::2]] - start, "requests": ends - begins + 1,
              "last request": last - start, "response": np.asarray(responses[:, 0]) - last,
              "interval": np.diff(start, append=start[-1])}
    if n > 1:
        timing["interval"][-1] = timing["interval"][-2]
    kind = (responses[:, 1] * 2 + responses[:, 2]) * 4 + op
    timing = {name: values.astype(np.int32) for name, values in timing.items()}
    return Observed(pages, timing, kind.astype(np.int16), np.asarray(key), misshapen, half_pages)
