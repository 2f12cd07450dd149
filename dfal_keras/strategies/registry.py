"""The names of the query strategies."""

import functools
import importlib
import inspect
from typing import Any

from dfal_keras import _validation
from dfal_keras.strategies.bald import BALD
from dfal_keras.strategies.base import Strategy
from dfal_keras.strategies.ceal import CEAL
from dfal_keras.strategies.core_set import CoreSet
from dfal_keras.strategies.cost_effective_dfal import CostEffectiveDFAL
from dfal_keras.strategies.dfal import DFAL
from dfal_keras.strategies.diverse_dfal import DiverseDFAL
from dfal_keras.strategies.egl import EGL
from dfal_keras.strategies.random import Random
from dfal_keras.strategies.skactiveml import SkActiveML
from dfal_keras.strategies.skactiveml_query import NAMES
from dfal_keras.strategies.uncertainty import Uncertainty

_STRATEGIES: dict[str, Any] = {
    "dfal": DFAL,
    "bald": BALD,
    "ceal": CEAL,
    "core_set": CoreSet,
    "egl": EGL,
    "uncertainty": Uncertainty,
    "random": Random,
    "diverse_dfal": DiverseDFAL,
    "cost_effective_dfal": CostEffectiveDFAL,
    "skactiveml": SkActiveML,
    **{name: functools.partial(SkActiveML, name) for name in NAMES},
}
# Without case and underscores: "core_set", "CoreSet" and "CORE_SET" are the same.
_BY_KEY = {name.replace("_", ""): found for name, found in _STRATEGIES.items()}


# Positional-only, so that a user's class may have an option named `strategy`.
def get(strategy, /, **options) -> Strategy:
    """Return a query strategy by its name, class or config.

    | `strategy` | example |
    |---|---|
    | name of a strategy or of its class, in any case | `"core_set"`, `"CoreSet"` |
    | name of a class in a module that can be imported | `"module:Class"` |
    | class with a method `query` | `dfal_keras.strategies.CoreSet` |
    | dict that `serialize` returns | `{"class_name": "CoreSet", "config": {}}` |
    | object with a method `query`, returned unchanged | `CoreSet()` |

    Args:
        strategy: See above. The names are `"dfal"`, `"bald"`, `"ceal"`, `"core_set"`,
            `"egl"`, `"uncertainty"` and `"random"`; `"diverse_dfal"` and
            `"cost_effective_dfal"`, which are not in the paper; and those of
            `SkActiveML`, such as `"badge"`, which need scikit-activeml.
        **options: Passed to the constructor of a strategy that is given by name or as
            a class.

    Returns:
        An object with a method `query`, such as a `Strategy`.

    Raises:
        ValueError: If `strategy` is none of these, or is a dict or an object and
            options are given; or if options are missing.

    Example:
        >>> import dfal_keras as dfal
        >>> dfal.strategies.get("uncertainty", batch_size=256)
        Uncertainty(stochastic=None, batch_size=256)
        >>> config = {"class_name": "BALD", "config": {"num_samples": 20}}
        >>> dfal.strategies.get(config).num_samples
        20
    """
    found = _find_class(strategy)
    if found is not None:
        _check_required(strategy, found, options)
        return found(**options)
    is_object = callable(getattr(strategy, "query", None))
    if isinstance(strategy, type) or not (is_object or isinstance(strategy, dict)):
        raise _validation.ArgumentError(
            "strategy",
            f"must be one of {', '.join(map(repr, _STRATEGIES))}, "
            '"module:Class", a class or an object with a method `query`, or a dict '
            f"that `serialize` returned. Received: strategy={strategy!r}",
        )
    if options:
        raise _validation.ArgumentError(
            "strategy",
            "must be a name or a class if options are given. "
            f"Received: strategy={strategy!r:.80} and options {sorted(options)}",
        )
    return _from_dict(strategy) if isinstance(strategy, dict) else strategy


def serialize(strategy) -> dict:
    """Return the class name and the options of a strategy, as Keras's `serialize` does.

    Args:
        strategy: A `Strategy`, or another object with a method `get_config`.

    Returns:
        A dict with the keys `class_name` and `config`, from which `get` builds an equal
        strategy. The class name of a strategy of your own is `"module:Class"`.

    Raises:
        ValueError: If the strategy has no config, or its class can't be imported.

    Example:
        >>> import dfal_keras as dfal
        >>> dfal.strategies.serialize(dfal.strategies.Random())
        {'class_name': 'Random', 'config': {'num_candidates': None}}
    """
    cls = type(strategy)
    name = class_name(strategy)
    try:
        config = strategy.get_config()
    except (AttributeError, NotImplementedError) as error:
        raise _validation.ArgumentError(
            "strategy",
            "must have a method `get_config` that returns its "
            f"options. Received: strategy={strategy!r:.80} ({error})",
        ) from error
    if _find_class(name) is not cls:
        raise _validation.ArgumentError(
            "strategy",
            "must be of a class that can be imported. Received: "
            f"strategy={strategy!r:.80}, of the class {name}",
        )
    return {"class_name": name, "config": config}


def class_name(strategy) -> str:
    """Return the name of a strategy's class, as `serialize` does.

    Args:
        strategy: An object with a method `query`.

    Returns:
        The class name; `"module:Class"` for a strategy of your own.

    Example:
        >>> import dfal_keras as dfal
        >>> dfal.strategies.class_name(dfal.strategies.CoreSet())
        'CoreSet'
    """
    cls = type(strategy)
    if cls in _STRATEGIES.values():
        return cls.__name__
    return f"{cls.__module__}:{cls.__qualname__}"


def _find_class(strategy):
    """Return what builds the strategy of a name or a class, `None` for others."""
    if isinstance(strategy, str) and ":" in strategy:
        return _import_class(strategy)
    if isinstance(strategy, str):
        return _BY_KEY.get(strategy.lower().replace("_", ""))
    return strategy if _is_strategy_class(strategy) else None


def _from_dict(strategy):
    """Return the strategy of a dict that `serialize` returned."""
    name, config = strategy.get("class_name"), strategy.get("config")
    found = _find_class(name) if isinstance(name, str) else None
    if (
        strategy.keys() != {"class_name", "config"}
        or not found
        or not isinstance(config, dict)
    ):
        raise _validation.ArgumentError(
            "strategy",
            "must be a dict with the `class_name` of a strategy "
            f"and its `config`. Received: strategy={strategy!r}",
        )
    _check_required(name, found, config)
    from_config = getattr(found, "from_config", lambda config: found(**config))
    return from_config(config)


def _check_required(strategy, found, options):
    """Raise ValueError if options that a strategy needs are not given."""
    missing = [
        name
        for name, parameter in inspect.signature(found).parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and name not in options
    ]
    if missing:
        raise _validation.ArgumentError(
            "strategy",
            f"must be given with {', '.join(map(repr, missing))}. "
            f"Received: strategy={strategy!r:.80} and options {sorted(options)}",
        )


def _import_class(strategy):
    """Import the class that `"module:Class"` names."""
    module, _, name = strategy.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise _validation.ArgumentError(
            "strategy",
            "must name a class in a module that can be imported, "
            f'as "module:Class". Received: strategy={strategy!r} ({error})',
        ) from error
    if not _is_strategy_class(found):
        raise _validation.ArgumentError(
            "strategy",
            "must name a class that has a method `query` and is "
            f"not abstract. Received: strategy={strategy!r}, which is {found!r:.80}",
        )
    return found


def _is_strategy_class(found):
    is_concrete = inspect.isclass(found) and not inspect.isabstract(found)
    return is_concrete and callable(getattr(found, "query", None))
