"""The query strategies of scikit-activeml, on Keras models."""

import logging

import numpy as np

from dfal_keras import _validation
from dfal_keras.backend import classifier, inference, mc_dropout
from dfal_keras.strategies import skactiveml_query, stochastic_batch
from dfal_keras.strategies.base import Strategy, as_plain
from dfal_keras.strategies.query import Query

_logger = logging.getLogger(__name__)

# Arguments for a classifier of features. That of a committee gives passes only.
_OF_FEATURES = ("clf", "estimator")


class SkActiveML(Strategy):
    """A query strategy of scikit-activeml, on a Keras model.

    f(x) is the input of the last layer and p(x) are the class probabilities of the
    network. The strategies are

    | name | queries | paper |
    |---|---|---|
    | `"badge"` | k-means++ on the gradients (p - onehot(argmax p)) f^T | 1 |
    | `"typiclust"` | the densest samples of the largest clusters without a label | 2 |
    | `"prob_cover"` | the most samples within a radius that are not covered yet | 3 |
    | `"max_herding"` | the largest gain of mean similarity to labeled samples | 4 |
    | `"clue"` | the centers of k-means, weighted by entropy | 5 |
    | `"falcun"` | in proportion to (margin + distance of p to the queried)^gamma | 6 |
    | `"drop_query"` | k-means of samples whose class changes if f is dropped out | 7 |
    | `"contrastive"` | the largest mean KL(p(x'), p(x)) of labeled neighbors x' | 8 |
    | `"margin"` | the smallest p_(1) - p_(2), of the two most likely classes | 9 |
    | `"least_confidence"` | the smallest max p | 10 |
    | `"batch_bald"` | the largest joint mutual information (MC dropout) | 11 |

    All get f of the labeled samples and of the candidates. No strategy gets the labels:
    all labeled samples have the same placeholder.

    The scores are what scikit-activeml calls utilities, each at the time when its
    sample was chosen; larger is better. If it chooses a sample twice, which can happen
    with equal features, a random sample replaces it, a warning is logged and there are
    no scores.

    Badge needs memory for `num_candidates * num_classes * num_features` numbers.

    Reference:
        - scikit-activeml: Kottke et al., 2021, "scikit-activeml: a library and toolbox
          for active learning algorithms".
        - 1: Ash et al., 2020, "Deep batch active learning by diverse, uncertain
          gradient lower bounds".
        - 2: Hacohen et al., 2022, "Active learning on a budget: opposite strategies
          suit high and low budgets".
        - 3: Yehuda et al., 2022, "Active learning through a covering lens".
        - 4: Bae et al., 2024, "Generalized coverage for more robust low-budget active
          learning".
        - 5: Prabhu et al., 2021, "Active domain adaptation via clustering
          uncertainty-weighted embeddings".
        - 6: Gilhuber et al., 2024, "FALCUN: a simple and efficient deep active learning
          strategy".
        - 7: Gupte et al., 2024, "Revisiting active learning in the era of vision
          foundation models".
        - 8: Margatina et al., 2021, "Active learning by acquiring contrastive
          examples".
        - 9: Scheffer et al., 2001, "Active hidden Markov models for information
          extraction".
        - 10: Lewis & Gale, 1994, "A sequential algorithm for training text
          classifiers".
        - 11: Kirsch et al., 2019, "BatchBALD: efficient and diverse batch acquisition
          for deep Bayesian active learning".

    Args:
        query_strategy: A name of the table, or an object of scikit-activeml, such as
            `skactiveml.pool.Badge()`. Its `random_state` is ignored: random numbers
            come from `rng`. An `ActiveLearner` saves names only.
        num_candidates: K, the size of the random subset of the pool to choose from.
            Defaults to 300.
        num_samples: T, the number of passes of Monte Carlo dropout, for strategies of a
            committee such as `"batch_bald"`. Defaults to 10.
        normalize: Whether to divide each f(x) by its L2 norm. Only for strategies
            without a classifier. Defaults to `None`: for `"typiclust"` and
            `"prob_cover"`, as their authors do.
        stochastic: `"power"`, `"softmax"` or `"softrank"`, to draw the queries by their
            scores; see `dfal_keras.strategies.stochastic_batch`. Only for `"margin"`,
            `"least_confidence"`, `"contrastive"` and others that rank by scores.
            Defaults to `None`, the best scores.
        batch_size: Number of images to predict at a time. Defaults to `None`: up to
            1024, as far as the model's activations fit in about 1 GB.
        **options: Options of the class in `skactiveml.pool`, for a name.

    Raises:
        ValueError: If scikit-activeml is not installed or an argument is invalid; from
            `query`, if the model has no last layer with weights, or no noise layer for
            a committee, or if the strategy needs an argument that a network can't give.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> strategy = dfal.strategies.get("badge", num_candidates=500)
        >>> query = strategy.query(model, x[:100], 10, x_labeled=x[100:120])
        >>> len(query.indices)
        10
        >>> dfal.strategies.get("falcun", gamma=5)
        SkActiveML(query_strategy='falcun', num_candidates=300, num_samples=10, \
normalize=False, stochastic=None, batch_size=None, gamma=5)
    """

    def __init__(
        self,
        query_strategy,
        *,
        num_candidates: int = 300,
        num_samples: int = 10,
        normalize: bool | None = None,
        stochastic: str | None = None,
        batch_size: int | None = None,
        **options,
    ):
        self.query_strategy = query_strategy
        self.num_candidates = _validation.check_count("num_candidates", num_candidates)
        self.num_samples = _validation.check_count(
            "num_samples", num_samples, minimum=2
        )
        options = {name: as_plain(value) for name, value in options.items()}
        self._template, self.normalize = skactiveml_query.make(query_strategy, options)
        self._takes = skactiveml_query.classifier_argument(self._template)
        if normalize is not None:
            self.normalize = self._check_normalize(normalize)
        self.stochastic = self._check_stochastic(stochastic)
        self.batch_size = _validation.check_optional_count("batch_size", batch_size)
        self._options = options
        self._has_checked_options = not options and isinstance(query_strategy, str)

    def check_model(self, model) -> None:
        """See `Strategy.check_model`. The last layer must be accessible."""
        super().check_model(model)
        classifier.features(model)
        if self._takes in _OF_FEATURES:
            classifier.scores_of_features(model)
        if self._takes == "ensemble":
            mc_dropout.check_model(model)
        if not self._has_checked_options:
            self._check_options(model)
            self._has_checked_options = True

    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> Query:
        """See `Strategy.query`."""
        seed = int(rng.integers(2**31))
        num_candidates = x_unlabeled.shape[0]
        sets = [x_unlabeled] if x_labeled is None else [x_labeled, x_unlabeled]
        features = np.concatenate([self._features(model, x) for x in sets])
        num_classes = _num_classes(model, x_unlabeled[:1])
        options = {}
        if self._takes is not None:
            passes = self._passes(model, x_unlabeled, rng)
            if passes is not None and (passes == passes[0]).all():
                return _complete([], None, num_candidates, num_queries, rng)
            options = self._classifier(self._of_features(model), num_classes, passes)
        chosen, utilities = skactiveml_query.query(
            skactiveml_query.seeded(self._template, seed, num_classes),
            features,
            len(features) - num_candidates,
            num_queries,
            **options,
        )
        if self.stochastic is not None:
            scores = utilities[0]
            chosen = stochastic_batch.choose(scores, num_queries, self.stochastic, rng)
            return Query(chosen, scores[chosen])
        return _complete(chosen, utilities, num_candidates, num_queries, rng)

    def get_config(self) -> dict:
        """See `Strategy.get_config`."""
        if not isinstance(self.query_strategy, str):
            raise NotImplementedError(
                "A query strategy of scikit-activeml must be given by its name"
            )
        return {**super().get_config(), **self._options}

    def __repr__(self) -> str:
        public = {k: v for k, v in vars(self).items() if not k.startswith("_")}
        options = ", ".join(
            f"{key}={value!r}" for key, value in {**public, **self._options}.items()
        )
        return f"{type(self).__name__}({options})"

    def _check_normalize(self, normalize):
        if _validation.check_flag("normalize", normalize) and self._takes is not None:
            raise _validation.ArgumentError(
                "normalize",
                "must be False for strategies with a classifier, a function of the "
                f"features. Received: normalize={normalize!r}",
            )
        return bool(normalize)

    def _check_stochastic(self, stochastic):
        if stochastic is not None and not skactiveml_query.ranks(self._template):
            raise _validation.ArgumentError(
                "stochastic",
                "must be None for a strategy that chooses samples jointly. Received: "
                f"stochastic={stochastic!r} for {self.query_strategy!r:.80}",
            )
        return stochastic_batch.check(stochastic)

    def _check_options(self, model):
        """Raise ValueError for options that are invalid, before any training."""
        num_classes = _num_classes(model)
        passes = np.random.default_rng(0).dirichlet(
            np.ones(num_classes), size=(self.num_samples, num_classes + 20)
        )
        options = {}
        if self._takes is not None:
            options = self._classifier(
                lambda features: passes[0, : len(features)], num_classes, passes[:, 5:]
            )
        strategy = skactiveml_query.seeded(self._template, 0, num_classes)
        skactiveml_query.check_options(strategy, num_classes, **options)

    def _features(self, model, x):
        features = inference.predict_features(model, x, batch_size=self.batch_size)
        if self._takes in _OF_FEATURES:
            inference.check_features(model, x, features)
        features = features.astype(np.float64)
        return inference.unit_length(features) if self.normalize else features

    def _passes(self, model, x_unlabeled, rng):
        """Return class probabilities of each pass; `None` if there is no committee."""
        if self._takes != "ensemble":
            return None
        return mc_dropout.predict_probabilities(
            model,
            x_unlabeled,
            num_samples=self.num_samples,
            rng=rng,
            batch_size=self.batch_size,
        )

    def _of_features(self, model):
        """Return a function from features to the class probabilities of a model."""

        def probabilities(features):
            return inference.predict_probabilities_of_features(
                model, features, batch_size=self.batch_size
            )

        return probabilities

    def _classifier(self, probabilities, num_classes, passes):
        """Return the arguments of a query that are about the classifier."""
        from dfal_keras.strategies.skactiveml_classifier import NetworkClassifier

        made = NetworkClassifier(probabilities, num_classes, passes)
        return {self._takes: made, f"fit_{self._takes}": False}


def _num_classes(model, x=None):
    """Return the number of classes; a single output means two.

    The outputs of a subclassed model are known for samples only; 2 without any.
    """
    shape = getattr(model, "output_shape", None)
    if shape:
        return max(2, shape[-1] or 2)
    return 2 if x is None else inference.predict_probabilities(model, x).shape[1]


def _complete(chosen, utilities, num_candidates, num_queries, rng):
    """Return the query of the distinct chosen samples, plus random ones if too few."""
    distinct = np.array(list(dict.fromkeys(chosen)), np.int64)
    missing = num_queries - len(distinct)
    if not missing:
        scores = utilities[np.arange(num_queries), distinct]
        return Query(distinct, None if np.isnan(scores).any() else scores)
    _logger.warning(
        "%d of the %d queries are drawn at random, as their features or the passes of "
        "dropout are equal",
        missing,
        num_queries,
    )
    others = np.setdiff1d(np.arange(num_candidates), distinct)
    return Query(np.append(distinct, rng.choice(others, missing, replace=False)))
