"""Bootstrap intervals of means over trials, and the verdicts that they allow."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import stats

HOLDS, FAILS, UNDECIDED = "holds", "does not hold", "undecided"
MIN_TRIALS = 3  # fewer trials decide nothing
NUM_RESAMPLES = 9999


def of_mean(values: npt.ArrayLike) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a mean over trials.

    Args:
        values: A number for each trial, shape (n,).

    Returns:
        `(low, high)`; `(nan, nan)` with fewer than `MIN_TRIALS` trials; `(-inf, inf)`
        if a number is infinite.
    """
    values = np.asarray(values, dtype=float)
    if len(values) >= MIN_TRIALS and not np.isfinite(values).all():
        return (-math.inf, math.inf)
    return of_statistic(np.mean, values)


def of_statistic(statistic: Callable, *samples: np.ndarray) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a statistic of paired samples.

    The percentile method is used because BCa is undefined if all trials agree. The
    generator is seeded, so the same rows give the same interval.

    Args:
        statistic: Function of one array for each sample, and of `axis`.
        *samples: Arrays of shape (n,). Entry i of each is from the same trial; trials
            are resampled jointly.

    Returns:
        `(low, high)`, or `(nan, nan)` with fewer than `MIN_TRIALS` trials.
    """
    if len(samples[0]) < MIN_TRIALS:
        return (math.nan, math.nan)
    found = stats.bootstrap(
        samples,
        statistic,
        paired=True,
        method="percentile",
        n_resamples=NUM_RESAMPLES,
        rng=0,
    ).confidence_interval
    return float(found.low), float(found.high)


def decide(low: float, high: float, threshold: float = 0.0) -> str:
    """Return whether an interval is above a threshold, below it, or contains it.

    Args:
        low: Lower end of the interval.
        high: Upper end of the interval.
        threshold: Defaults to 0.

    Returns:
        `HOLDS`, `FAILS` or `UNDECIDED`.
    """
    if low > threshold:
        return HOLDS
    return FAILS if high < threshold else UNDECIDED
