"""Variants: strategies of this project's own, which the paper's tables do not have.

Plain data, without TensorFlow.
"""

import dataclasses
import math
from collections.abc import Mapping

WHOLE_POOL = 10**9  # a number of candidates that no pool has


@dataclasses.dataclass(frozen=True)
class Variant:
    """A strategy of `dfal_keras`, and what differs from the protocol.

    Attributes:
        title: Name in tables and figures.
        strategy: Name of the strategy, as for `dfal_keras.strategies.get`.
        options: Options that differ. Defaults to none.
        num_queries: Size of a query. Defaults to `None`, the protocol's.
        companions: What is added with each queried image, as for
            `dfal_keras.strategies.WithCompanions`. Defaults to `None`: what the
            strategy itself adds.
        training: Arguments of `dfal_keras.Training` that differ. Defaults to none.
    """

    title: str
    strategy: str
    options: Mapping = dataclasses.field(default_factory=dict)
    num_queries: int | None = None
    companions: str | None = None
    training: Mapping = dataclasses.field(default_factory=dict)


def _of_size(title: str, strategy: str, num_queries: int) -> Variant:
    return Variant(f"{title}, {num_queries} a query", strategy, num_queries=num_queries)


_NO_EXAMPLES = {"adversarial": False}  # of DFAL
_GROUPED = {"group_split": True}  # an image and its companion on one side
_TWICE = {"num_repeats": 2}  # each sample twice in an epoch

VARIANTS = {
    # The authors' AAAI version calls this one "DFAL_".
    "dfal_no_adversarial": Variant(
        "DFAL without adversarial examples", "dfal", _NO_EXAMPLES
    ),
    "random_adversarial": Variant(
        "RANDOM with adversarial examples", "random", companions="adversarial"
    ),
    "core_set_adversarial": Variant(
        "CORE-SET with adversarial examples", "core_set", companions="adversarial"
    ),
    "dfal_copies": Variant(
        "DFAL with copies", "dfal", _NO_EXAMPLES, companions="copies"
    ),
    "random_copies": Variant("RANDOM with copies", "random", companions="copies"),
    "core_set_copies": Variant("CORE-SET with copies", "core_set", companions="copies"),
    "dfal_noise": Variant("DFAL with noise", "dfal", _NO_EXAMPLES, companions="noise"),
    "random_noise": Variant("RANDOM with noise", "random", companions="noise"),
    "core_set_noise": Variant("CORE-SET with noise", "core_set", companions="noise"),
    "dfal_grouped": Variant("DFAL, grouped split", "dfal", training=_GROUPED),
    "random_copies_grouped": Variant(
        "RANDOM with copies, grouped split",
        "random",
        companions="copies",
        training=_GROUPED,
    ),
    "dfal_no_adversarial_twice": Variant(
        "DFAL without adversarial examples, each image twice an epoch",
        "dfal",
        _NO_EXAMPLES,
        training=_TWICE,
    ),
    "random_twice": Variant(
        "RANDOM, each image twice an epoch", "random", training=_TWICE
    ),
    "bald_pool": Variant("BALD, whole pool", "bald", {"num_candidates": WHOLE_POOL}),
    "diverse_dfal": Variant("diverse DFAL", "diverse_dfal"),
    "cost_effective_dfal": Variant("cost-effective DFAL", "cost_effective_dfal"),
    "dfal_k100": Variant("DFAL, K = 100", "dfal", {"num_candidates": 100}),
    "dfal_k1000": Variant("DFAL, K = 1000", "dfal", {"num_candidates": 1000}),
    "dfal_k10000": Variant("DFAL, K = 10,000", "dfal", {"num_candidates": 10_000}),
    "dfal_pool": Variant("DFAL, whole pool", "dfal", {"num_candidates": WHOLE_POOL}),
    "dfal_p1": Variant("DFAL, p = 1", "dfal", {"ord": 1}),
    "dfal_pinf": Variant("DFAL, p = infinity", "dfal", {"ord": math.inf}),
    "dfal_q1": _of_size("DFAL", "dfal", 1),
    "dfal_q50": _of_size("DFAL", "dfal", 50),
    "dfal_q100": _of_size("DFAL", "dfal", 100),
    "diverse_dfal_q50": _of_size("diverse DFAL", "diverse_dfal", 50),
    "diverse_dfal_q100": _of_size("diverse DFAL", "diverse_dfal", 100),
    "core_set_q1": _of_size("CORE-SET", "core_set", 1),
    "core_set_q50": _of_size("CORE-SET", "core_set", 50),
    "core_set_q100": _of_size("CORE-SET", "core_set", 100),
}
