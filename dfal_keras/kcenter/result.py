"""The result of a k-center search."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class KCenterResult:
    """Centers, their covering radius, and a bound on the optimum.

    Attributes:
        centers: Int array of shape `(num_centers,)`, the new centers as rows of
            `features`.
        radius: Largest distance of a point to its nearest center, selected or new,
            without the `outliers`. In units of `features`.
        lower_bound: Lower bound on the radius of any choice of centers.
        proven: Whether `radius` is optimal, that is, equal to `lower_bound`.
        outliers: Int array, rows of the points farther than `radius` from every center.
    """

    centers: np.ndarray
    radius: float
    lower_bound: float
    proven: bool
    outliers: np.ndarray
