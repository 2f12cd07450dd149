"""Is a mean over trials above zero? Bootstrap intervals, and what they decide."""

import math

import numpy as np
from scipy import stats

HOLDS, FAILS, UNDECIDED = "holds", "does not hold", "undecided"
MIN_TRIALS = 3  # with fewer nothing is decided
NUM_RESAMPLES = 9999


def of_mean(values) -> tuple:
    """Return the 95 % bootstrap interval of a mean over trials.

    Args:
        values: A number for each trial, shape (n,). Infinite ones are bounds on what
            was not measured: the interval is then infinite on that side.

    Returns:
        `(low, high)`, or `(nan, nan)` with fewer than `MIN_TRIALS` trials.
    """
    values = np.asarray(values, dtype=float)
    if len(values) >= MIN_TRIALS and not np.isfinite(values).all():
        return (-math.inf, math.inf)
    return of_statistic(np.mean, values)


def of_statistic(statistic, *samples) -> tuple:
    """Return the 95 % bootstrap interval of a statistic; trials are drawn jointly.

    The percentile method: unlike BCa it has an answer where all trials agree. The
    generator is seeded, so the same rows give the same interval.

    Args:
        statistic: Function of as many arrays as there are samples, and of `axis`.
        *samples: Arrays of shape (n,), entry i of each from the same trial.

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
    """Return whether an interval lies above a threshold, below it, or holds it."""
    if low > threshold:
        return HOLDS
    return FAILS if high < threshold else UNDECIDED
