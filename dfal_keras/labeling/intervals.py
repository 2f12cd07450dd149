"""Confidence intervals of proportions."""

import math

_Z = 1.959964  # the 97.5 % quantile of the normal distribution


def wilson(num_right: int, num_images: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a proportion.

        (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)

    Reference:
        - Wilson, 1927, "Probable inference, the law of succession, and statistical
          inference".

    Args:
        num_right: Number of successes.
        num_images: Number of trials. Without any, the interval is (0, 1).

    Example:
        >>> low, high = wilson(90, 100)
        >>> round(low, 4), round(high, 4)
        (0.8256, 0.9448)
    """
    return _interval(num_right / num_images, num_images) if num_images else (0.0, 1.0)


def num_to_halve(num_right: int, num_images: int) -> int:
    """Return how many more trials would halve the interval, at the same proportion."""
    share = num_right / num_images if num_images else 0.5
    low, high = wilson(num_right, num_images)
    needed = max(1, num_images)
    while True:
        new_low, new_high = _interval(share, needed)
        if new_high - new_low <= (high - low) / 2:
            return needed - num_images
        needed += max(1, needed // 100)


def _interval(share, n):
    center = share + _Z**2 / (2 * n)
    half = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    return max(0.0, (center - half) / scale), min(1.0, (center + half) / scale)
