"""Calls of the query strategies of scikit-activeml."""

import inspect
import logging
import warnings
from typing import Any, NamedTuple

import numpy as np

from dfal_keras import _validation

_logger = logging.getLogger(__name__)


class _Named(NamedTuple):
    """A query strategy with a name: its class in `skactiveml.pool`, and options."""

    class_name: str
    options: dict[str, Any]
    normalize: bool = False


# The authors of TypiClust and ProbCover scale features to unit length. scikit-activeml
# leaves it to its users; its MaxHerding does it itself.
_NAMED = {
    "badge": _Named("Badge", {}),
    "typiclust": _Named("TypiClust", {}, normalize=True),
    "prob_cover": _Named("ProbCover", {}, normalize=True),
    "max_herding": _Named("MaxHerding", {}),
    "clue": _Named("Clue", {}),
    "falcun": _Named("Falcun", {}),
    "drop_query": _Named("DropQuery", {}),
    "contrastive": _Named("ContrastiveAL", {}),
    "margin": _Named("UncertaintySampling", {"method": "margin_sampling"}),
    "least_confidence": _Named("UncertaintySampling", {"method": "least_confident"}),
    # Joint entropies of more than three samples are estimated from this many draws of
    # labels. The default of scikit-activeml is one draw for each pass of dropout.
    "batch_bald": _Named("BatchBALD", {"n_MC_samples": 1000}),
}
NAMES = tuple(_NAMED)

# How a query strategy takes a classifier, if at all.
_CLASSIFIERS = ("clf", "estimator", "ensemble")
# Query the samples with the best scores. The others choose samples jointly.
_RANKED = ("UncertaintySampling", "ContrastiveAL", "GreedyBALD")
_LEARN_FROM_LABELS = ("Quire", "CostEmbeddingAL")


def make(query_strategy, options: dict):
    """Return a query strategy of scikit-activeml, and whether to normalize features.

    Args:
        query_strategy: One of `NAMES`, or a query strategy of scikit-activeml.
        options: Options for a name.

    Raises:
        ValueError: If it is neither, or scikit-activeml is not installed.
    """
    try:
        from skactiveml import base, pool

        pool.MaxHerding  # noqa: B018, since version 1.0
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"The strategy {query_strategy!r} needs scikit-activeml 1.0 or newer: "
            f'pip install "dfal-keras[skactiveml]" ({error})'
        ) from error
    if "random_state" in options:
        raise _validation.ArgumentError(
            "random_state",
            "must not be given: random numbers come from `rng`, the learner's. "
            f"Received: random_state={options['random_state']!r}",
        )
    if isinstance(query_strategy, str) and query_strategy in _NAMED:
        named = _NAMED[query_strategy]
        made = getattr(pool, named.class_name)(**{**named.options, **options})
        return made, named.normalize
    if not isinstance(query_strategy, base.SingleAnnotatorPoolQueryStrategy):
        raise _validation.ArgumentError(
            "query_strategy",
            f"must be one of {', '.join(map(repr, NAMES))}, or a query strategy of "
            f"`skactiveml.pool`. Received: query_strategy={query_strategy!r:.80}",
        )
    if options:
        raise _validation.ArgumentError(
            "query_strategy",
            "must be a name if options are given. Received: "
            f"query_strategy={query_strategy!r:.80} and options {sorted(options)}",
        )
    return query_strategy, False


