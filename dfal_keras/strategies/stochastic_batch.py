"""Stochastic batches: draw queries by their scores instead of taking the best.

The best samples of a batch are often alike, and the scores change with each label.
Drawing without replacement, the probability that sample i is next is

    w_i / sum_j w_j    over the samples j that are not drawn yet,

where, for a score s_i >= 0 of rank r_i (1 for the largest score),

| `stochastic` | w_i |
|---|---|
| `"power"` | s_i |
| `"softmax"` | exp s_i |
| `"softrank"` | 1 / r_i |

Equivalently, take the samples with the largest log w_i + g_i, with independent Gumbel
noise g_i. The temperature is 1, as in the experiments of the paper. Only "softmax"
depends on the unit of the scores.

Reference:
    - Kirsch et al., 2023, "Stochastic batch acquisition: a simple baseline for deep
      active learning".
    - Kool et al., 2019, "Stochastic beams and where to find them: the
      Gumbel-top-k trick for sampling sequences without replacement".
"""

import numpy as np

from dfal_keras import _validation

KINDS = ("power", "softmax", "softrank")


def check(stochastic: str | None) -> str | None:
    """Return the option `stochastic` of a strategy, or raise ValueError."""
    if stochastic is None:
        return None
    return _validation.check_choice("stochastic", stochastic, KINDS)


def choose(
    scores: np.ndarray,
    num_queries: int,
    stochastic: str | None,
    rng: np.random.Generator,
) -> np.ndarray:
    """Choose samples by their scores.

    Args:
        scores: Array of shape `(num_samples,)`, larger is better, without NaN.
            Infinity is allowed.
        num_queries: Number of samples to choose.
        stochastic: One of `KINDS`, see above; `None` for the largest scores.
        rng: Source of randomness. Not used if `stochastic` is `None`.

    Returns:
        Int array of shape `(num_queries,)`, distinct rows of `scores` in the order in
        which they are drawn, or best first.

    Raises:
        ValueError: If `stochastic` is `"power"` and a score is negative.

    Example:
        >>> scores = np.array([0.1, 0.7, 0.2])
        >>> choose(scores, 2, None, np.random.default_rng(0))
        array([1, 2])
        >>> rng = np.random.default_rng(0)
        >>> first = [choose(scores, 2, "power", rng)[0] for _ in range(1000)]
        >>> (np.bincount(first) / 1000).round(1)
        array([0.1, 0.7, 0.2])
    """
    if stochastic is None:
        return np.argsort(-scores, kind="stable")[:num_queries]
    noise = rng.gumbel(size=len(scores))
    perturbed = _log_weights(scores, stochastic, rng) + noise
    # Weights of zero are equal with noise too: the noise alone decides.
    return np.lexsort((-noise, -perturbed))[:num_queries]


def _log_weights(scores, stochastic, rng):
    scores = np.asarray(scores, np.float64)
    if stochastic == "softmax":
        return scores
    if stochastic == "power":
        if (scores < 0).any():
            raise _validation.ArgumentError(
                "stochastic",
                "must be 'softmax' or 'softrank' if scores can be negative. "
                f"Received: stochastic='power' and a score of {scores.min():.4g}",
            )
        with np.errstate(divide="ignore"):
            return np.log(scores)
    order = np.lexsort((rng.random(len(scores)), -scores))  # equal scores at random
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    return -np.log(ranks)
