"""The verdicts that an interval allows."""

HOLDS, FAILS, UNDECIDED = "holds", "does not hold", "undecided"
MIN_TRIALS = 3  # fewer trials decide nothing


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
