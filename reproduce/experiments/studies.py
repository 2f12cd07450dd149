"""The studies beyond the paper: what each compares, registered before it was run.

Plain data, without TensorFlow. `reproduce/README.md` repeats it in words.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from experiments import protocol
from experiments.options import Options
from experiments.runs import Run

_PAPERS_TRIALS = protocol.PRESETS["paper"].num_trials


@dataclasses.dataclass(frozen=True)
class Study:
    """Strategies and variants, and the pairs of them that are compared.

    Attributes:
        question: What it asks, one sentence.
        strategies: Names of strategies and variants, in the order of the table.
        pairs: (one, other): the difference is one minus other.
        budgets: Numbers of annotations at which accuracies are compared. The last is
            where the runs stop.
        panels: Strategies of each panel of the figure. Defaults to none: one of all.
        num_trials: Registered numbers of trials, by strategy, that differ from the
            paper's. Defaults to none.
        family: Name of the comparisons over which p is adjusted.
        decides: What decides a comparison: `"interval"`, its 95 % interval, or
            `"holm"`, its adjusted p. Defaults to `"interval"`.
    """

    question: str
    strategies: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    budgets: tuple[int, ...] = (100, 200, 300)
    panels: tuple[tuple[str, ...], ...] = ()
    num_trials: Mapping[str, int] = dataclasses.field(default_factory=dict)
    family: str = "2026-11-26"
    decides: str = "interval"

    def trials_of(self, strategy: str, num_trials: int) -> int:
        """Return the number of trials of a strategy.

        Args:
            strategy: One of the study's.
            num_trials: That of the command line. The registered numbers replace the
                paper's, not another one.
        """
        registered = self.num_trials.get(strategy, num_trials)
        return registered if num_trials == _PAPERS_TRIALS else num_trials

    def runs(self, options: Options) -> list[Run]:
        """Return the runs of the study, by problem, trial and strategy."""
        numbers = {
            strategy: self.trials_of(strategy, options.num_trials)
            for strategy in self.strategies
        }
        return [
            Run(problem, strategy, trial)
            for problem in options.problems
            for trial in range(max(numbers.values()))
            for strategy in self.strategies
            if trial < numbers[strategy]
        ]

    def registered_trials(self, pair: tuple[str, str]) -> int:
        """Return the number of paired trials that a comparison was registered with."""
        return min(self.trials_of(each, _PAPERS_TRIALS) for each in pair)

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
        panels=(
            ("dfal_q1", "dfal", "dfal_q50", "dfal_q100"),
            ("diverse_dfal", "diverse_dfal_q50", "diverse_dfal_q100", "random"),
            ("core_set_q1", "core_set", "core_set_q50", "core_set_q100"),
        ),
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
    "copies": Study(
        "Do copies of the queried images do what adversarial examples do?",
        (
            *("dfal", "dfal_copies", "dfal_noise", "dfal_no_adversarial"),
            *("random_adversarial", "random_copies", "random_noise", "random"),
            *("core_set_adversarial", "core_set_copies", "core_set_noise", "core_set"),
        ),
        (
            ("dfal", "dfal_copies"),
            ("dfal_copies", "dfal_no_adversarial"),
            ("random_adversarial", "random_copies"),
            ("random_copies", "random"),
            ("dfal_copies", "random_copies"),
            ("dfal_no_adversarial", "random"),
            ("dfal_noise", "dfal_copies"),
            ("random_noise", "random_copies"),
            ("core_set_noise", "core_set_copies"),
            ("core_set_copies", "core_set"),
            ("core_set_adversarial", "core_set_copies"),
            ("dfal_copies", "core_set_copies"),
        ),
        panels=(
            ("dfal", "dfal_copies", "dfal_noise", "dfal_no_adversarial"),
            ("random_adversarial", "random_copies", "random_noise", "random"),
            ("core_set_adversarial", "core_set_copies", "core_set_noise", "core_set"),
        ),
        num_trials=dict.fromkeys(
            (
                *("dfal", "dfal_copies", "dfal_no_adversarial"),
                *("random_adversarial", "random_copies", "random"),
            ),
            20,
        ),
        family="copies",
        decides="holm",
    ),
    "split": Study(
        "Does it matter that an image and its companion can be on both sides of the "
        "validation split?",
        ("dfal", "dfal_grouped", "random_copies", "random_copies_grouped", "random"),
        (
            ("dfal_grouped", "dfal"),
            ("random_copies_grouped", "random_copies"),
            ("random_copies_grouped", "random"),
        ),
        family="split",
        decides="holm",
    ),
    "steps": Study(
        "Do more steps in an epoch suffice? Each training set is seen twice in an "
        "epoch, nothing is added",
        (
            *("random", "random_twice", "random_copies"),
            *("dfal_no_adversarial", "dfal_no_adversarial_twice", "dfal_copies"),
        ),
        (
            ("random_twice", "random"),
            ("random_twice", "random_copies"),
            ("dfal_no_adversarial_twice", "dfal_no_adversarial"),
            ("dfal_no_adversarial_twice", "dfal_copies"),
        ),
        family="steps",
        decides="holm",
    ),
    "copies_1000": Study(
        "What is left of it with 1000 annotations?",
        ("dfal", "dfal_copies", "dfal_no_adversarial", "random"),
        (
            ("dfal", "dfal_copies"),
            ("dfal_copies", "dfal_no_adversarial"),
            ("dfal_copies", "random"),
            ("dfal_no_adversarial", "random"),
        ),
        budgets=(100, 300, 500, 800, 1000),
        family="copies_1000",
        decides="holm",
    ),
}


def family_of(study: Study) -> list[Study]:
    """Return the studies over whose comparisons p is adjusted, in their order."""
    return [each for each in STUDIES.values() if each.family == study.family]
