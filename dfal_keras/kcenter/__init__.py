"""k-center on arrays: which few points leave no other far away?"""

from dfal_keras.kcenter.result import KCenterResult
from dfal_keras.kcenter.search import greedy, robust

__all__ = ["KCenterResult", "greedy", "robust"]
