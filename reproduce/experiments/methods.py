"""The methods that are compared: a strategy, and how it is used.

Plain data, without TensorFlow. This module has the paper's methods. Those that a study
adds are in the modules of `studies`.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from experiments import protocol
from experiments.problems import Problem


@dataclasses.dataclass(frozen=True, eq=False)
class Method:
    """A strategy of `dfal_keras`, its options, and what differs from the protocol.

    Attributes:
        name: Name in options, stored settings and rows.
        title: Name in tables and figures.
        strategy: Name of the strategy, as for `dfal_keras.strategies.get`.
        options: Arguments of its constructor. Defaults to none.
        num_queries: Size of a query. Defaults to the protocol's.
        companions: What is added with each queried image, as for
            `dfal_keras.strategies.WithCompanions`. Defaults to `None`: what the
            strategy itself adds.
        training: Arguments of `dfal_keras.Training` that differ from the protocol's,
            such as how samples are split. Defaults to none.
        has_threshold: Whether the problem's `ceal_threshold` is an option, too.
            Defaults to `False`.
        is_printed: Whether the paper's Table 1 has it. Defaults to `False`.
    """

    name: str
    title: str
    strategy: str
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    num_queries: int = protocol.NUM_QUERIES
    companions: str | None = None
    training: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    has_threshold: bool = False
    is_printed: bool = False

    def __str__(self):
        return self.name

    @property
    def is_own(self) -> bool:
        """Whether it is a user's "module:Class"."""
        return ":" in self.name

    @property
    def file_name(self) -> str:
        """Its name as a part of a file's name."""
        return self.name.replace(":", ".")

    @property
    def label(self) -> str:
        """Its title beside the paper's methods."""
        return self.title if self.is_printed or self.is_own else f"{self.title} (ours)"

    @property
    def recipe(self) -> dict:
        """The arguments of `dfal_keras.Training`."""
        return {**protocol.TRAINING, **self.training}

    def options_for(self, problem: Problem) -> dict:
        """Return the arguments of the strategy's constructor on a problem."""
        threshold = {"threshold": problem.ceal_threshold} if self.has_threshold else {}
        return {**threshold, **self.options}

    def last_budget(self, budget: int) -> int:
        """Return the number of annotations of the last whole query up to a budget."""
        return budget - (budget - protocol.NUM_INITIAL) % self.num_queries

    def but(self, name: str, title: str, **changes) -> "Method":
        """Return a variant, which the paper's tables do not have.

        Args:
            name: Its name.
            title: Its title.
            **changes: Attributes that differ. `options` are added to this method's.
        """
        options = {**self.options, **changes.pop("options", {})}
        return dataclasses.replace(
            self, name=name, title=title, options=options, is_printed=False, **changes
        )

    def of_size(self, num_queries: int) -> "Method":
        """Return the method with another size of a query."""
        return self.but(
            f"{self.name}_q{num_queries}",
            f"{self.title}, {num_queries} a query",
            num_queries=num_queries,
        )


def against(other: Method, *methods: Method) -> tuple[tuple[Method, Method], ...]:
    """Return the pairs of each method and one other."""
    return tuple((method, other) for method in methods)


def pair_title(pair: tuple[Method, Method]) -> str:
    """Return the title of a comparison: the first minus the second."""
    return " − ".join(method.title for method in pair)


# Of Table 1. Where no source is given: the first author's public code.
_SUBSET = {"num_candidates": protocol.NUM_CANDIDATES}
DFAL = Method(
    *("dfal", "DFAL", "dfal"),
    {**_SUBSET, "ord": 2},  # p, Algorithm 1
    is_printed=True,
)
BALD = Method(
    *("bald", "BALD", "bald"),
    {**_SUBSET, "num_samples": 10},  # 4.2
    is_printed=True,
)
CEAL = Method(
    *("ceal", "CEAL", "ceal"),
    {"num_pseudo_candidates": protocol.NUM_CANDIDATES},
    has_threshold=True,
    is_printed=True,
)
CORE_SET = Method(
    *("core_set", "CORE-SET", "core_set"),
    # The share of outliers is that of Sener & Savarese (2018).
    {**_SUBSET, "features": "probabilities", "outlier_share": 1e-4},
    is_printed=True,
)
EGL = Method(
    *("egl", "EGL", "egl"),
    {**_SUBSET, "expectation": "uniform", "epsilon": 1e-7},  # epsilon: that of Keras
    is_printed=True,
)
UNCERTAINTY = Method("uncertainty", "uncertainty", "uncertainty", is_printed=True)
RANDOM = Method("random", "RANDOM", "random", is_printed=True)

PRINTED = (DFAL, BALD, CEAL, CORE_SET, EGL, UNCERTAINTY, RANDOM)
TRANSFERRED = (DFAL, CORE_SET, RANDOM)  # the columns of Table 4

# No strategy: the full training set, the column "All".
FULL = Method("full", "All", "full", is_printed=True)
