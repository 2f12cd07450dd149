"""Margin-based active learning in Keras: DFAL and the methods it was compared with."""

from dfal_keras import datasets, models, strategies
from dfal_keras.deepfool import DeepFoolResult, deepfool
from dfal_keras.learner import ActiveLearner, Round
from dfal_keras.training import Training

__version__ = "0.1.0"

__all__ = [
    "ActiveLearner",
    "DeepFoolResult",
    "Round",
    "Training",
    "datasets",
    "deepfool",
    "models",
    "strategies",
]
