"""RANDOM with adversarial examples: a control for the study of their effect."""

import dataclasses

import numpy as np

import dfal_keras as dfal


class RandomAdversarial(dfal.strategies.Strategy):
    """Query at random, and add the adversarial example of each queried sample.

    The queries are those of RANDOM in the same trial, as both draw the same random
    numbers.

    Args:
        ord: p of the L_p norm, as for `DFAL`. Defaults to 2.
        first_look: As for `DFAL`. Defaults to 8.
    """

    def __init__(self, *, ord: float = 2, first_look: int | None = 8):
        self.ord = ord
        self.first_look = first_look

    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> dfal.strategies.Query:
        """See `Strategy.query`."""
        query = dfal.strategies.Random().query(model, x_unlabeled, num_queries, rng=rng)
        x = np.asarray(x_unlabeled[query.indices], np.float32)
        attack = dfal.deepfool(model, x, ord=self.ord, first_look=self.first_look)
        fooled = np.flatnonzero(attack.success)
        return dataclasses.replace(
            query,
            adversarial_examples=x[fooled] + attack.perturbations[fooled],
            adversarial_rows=fooled,
        )
