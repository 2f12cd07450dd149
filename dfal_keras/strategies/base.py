"""The base class of the query strategies."""

import abc
import inspect

import numpy as np

from dfal_keras import _validation, pools
from dfal_keras.backend import classifier, weights
from dfal_keras.strategies.query import Query, check_returned


class Strategy(abc.ABC):
    """Base class of the query strategies.

    A strategy receives a model and candidates. It does not see the labels of unlabeled
    samples and does not change the model. To write one, define `select`.

    Attributes:
        num_candidates: K, the size of the random subset of the unlabeled pool that an
            `ActiveLearner` passes to `query`; `None` for the whole pool.

    Example:
        >>> import numpy as np
        >>> import dfal_keras as dfal
        >>> class Brightest(dfal.strategies.Strategy):
        ...     def select(self, model, x_unlabeled, num_queries, x_labeled, rng):
        ...         order = np.argsort(-x_unlabeled[:].mean(axis=(1, 2, 3)))
        ...         return dfal.strategies.Query(order[:num_queries])
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> len(Brightest().query(model, x[:100], num_queries=3).indices)
        3
    """

    num_candidates: int | None = None

    def query(
        self,
        model,
        x_unlabeled,
        num_queries: int,
        *,
        x_labeled=None,
        rng: np.random.Generator | None = None,
    ) -> Query:
        """Choose the samples to label next.

        Args:
            model: A trained Keras classifier.
            x_unlabeled: The candidates, of shape `(num_samples, ...)`: anything that
                `dfal_keras.pools.as_pool` accepts.
            num_queries: Number of samples to choose.
            x_labeled: The labeled images, of shape `(num_labeled, ...)`. Used by
                `CoreSet` and `SkActiveML`, and by `CEAL` with `max_ratio`. Defaults to
                `None`.
            rng: Source of randomness. Defaults to `None`, a new generator with an
                unpredictable seed.

        Returns:
            A `Query` whose indices are rows of `x_unlabeled`.

        Raises:
            ValueError: If there are fewer candidates than queries, if shapes do not
                fit the model, if images or weights hold NaN, or if `select` returned an
                invalid query; see `Query.check`.
        """
        self.check_model(model)
        x_unlabeled = check_candidates(model, x_unlabeled, num_queries, x_labeled)
        if not isinstance(rng, np.random.Generator | None):
            raise _validation.ArgumentError(
                "rng", f"must be a np.random.Generator, or None. Received: rng={rng!r}"
            )
        rng = np.random.default_rng(rng)
        returned = self.select(model, x_unlabeled, num_queries, x_labeled, rng)
        return check_returned(returned, self, x_unlabeled, num_queries)

    def check_model(self, model) -> None:
        """Raise ValueError if the strategy can't query with a model.

        An `ActiveLearner` calls it before anything is trained. By default, any
        classifier is accepted.

        Args:
            model: A Keras model, trained or not.
        """
        classifier.check_model(model)

    @abc.abstractmethod
    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> Query:
        """Choose the samples to label next.

        `query`, which describes the arguments, validates them, calls `select`, and
        validates the returned query.
        """

    def get_config(self) -> dict:
        """Return the options of the strategy, from which `from_config` builds it again.

        These are the attributes that have the names of the constructor's options, and
        `num_candidates`. A strategy with other options must define `get_config`.

        Returns:
            A dict of JSON-serializable values.

        Raises:
            NotImplementedError: If the constructor has an option that is no attribute.

        Example:
            >>> import dfal_keras as dfal
            >>> dfal.strategies.Uncertainty(batch_size=64).get_config()
            {'num_candidates': None, 'stochastic': None, 'batch_size': 64}
        """
        names = ["num_candidates", *_option_names(type(self))]
        missing = [name for name in names if not hasattr(self, name)]
        if missing:
            raise NotImplementedError(
                f"The strategy {type(self).__name__} must define `get_config`, as its "
                f"options {missing} are not attributes"
            )
        return {name: as_plain(getattr(self, name)) for name in names}

    @classmethod
    def from_config(cls, config: dict) -> "Strategy":
        """Return a new strategy with the options that `get_config` returned.

        Args:
            config: A dict of options. `num_candidates` is also allowed for strategies
                whose constructor does not take it.

        Raises:
            ValueError: If an option is out of range.

        Example:
            >>> import dfal_keras as dfal
            >>> strategy = dfal.strategies.Uncertainty()
            >>> strategy.num_candidates = 1000
            >>> strategy.from_config(strategy.get_config()).num_candidates
            1000
        """
        options = dict(config)
        num_candidates = _validation.check_optional_count(
            "num_candidates", options.pop("num_candidates", cls.num_candidates)
        )
        if num_candidates is not None and "num_candidates" in _option_names(cls):
            options["num_candidates"] = num_candidates
        strategy = cls(**options)
        if "num_candidates" in config:
            strategy.num_candidates = num_candidates
        return strategy

    def __repr__(self) -> str:
        options = ", ".join(
            f"{key}={value!r}"
            for key, value in vars(self).items()
            if not key.startswith("_")
        )
        return f"{type(self).__name__}({options})"


def _option_names(cls: type) -> list[str]:
    """Return the names of the constructor's options, with those of its `**options`."""
    names: list[str] = []
    for each in cls.__mro__[:-1]:  # without `object`
        if "__init__" not in vars(each):
            continue
        parameters = list(
            inspect.signature(vars(each)["__init__"]).parameters.values()
        )[1:]
        variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        names += [p.name for p in parameters if p.kind not in variable]
        if inspect.Parameter.VAR_KEYWORD not in [p.kind for p in parameters]:
            break
    return list(dict.fromkeys(names))


def as_plain(value):
    """Return a NumPy scalar or array as Python numbers, and other values unchanged."""
    is_numpy = isinstance(value, np.generic | np.ndarray)
    return value.tolist() if is_numpy else value


def check_candidates(model, x_unlabeled, num_queries: int, x_labeled):
    """Validate the arguments of `Strategy.query`; return the candidates as a pool."""
    weights.check_finite(model)
    sample_shape = classifier.sample_shape(model)
    x_unlabeled = pools.as_pool(
        x_unlabeled, name="x_unlabeled", sample_shape=sample_shape
    )
    _validation.check_count("num_queries", num_queries)
    if num_queries > x_unlabeled.shape[0]:
        raise _validation.ArgumentError(
            "num_queries",
            "must be at most the number of candidates, "
            f"{x_unlabeled.shape[0]}. Received: num_queries={num_queries}",
        )
    if x_labeled is not None:
        _validation.check_images("x_labeled", x_labeled, sample_shape=sample_shape)
    return x_unlabeled
