"""The names of the query strategies."""

import importlib
import inspect

from dfal_keras.strategies.bald import BALD
from dfal_keras.strategies.base import Strategy
from dfal_keras.strategies.ceal import CEAL
from dfal_keras.strategies.core_set import CoreSet
from dfal_keras.strategies.dfal import DFAL
from dfal_keras.strategies.egl import EGL
from dfal_keras.strategies.random import Random
from dfal_keras.strategies.uncertainty import Uncertainty

_STRATEGIES = {
    "dfal": DFAL,
    "bald": BALD,
    "ceal": CEAL,
    "core_set": CoreSet,
    "egl": EGL,
    "uncertainty": Uncertainty,
    "random": Random,
}


# Positional-only, so that a user's class may have an option named `strategy`.
def get(strategy, /, **options) -> Strategy:
    """Return a query strategy by its name.

    Args:
        strategy: One of `"dfal"`, `"bald"`, `"ceal"`, `"core_set"`, `"egl"`,
            `"uncertainty"` and `"random"`; or `"module:Class"`, the name of a class in
            a module that can be imported; or an object with a method `query`, which is
            returned unchanged.
        **options: Passed to the constructor of a strategy that is given by name.

    Returns:
        An object with a method `query`, such as a `Strategy`.

    Raises:
        ValueError: If `strategy` is not a strategy or the name of one.

    Example:
        >>> import dfal_keras as dfal
        >>> dfal.strategies.get("uncertainty", batch_size=256)
        Uncertainty(batch_size=256)
    """
    if isinstance(strategy, str) and strategy in _STRATEGIES:
        return _STRATEGIES[strategy](**options)
    if isinstance(strategy, str) and ":" in strategy:
        return _import_class(strategy)(**options)
    if callable(getattr(strategy, "query", None)) and not isinstance(strategy, type):
        return strategy
    raise ValueError(
        f"Argument `strategy` must be one of {', '.join(map(repr, _STRATEGIES))}, "
        '"module:Class", or an object with a method `query`. '
        f"Received: strategy={strategy!r}"
    )


def _import_class(strategy):
    """Import the class that `"module:Class"` names."""
    module, _, name = strategy.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            "Argument `strategy` must name a class in a module that can be imported, "
            f'as "module:Class". Received: strategy={strategy!r} ({error})'
        ) from error
    is_concrete = inspect.isclass(found) and not inspect.isabstract(found)
    if not is_concrete or not callable(getattr(found, "query", None)):
        raise ValueError(
            "Argument `strategy` must name a class that has a method `query` and is "
            f"not abstract. Received: strategy={strategy!r}, which is {found!r:.80}"
        )
    return found
