"""The studies beyond the paper: what each compares, registered before it was run.

Plain data, without TensorFlow. `reproduce/README.md` repeats it in words.
"""

import dataclasses
from collections.abc import Sequence

from experiments import protocol


@dataclasses.dataclass(frozen=True)
class Study:
    """Strategies and variants, and the pairs of them that are compared.

    Attributes:
        question: What it asks, one sentence.
        strategies: Names of strategies and variants, in the order of the table.
        pairs: (one, other): the difference is one minus other.
        budgets: Numbers of annotations at which accuracies are compared. The last is
            where the runs stop.
    """

    question: str
    strategies: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    budgets: tuple[int, ...] = (100, 200, 300)

    def reached(self, budget: int) -> tuple[int, ...]:
        """Return the budgets of a study that runs to about this many annotations."""
        within = [
            each for each in self.budgets if each <= budget + protocol.NUM_QUERIES
        ]
        return tuple(within) or (budget,)


def _against(other: str, names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, other) for name in names)


STUDIES = {
    "batch": Study(
        "From which size of a query on does DFAL suffer, and does diversity help?",
        (
            *("dfal_q1", "dfal", "dfal_q50", "dfal_q100"),
            *("diverse_dfal", "diverse_dfal_q50", "diverse_dfal_q100"),
            *("core_set_q1", "core_set", "core_set_q50", "core_set_q100"),
            "random",
        ),
        (
            *_against("dfal", ["dfal_q1", "dfal_q50", "dfal_q100"]),
            *_against("diverse_dfal", ["diverse_dfal_q50", "diverse_dfal_q100"]),
            *_against("core_set", ["core_set_q1", "core_set_q50", "core_set_q100"]),
            ("diverse_dfal", "dfal"),
            ("diverse_dfal_q50", "dfal_q50"),
            ("diverse_dfal_q100", "dfal_q100"),
            ("diverse_dfal", "core_set"),
            ("diverse_dfal_q50", "core_set_q50"),
            ("diverse_dfal_q100", "core_set_q100"),
        ),
        budgets=(110, 210, 310),  # 10, and multiples of every size of a query
    ),
    "k": Study(
        "How many candidates does DFAL need?",
        ("dfal_k100", "dfal", "dfal_k1000", "dfal_k10000", "dfal_pool"),
        _against("dfal", ["dfal_k100", "dfal_k1000", "dfal_k10000", "dfal_pool"]),
    ),
    "p": Study(
        "Which norm should be minimized?",
        ("dfal_p1", "dfal", "dfal_pinf"),
        _against("dfal", ["dfal_p1", "dfal_pinf"]),
    ),
    "adversarial": Study(
        "What do the queries and the adversarial examples contribute?",
        ("dfal", "dfal_no_adversarial", "random_adversarial", "random"),
        (
            ("dfal", "dfal_no_adversarial"),
            ("random_adversarial", "random"),
            ("dfal_no_adversarial", "random"),
            ("dfal", "random_adversarial"),
        ),
    ),
    "pseudo": Study(
        "Do pseudo-labels far from the boundary help DFAL?",
        ("cost_effective_dfal", "dfal", "ceal", "random"),
        (("cost_effective_dfal", "dfal"), ("cost_effective_dfal", "ceal")),
    ),
}
