"""The query strategies: which samples to label next."""

from dfal_keras.strategies.bald import BALD
from dfal_keras.strategies.base import Query, Strategy
from dfal_keras.strategies.ceal import CEAL
from dfal_keras.strategies.core_set import CoreSet
from dfal_keras.strategies.dfal import DFAL
from dfal_keras.strategies.egl import EGL
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
            `"uncertainty"`, `"random"`; or an object with a method `query`, which is
            returned as it is.
        **options: Passed to the constructor of a strategy given by name.

    Returns:
        An object with a method `query`, such as a `Strategy`.

    Raises:
        ValueError: If the name is unknown.

    Example:
        >>> import dfal_keras as dfal
        >>> dfal.strategies.get("random")
        Random()
    """
    if isinstance(identifier, str) and identifier in _STRATEGIES:
        return _STRATEGIES[identifier](**options)
    if callable(getattr(identifier, "query", None)) and not isinstance(
        identifier, type
    ):
        return identifier
    raise ValueError(
        f"Argument `identifier` must be one of {sorted(_STRATEGIES)}, or an object "
        f"with a method `query`. Received: {identifier!r}"
    )
