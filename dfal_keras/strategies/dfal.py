"""DFAL: query what lies closest to its adversarial example, and keep that too."""

import inspect

import numpy as np

from dfal_keras import inference, validation
from dfal_keras.attacks import deepfool
from dfal_keras.strategies.base import Query, Strategy


class DFAL(Strategy):
    """DeepFool Active Learning: query the smallest adversarial perturbations.

        Q = { x_j, x_j + r_j : j in argsort ||r_i||_p [0 : num_queries] },
        r_i = DeepFool(x_i)

    The adversarial twins x_j + r_j are taken to share the label of x_j, so each label
    adds two samples. The scores are the norms of the perturbations, in units of a
    pixel. A sample that DeepFool could not fool comes after all that it could.

    Reference:
        - Ducoffe & Precioso, 2018, "Adversarial active learning for deep networks: a
          margin based approach", Algorithm 1.

    Args:
        num_candidates: K, the size of the random subset to attack.
        ord: p of the norm, from 1 to `np.inf`; the paper's is 2.
        adversarial: Whether to return the twins. False is the ablation that the
            authors call "DFAL_".
        **options: Passed on to `dfal_keras.deepfool`. Its `num_closest` is the number
            of queries unless given: `None` attacks every candidate to the end.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> query = dfal.strategies.DFAL().query(model, x[:100], num_queries=10)
        >>> query.adversarial_twins.shape
        (10, 28, 28, 1)
    """

    def __init__(
        self, *, num_candidates: int = 300, ord=2, adversarial: bool = True, **options
    ):
        # An option that DeepFool lacks is a mistake to hear of before any training.
        inspect.signature(deepfool).bind(None, None, ord=ord, **options)
        self.num_candidates = validation.check_count("num_candidates", num_candidates)
        self.ord = ord
        self.adversarial = adversarial
        self.options = options

    def select(self, model, x_unlabeled, num_queries, x_labeled, rng):
        """See `Strategy.query`."""
        # Only the smallest are wanted: most candidates need no second step.
        options = {"num_closest": num_queries, **self.options}
        attack = deepfool(model, x_unlabeled, ord=self.ord, **options)
        # DeepFool takes NaN for a sample that can't be fooled; here it is a mistake.
        if (attack.num_steps == 0).any():
            inference.predict_logits(model, x_unlabeled)
        indices = np.argsort(attack.norms, kind="stable")[:num_queries]
        twins = None
        if self.adversarial:
            originals = np.asarray(x_unlabeled[indices], np.float32)
            twins = originals + attack.perturbations[indices]
        return Query(indices, attack.norms[indices], adversarial_twins=twins)
