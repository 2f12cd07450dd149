"""Pictures of learning curves, of perturbations, and of queried images."""

from dfal_keras.plots.curves import learning_curve
from dfal_keras.plots.pictures import attack, query

__all__ = ["attack", "learning_curve", "query"]
