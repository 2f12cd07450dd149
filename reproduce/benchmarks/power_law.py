"""Power laws of seconds over sizes: fitted, checked and extrapolated."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt
from scipy import stats

# Limits below which seconds of CORE-SET's literal program are not extrapolated.
MIN_SIZES = 5
MIN_POWER = 1.5  # with about 2 n^2 binaries, a lower power is not the program's growth
MIN_FIT = 0.9  # R^2 of the fit to the logarithms


@dataclasses.dataclass(frozen=True)
class PowerLaw:
    """A fit of seconds = exp(intercept) * size ** power.

    Attributes:
        power: The exponent.
        intercept: Logarithm of the seconds at size 1.
        r_squared: R^2 of the linear fit to the logarithms.
    """

    power: float
    intercept: float
    r_squared: float

    def at(self, size: float) -> float:
        """Return the seconds at a size."""
        return float(np.exp(self.intercept) * size**self.power)


@dataclasses.dataclass(frozen=True)
class Extrapolation:
    """Seconds at a larger size, and how they were found.

    Attributes:
        seconds: nan if nothing is extrapolated.
        source: The sizes and the power, or why nothing is extrapolated.
        summary: One line with the measured seconds and the fit.
    """

    seconds: float
    source: str
    summary: str


def fit(sizes: npt.ArrayLike, seconds: npt.ArrayLike) -> PowerLaw:
    """Fit a power law by linear regression of the logarithms.

    Args:
        sizes: int array (k,).
        seconds: float array (k,), above 0.
    """
    fitted = stats.linregress(np.log(sizes), np.log(seconds))
    return PowerLaw(
        float(fitted.slope), float(fitted.intercept), float(fitted.rvalue**2)
    )


def extrapolate(sizes: np.ndarray, seconds: np.ndarray, size: int) -> Extrapolation:
    """Extrapolate seconds to a larger size, if the fit allows it.

    Nothing is extrapolated from fewer than `MIN_SIZES` sizes, by a power below
    `MIN_POWER` or by a fit with an R^2 below `MIN_FIT`.

    Args:
        sizes: int array (k,).
        seconds: float array (k,), above 0: CPU time at each size.
        size: The size to extrapolate to.
    """
    if len(sizes) < MIN_SIZES:
        reason = f"not extrapolated: {len(sizes)} sizes solved in time of {MIN_SIZES}"
        return Extrapolation(math.nan, reason, reason)
    law = fit(sizes, seconds)
    names = ", ".join(map(str, sizes))
    line = (
        f"{', '.join(f'{value:.1f}' for value in seconds)} s of CPU time at n = "
        f"{names}; grows as n^{law.power:.1f} (R^2 = {law.r_squared:.2f})"
    )
    reasons = []
    if law.power < MIN_POWER:
        reasons.append(f"n^{law.power:.1f} is below n^{MIN_POWER}")
    if law.r_squared < MIN_FIT:
        reasons.append(f"the fit is poor, R^2 = {law.r_squared:.2f} below {MIN_FIT}")
    if reasons:
        reason = f"not extrapolated: {' and '.join(reasons)}"
        return Extrapolation(math.nan, reason, f"{line}; {reason}")
    left_out = [
        fit(np.delete(sizes, i), np.delete(seconds, i)).at(size)
        for i in range(len(sizes))
    ]
    span = f"{rough(min(left_out))} to {rough(max(left_out))} s"
    return Extrapolation(
        law.at(size),
        f"extrapolated from n = {names} as n^{law.power:.1f} ({span})",
        f"{line}: about {rough(law.at(size))} s at n = {size}",
    )


def rough(number: float) -> str:
    """Format a number with two significant digits, without an exponent."""
    return f"{float(f'{number:.2g}'):.12g}"
