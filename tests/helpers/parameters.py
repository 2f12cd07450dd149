"""Parameters of tests."""

from collections.abc import Iterable

import pytest


def slow_but(usual: Iterable[str], names: Iterable[str]) -> list:
    """Return names as parameters of a test, all but the usual ones marked as slow."""
    usual = tuple(usual)
    return [
        name if name in usual else pytest.param(name, marks=pytest.mark.slow)
        for name in names
    ]
