"""Margin-based active learning in Keras: DFAL and the methods it was compared with."""

import importlib

__version__ = "0.1.0"

_SUBMODULES = ("datasets", "kcenter", "models", "pools", "strategies")
_DEFINED_IN = {
    "ActiveLearner": "learner",
    "DeepFoolResult": "attacks",
    "Round": "simulation",
    "Training": "training",
    "deepfool": "attacks",
}

__all__ = sorted([*_SUBMODULES, *_DEFINED_IN])


def __getattr__(name):
    """Import what is asked for, when it is asked for.

    So that a process which needs no TensorFlow, such as a solver's, loads none.
    """
    if name in _SUBMODULES:
        value = importlib.import_module(f"dfal_keras.{name}")
    elif name in _DEFINED_IN:
        module = importlib.import_module(f"dfal_keras.{_DEFINED_IN[name]}")
        value = getattr(module, name)
    else:
        raise AttributeError(f"module 'dfal_keras' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return [*__all__, "__version__"]
