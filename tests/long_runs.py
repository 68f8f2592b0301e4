"""Cases that take long, left to `make deep`; others like them stay."""

from collections.abc import Iterable

import pytest


def without(cases: Iterable, *long: object) -> list:
    """The cases, those named in `long` marked as deep."""
    return [pytest.param(case, marks=pytest.mark.deep) if case in long else case
            for case in cases]
