"""DFAL: query the samples with the smallest adversarial perturbations."""

import logging

import numpy as np

from dfal_keras import _validation, attacks
from dfal_keras.backend import classifier, inference
from dfal_keras.strategies import stochastic_batch
from dfal_keras.strategies.base import Strategy
from dfal_keras.strategies.example_range import within_range
from dfal_keras.strategies.query import Query

_logger = logging.getLogger(__name__)


class DFAL(Strategy):
    """DeepFool Active Learning: query the smallest adversarial perturbations.

        Q = { x_j, x_j + r_j : j in argsort ||r_i||_p [0 : num_queries] },
        r_i = DeepFool(x_i)

    The adversarial examples x_j + r_j are assumed to have the label of x_j, so each
    label adds two samples. The scores are the norms of the perturbations, in units of
    a pixel.

    A candidate for which DeepFool finds no adversarial example has an infinite score.
    Such candidates are queried only after all others, in random order and without
    adversarial examples, and a warning is logged. The paper does not mention this case.

    With `stochastic`, "power" draws by 1 / ||r_i||_p: a perturbation of half the norm
    is drawn twice as often, whatever the unit of a pixel. "softmax" and "softrank" draw
    by -||r_i||_p. All attacks then run to the end, unless `first_look` ends them.

    Without `bounds`, an adversarial example that leaves the range of the candidates by
    more than that range is not added, and a warning is logged.

    Reference:
        - Ducoffe & Precioso, 2018, "Adversarial active learning for deep networks: a
          margin based approach", Algorithm 1.

    Args:
        num_candidates: K, the size of the random subset of the pool to attack.
            Defaults to 300.
        ord: p of the L_p norm, from 1 to `np.inf`. Defaults to 2, as in the paper.
        adversarial: Whether to return the adversarial examples. `False` is the
            ablation that the authors call "DFAL_". Defaults to `True`.
        max_steps: Maximum number of steps per candidate. This option and those below
            are passed to `dfal_keras.deepfool`. Defaults to 50.
        overshoot: Share by which to exceed the decision boundary. Defaults to 0.02.
        bounds: `(low, high)`, the range of valid pixels, to which the adversarial
            examples are clipped, such as `(0, 255)`. Defaults to `None`, no clipping.
        num_classes: Number of most likely classes to compare, the predicted one
            included. Defaults to `None`: all classes of a model with up to 10, and the
            10 most likely of others.
        step_offset: Length added to every step, in units of a pixel. Defaults to
            `None`, the resolution of float32.
        num_closest: Give up an image once `max(num_closest, num_queries)` others have
            been fooled by smaller perturbations. `None` attacks every candidate to the
            end. Defaults to 1.
        first_look: If no candidate is fooled within three steps, finish the attack on
            the `first_look` closest ones; if none of them is fooled either, give up on
            all. This shortens the query of a model that can't be fooled and changes no
            other query. `None` attacks every candidate. Defaults to 8.
        stochastic: `"power"`, `"softmax"` or `"softrank"`, to draw the queries by their
            scores; see `dfal_keras.strategies.stochastic_batch`. Defaults to `None`,
            the best scores.
        batch_size: Number of images to attack at a time. Defaults to `None`: up to 128,
            as far as the model's activations fit in about 1 GB.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> query = dfal.strategies.DFAL().query(model, x[:100], num_queries=10)
        >>> query.companions.shape
        (10, 28, 28, 1)
    """

    def __init__(
        self,
        *,
        num_candidates: int = 300,
        ord: float = 2,
        adversarial: bool = True,
        max_steps: int = 50,
        overshoot: float = 0.02,
        bounds: tuple | None = None,
        num_classes: int | None = None,
        step_offset: float | None = None,
        num_closest: int | None = 1,
        first_look: int | None = 8,
        stochastic: str | None = None,
        batch_size: int | None = None,
    ):
        self.num_candidates = _validation.check_count("num_candidates", num_candidates)
        self.ord = ord
        self.adversarial = adversarial
        self.max_steps = max_steps
        self.overshoot = overshoot
        self.bounds = bounds
        self.num_classes = num_classes
        self.step_offset = step_offset
        self.num_closest = num_closest
        self.first_look = first_look
        self.stochastic = stochastic_batch.check(stochastic)
        self.batch_size = batch_size
        self._deepfool_options(num_closest)  # raises ValueError for invalid options

    def check_model(self, model) -> None:
        """See `Strategy.check_model`. Inputs must be real numbers, outputs logits."""
        super().check_model(model)
        classifier.check_real_inputs(model)
        inference.check_returns_logits(model)

    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> Query:
        """See `Strategy.query`."""
        attack = self._attack(model, x_unlabeled, num_queries)
        closest = self._rank(attack, rng)[:num_queries]
        return self._complete(closest, attack, x_unlabeled, num_queries, rng)

    def _attack(self, model, x_unlabeled, num_ranked):
        """Attack the candidates to find the `num_ranked` smallest perturbations."""
        num_closest = self.num_closest
        if self.stochastic is not None:
            num_closest = None
        elif num_closest is not None:
            # Candidates whose attack is stopped have no norm to be ranked by.
            num_closest = max(num_closest, num_ranked)
        options = self._deepfool_options(num_closest)
        return attacks.attack(model, x_unlabeled, options, finite=True)

    def _rank(self, attack, rng):
        """Return the rows on which an attack succeeded, the next to query first."""
        ranked = np.argsort(attack.norms, kind="stable")[: attack.success.sum()]
        if self.stochastic is None:
            return ranked
        norms = attack.norms[ranked]
        with np.errstate(divide="ignore"):
            scores = 1 / norms if self.stochastic == "power" else -norms
        drawn = stochastic_batch.choose(scores, len(ranked), self.stochastic, rng)
        return ranked[drawn]

    def _complete(self, chosen, attack, x_unlabeled, num_queries, rng):
        """Return the query of the chosen candidates, plus random ones if too few."""
        others = np.empty(0, np.int64)
        if len(chosen) < num_queries:
            others = np.flatnonzero(~attack.success)
            others = rng.choice(others, num_queries - len(chosen), replace=False)
            _warn(len(chosen), len(others), len(attack.success))
        indices = np.concatenate([chosen, others])
        examples = rows = None
        if self.adversarial:
            originals = np.asarray(x_unlabeled[chosen], np.float32)
            examples = originals + attack.perturbations[chosen]
            rows = np.arange(len(chosen))
            if self.bounds is None:
                name = type(self).__name__
                is_near = within_range(examples, originals, x_unlabeled, name)
                examples, rows = examples[is_near], rows[is_near]
        return Query(
            indices,
            attack.norms[indices],
            companions=examples,
            companion_rows=rows,
        )

    def _deepfool_options(self, num_closest):
        return attacks.DeepFoolOptions(
            ord=self.ord,
            max_steps=self.max_steps,
            overshoot=self.overshoot,
            bounds=self.bounds,
            num_classes=self.num_classes,
            step_offset=self.step_offset,
            num_closest=num_closest,
            first_look=self.first_look,
            batch_size=self.batch_size,
        )


def _warn(num_fooled, num_random, num_candidates):
    """Log a warning that some of the queries are random."""
    _logger.warning(
        "DFAL: DeepFool fooled the model on %d of %d candidates, so %d of the queries "
        "are drawn at random and have no adversarial example. Increase `max_steps`, or "
        "label more samples first: a model at chance level often can't be fooled",
        *(num_fooled, num_candidates, num_random),
    )
