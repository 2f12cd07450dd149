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
    """

    title: str
    strategy: str
    options: Mapping = dataclasses.field(default_factory=dict)
    num_queries: int | None = None


def _of_size(title: str, strategy: str, num_queries: int) -> Variant:
    return Variant(f"{title}, {num_queries} a query", strategy, num_queries=num_queries)


VARIANTS = {
    # The authors' AAAI version calls this one "DFAL_".
    "dfal_no_adversarial": Variant(
        "DFAL without adversarial examples", "dfal", {"adversarial": False}
    ),
    "random_adversarial": Variant(
        "RANDOM with adversarial examples",
        "experiments.random_adversarial:RandomAdversarial",
    ),
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
