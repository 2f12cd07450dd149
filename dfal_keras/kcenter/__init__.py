"""k-center on arrays: choose the points that leave no other point far away."""

from dfal_keras.kcenter.radius_search import FORMULATIONS
from dfal_keras.kcenter.result import KCenterResult
from dfal_keras.kcenter.search import greedy, robust
from dfal_keras.kcenter.solver_process import SolverProcess

__all__ = ["FORMULATIONS", "KCenterResult", "SolverProcess", "greedy", "robust"]
