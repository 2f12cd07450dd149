"""Parameters of tests, some of them marked as slow.

Where many parameters show the same, those of the default suite are one of each kind.
"""

from collections.abc import Iterable

import pytest


def slow_but(usual: Iterable[str], names: Iterable[str]) -> list:
    """Return names as parameters of a test, all but the usual ones marked as slow."""
    usual = tuple(usual)
    return [name if name in usual else _slow(name) for name in names]


def slow_after(number: int, rows: Iterable) -> list:
    """Return rows of parameters of a test, all after the first ones marked as slow."""
    rows = list(rows)
    return [*rows[:number], *(_slow(row) for row in rows[number:])]


def _slow(row):
    values = row if isinstance(row, tuple) else (row,)
    return pytest.param(*values, marks=pytest.mark.slow)