def classifier_argument(query_strategy) -> str | None:
    """Return the argument for a classifier, `None` if there is none.

    Raises:
        ValueError: If the strategy needs what a network can't give.
    """
    parameters = inspect.signature(query_strategy.query).parameters
    takes = [name for name in _CLASSIFIERS if name in parameters]
    known = {"X", "y", *takes}
    needs = [
        name
        for name, parameter in parameters.items()
        if name not in known
        and parameter.default is inspect.Parameter.empty
        and parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    name = type(query_strategy).__name__
    if name in _LEARN_FROM_LABELS:
        needs.append("labels")
    if needs:
        raise _validation.ArgumentError(
            "query_strategy",
            "must choose by features and class probabilities only. "
            f"Received: {name}, which needs {', '.join(needs)}",
        )
    return takes[0] if takes else None


def ranks(query_strategy) -> bool:
    """Return whether a strategy queries the samples with the best scores."""
    return type(query_strategy).__name__ in _RANKED


def seeded(query_strategy, seed: int, num_classes: int):
    """Return a new query strategy with a seed, because a used one may keep arrays.

    Args:
        query_strategy: A query strategy of scikit-activeml.
        seed: Seed of all its random numbers, those of its clustering included.
        num_classes: Number of classes, if the strategy has no other.
    """
    from sklearn.base import clone

    strategy = clone(query_strategy)
    given = strategy.get_params(deep=False)
    options: dict[str, Any] = {"random_state": seed}
    if "n_classes" in given and given["n_classes"] is None:
        options["n_classes"] = num_classes
    if "sample_predictions_method_name" in given:
        options["sample_predictions_method_name"] = "sample_passes"
    if "cluster_algo" in given:
        _check_clustering(given)
        known = inspect.signature(given["cluster_algo"]).parameters
        random_state = {"random_state": seed} if "random_state" in known else {}
        clustering = given["cluster_algo_dict"] or {}
        options["cluster_algo_dict"] = {**random_state, **clustering}
    return strategy.set_params(**options)


def _check_clustering(given):
    """Raise ValueError if the options of a clustering have invalid types."""
    for name, is_valid, expected in (
        ("cluster_algo", callable(given["cluster_algo"]), "a class"),
        (
            "cluster_algo_dict",
            isinstance(given["cluster_algo_dict"], dict | None),
            "a dict or None",
        ),
    ):
        if not is_valid:
            raise _validation.ArgumentError(
                name, f"must be {expected}. Received: {name}={given[name]!r:.80}"
            )


def query(
    query_strategy, features: np.ndarray, num_labeled: int, num_queries: int, **options
) -> tuple[np.ndarray, np.ndarray]:
    """Query, with warnings and errors in the form of this package.

    Args:
        query_strategy: What `seeded` returns.
        features: Array of shape `(num_samples, num_features)`, labeled samples first.
        num_labeled: Number of labeled samples.
        num_queries: Number of samples to choose.
        **options: The classifier, if the strategy takes one.

    Returns:
        The chosen candidates, without `num_labeled`, in order and possibly repeated;
        and the utilities of all candidates at each choice.

    Raises:
        ValueError: If the strategy raises an error.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        chosen, utilities = _call(
            query_strategy, features, num_labeled, num_queries, options
        )
    for message in dict.fromkeys(str(each.message) for each in caught):
        _logger.warning("%s: %s", type(query_strategy).__name__, message)
    chosen = np.asarray(chosen, np.int64) - num_labeled
    utilities = utilities[:, num_labeled:]
    if "ensemble" in options:
        chosen = _chosen_jointly(utilities)
    return chosen, utilities


def check_options(query_strategy, num_classes: int, **options) -> None:
    """Raise ValueError if a query strategy has options that it does not accept.

    scikit-activeml checks options in a query. Here, the features are random.

    Args:
        query_strategy: What `seeded` returns.
        num_classes: Number of classes.
        **options: The classifier, if the strategy takes one.
    """
    features = np.random.default_rng(0).normal(size=(num_classes + 20, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _call(query_strategy, features, 5, 2, options)


def _call(query_strategy, features, num_labeled, num_queries, options):
    """Return the rows and the utilities that a query strategy chooses by."""
    y = np.full(len(features), np.nan)
    y[:num_labeled] = 0  # labeled, by a label that is not used
    try:
        return query_strategy.query(
            X=features,
            y=y,
            batch_size=num_queries,
            return_utilities=True,
            **options,
        )
    except _validation.ArgumentError:
        raise
    except UnboundLocalError:
        # TypiClust, if each cluster has a labeled sample, since features are equal.
        return [], np.zeros((0, len(y)))
    except (AttributeError, TypeError, ValueError) as error:
        raise _validation.ArgumentError(
            "query_strategy",
            "must choose by features and class probabilities of the network, with "
            f"options that it accepts. Received: {query_strategy!r:.200} ({error})",
        ) from error


def _chosen_jointly(utilities):
    """Return the candidates that a committee chose, one in each row of utilities.

    Each row is NaN at the samples that were chosen before. Among equally good samples,
    scikit-activeml returns different ones, possibly repeatedly.
    """
    is_chosen = np.isnan(utilities)
    chosen = (is_chosen[1:] & ~is_chosen[:-1]).argmax(axis=1)
    return np.append(chosen, np.nanargmax(utilities[-1]))
