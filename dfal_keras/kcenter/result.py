"""What a k-center search returns."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class KCenterResult:
    """What a k-center search chose, and how good it is known to be.

    Attributes:
        centers: int array (num_centers,), the new centers as indices into `features`.
        radius: largest distance of a point to its nearest center, old or new, after
            leaving out `outliers`. In the units of `features`.
        lower_bound: no choice of centers has a smaller radius than this.
        proven: whether `radius` is the optimum, i.e. equals `lower_bound`.
        outliers: int array, the points farther than `radius` from every center.
    """

    centers: np.ndarray
    radius: float
    lower_bound: float
    proven: bool
    outliers: np.ndarray
