"""Margin-based active learning in Keras: DFAL and the methods it is compared with."""

import importlib
from typing import TYPE_CHECKING

from dfal_keras import _keras_backend

__version__ = "0.2.0"

_keras_backend.check()

_SUBMODULES = (
    *("callbacks", "datasets", "kcenter", "models"),
    *("plots", "pools", "stopping", "strategies"),
)
_DEFINED_IN = {
    "ActiveLearner": "learning.learner",
    "DeepFoolResult": "attacks",
    "Round": "learning.rounds",
    "Training": "training",
    "deepfool": "attacks",
}

# Written out, because type checkers and editors don't run this module.
__all__ = [
    "ActiveLearner",
    "DeepFoolResult",
    "Round",
    "Training",
    "callbacks",
    "datasets",
    "deepfool",
    "kcenter",
    "models",
    "plots",
    "pools",
    "stopping",
    "strategies",
]

if TYPE_CHECKING:
    from dfal_keras import (
        callbacks,
        datasets,
        kcenter,
        models,
        plots,
        pools,
        stopping,
        strategies,
    )
    from dfal_keras.attacks import DeepFoolResult, deepfool
    from dfal_keras.learning.learner import ActiveLearner
    from dfal_keras.learning.rounds import Round
    from dfal_keras.training import Training
else:  # type checkers would accept any name with `__getattr__`

    def __getattr__(name):
        """Import public names on first use.

        A process that does not need TensorFlow, such as a solver's, never imports it.
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
