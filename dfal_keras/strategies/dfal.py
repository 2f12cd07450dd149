"""DFAL: query what lies closest to its adversarial example, and keep that too."""

import inspect
import logging

import numpy as np

from dfal_keras import _validation
from dfal_keras.attacks import deepfool
from dfal_keras.backend import inference
from dfal_keras.strategies.base import Strategy
from dfal_keras.strategies.query import Query

_logger = logging.getLogger(__name__)


class DFAL(Strategy):
    """DeepFool Active Learning: query the smallest adversarial perturbations.

        Q = { x_j, x_j + r_j : j in argsort ||r_i||_p [0 : num_queries] },
        r_i = DeepFool(x_i)

    The adversarial twins x_j + r_j are taken to share the label of x_j, so each label
    adds two samples. The scores are the norms of the perturbations, in units of a
    pixel.

    A candidate on which DeepFool could not fool the model has an infinite score. It is
    queried only after all others, drawn at random, and brings no twin; a warning says
    how many there are. That departs from the paper, which does not mention the case.

    Reference:
        - Ducoffe & Precioso, 2018, "Adversarial active learning for deep networks: a
          margin based approach", Algorithm 1.

    Args:
        num_candidates: K, the size of the random subset to attack.
        ord: p of the norm, from 1 to `np.inf`; the paper's is 2.
        adversarial: Whether to return the twins. False is the ablation that the
            authors call "DFAL_".
        **options: Passed on to `dfal_keras.deepfool`. Its `num_closest` is the number
            of queries at least: `None` attacks every candidate to the end. Its
            `first_look` is 8 unless given, so that a query of a model that can't be
            fooled soon ends; it changes no other query.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> query = dfal.strategies.DFAL().query(model, x[:100], num_queries=10)
        >>> query.adversarial_examples.shape
        (10, 28, 28, 1)
    """

    def __init__(
        self,
        *,
        num_candidates: int = 300,
        ord: float = 2,
        adversarial: bool = True,
        **options,
    ):
        # An option that DeepFool lacks is a mistake to hear of before any training.
        inspect.signature(deepfool).bind(None, None, ord=ord, **options)
        self.num_candidates = _validation.check_count("num_candidates", num_candidates)
        self.ord = ord
        self.adversarial = adversarial
        self.options = options

    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> Query:
        """See `Strategy.query`."""
        options: dict = {"num_closest": num_queries, "first_look": _FIRST_LOOK}
        options |= self.options
        if options["num_closest"] is not None:  # those given up are not told apart
            num_closest = _validation.check_count("num_closest", options["num_closest"])
            options["num_closest"] = max(num_closest, num_queries)
        attack = deepfool(model, x_unlabeled, ord=self.ord, **options)
        # DeepFool takes NaN for a sample that can't be fooled; here it is a mistake.
        if (attack.num_steps == 0).any():
            inference.predict_logits(model, x_unlabeled)
        ranked = np.argsort(attack.norms, kind="stable")
        fooled = ranked[: min(num_queries, attack.success.sum())]
        others = np.empty(0, np.int64)
        if len(fooled) < num_queries:
            others = np.flatnonzero(~attack.success)
            others = rng.choice(others, num_queries - len(fooled), replace=False)
            _warn(len(fooled), len(others), len(ranked))
        indices = np.concatenate([fooled, others])
        twins = None
        if self.adversarial:
            originals = np.asarray(x_unlabeled[fooled], np.float32)
            twins = originals + attack.perturbations[fooled]
        return Query(
            indices,
            attack.norms[indices],
            adversarial_examples=twins,
            adversarial_rows=None if twins is None else np.arange(len(fooled)),
        )


_FIRST_LOOK = 8  # candidates that decide, where the first steps fooled none


def _warn(num_fooled, num_unfooled, num_candidates):
    """Say how many queries are no choice of DFAL's, and what to do."""
    _logger.warning(
        "DFAL: DeepFool fooled the model on %d of %d candidates, so %d of the queries "
        "are drawn at random and have no adversarial twin. Raise `max_steps`, or label "
        "more samples first: a model at chance often can't be fooled",
        *(num_fooled, num_candidates, num_unfooled),
    )
