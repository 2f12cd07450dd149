"""The query strategies: which samples to label next."""

import importlib
import inspect

from dfal_keras.strategies.bald import BALD
from dfal_keras.strategies.base import Strategy
from dfal_keras.strategies.ceal import CEAL
from dfal_keras.strategies.core_set import CoreSet
from dfal_keras.strategies.dfal import DFAL
from dfal_keras.strategies.egl import EGL
from dfal_keras.strategies.query import Query
from dfal_keras.strategies.random import Random
from dfal_keras.strategies.uncertainty import Uncertainty

__all__ = [
    "BALD",
    "CEAL",
    "DFAL",
    "EGL",
    "CoreSet",
    "Query",
    "Random",
    "Strategy",
    "Uncertainty",
    "get",
]

_STRATEGIES = {
    "dfal": DFAL,
    "bald": BALD,
    "ceal": CEAL,
    "core_set": CoreSet,
    "egl": EGL,
    "uncertainty": Uncertainty,
    "random": Random,
}


def get(identifier, **options) -> Strategy:
    """Return a query strategy by its name.

    Args:
        identifier: One of `"dfal"`, `"bald"`, `"ceal"`, `"core_set"`, `"egl"`,
            `"uncertainty"`, `"random"`; or `"module:Class"`, a class of your own in a
            module that can be imported; or an object with a method `query`, which is
            returned as it is.
        **options: Passed to the constructor of a strategy given by name.

    Returns:
        An object with a method `query`, such as a `Strategy`.

    Raises:
        ValueError: If the name is unknown, or is that of no strategy.

    Example:
        >>> import dfal_keras as dfal
        >>> dfal.strategies.get("random")
        Random()
    """
    if isinstance(identifier, str) and identifier in _STRATEGIES:
        return _STRATEGIES[identifier](**options)
    if isinstance(identifier, str) and ":" in identifier:
        return get(_imported(identifier)(**options))
    if callable(getattr(identifier, "query", None)) and not isinstance(
        identifier, type
    ):
        return identifier
    raise ValueError(
        f"Argument `identifier` must be one of {sorted(_STRATEGIES)}, "
        '"module:Class", or an object with a method `query`. '
        f"Received: {identifier!r}"
    )


def _imported(identifier):
    """Import the class that `"module:Class"` names."""
    module, _, name = identifier.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            "Argument `identifier` must name a class in a module that can be imported, "
            f'as "module:Class". Received: {identifier!r} ({error})'
        ) from error
    is_whole = inspect.isclass(found) and not inspect.isabstract(found)
    if not is_whole or not callable(getattr(found, "query", None)):
        raise ValueError(
            "Argument `identifier` must name a class with a method `query` and nothing "
            f"abstract. Received: {identifier!r}, which is {found!r:.80}"
        )
    return found
