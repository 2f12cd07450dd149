"""Query strategies: they choose the samples to label next."""

from dfal_keras.strategies.bald import BALD
from dfal_keras.strategies.base import Strategy
from dfal_keras.strategies.ceal import CEAL
from dfal_keras.strategies.companions import WithCompanions
from dfal_keras.strategies.core_set import CoreSet
from dfal_keras.strategies.cost_effective_dfal import CostEffectiveDFAL
from dfal_keras.strategies.dfal import DFAL
from dfal_keras.strategies.diverse_dfal import DiverseDFAL
from dfal_keras.strategies.egl import EGL
from dfal_keras.strategies.query import Query
from dfal_keras.strategies.random import Random
from dfal_keras.strategies.registry import class_name, get, serialize
from dfal_keras.strategies.skactiveml import SkActiveML
from dfal_keras.strategies.uncertainty import Uncertainty

__all__ = [
    "BALD",
    "CEAL",
    "DFAL",
    "EGL",
    "CoreSet",
    "CostEffectiveDFAL",
    "DiverseDFAL",
    "Query",
    "Random",
    "SkActiveML",
    "Strategy",
    "Uncertainty",
    "WithCompanions",
    "class_name",
    "get",
    "serialize",
]
