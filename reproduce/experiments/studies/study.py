"""A study: methods, the pairs of them that are compared, and how that is decided."""

import dataclasses
from collections.abc import Mapping

from experiments import protocol
from experiments.methods import Method
from experiments.problems import Problem

Pair = tuple[Method, Method]


@dataclasses.dataclass(frozen=True, eq=False)
class Study:
    """A study beyond the paper, as it was registered.

    Attributes:
        name: Its name in options and file names.
        question: What it asks, one sentence.
        methods: The methods, in the order of the table.
        pairs: (one, other): the difference is one minus other.
        budgets: Numbers of annotations at which accuracies are compared. The last is
            where the runs stop.
        panels: Methods of each panel of the figure. Defaults to none: one of all.
        num_trials: Registered numbers of trials on `problem`, by method, that differ
            from the paper's. Defaults to none.
        family: Name of the comparisons over which p is adjusted. Defaults to `None`,
            those of this study.
        decides: What decides a comparison: `"holm"`, its adjusted p, or `"interval"`,
            its 95 % interval. Defaults to `"holm"`.
        problem: Name of the problem that it was registered for. Defaults to MNIST with
            LeNet5.
        titles: Titles of methods in its tables and figure, if they should say what the
            study varies. Defaults to none: their own.
    """

    name: str
    question: str
    methods: tuple[Method, ...]
    pairs: tuple[Pair, ...]
    budgets: tuple[int, ...] = (100, 200, 300)
    panels: tuple[tuple[Method, ...], ...] = ()
    num_trials: Mapping[Method, int] = dataclasses.field(default_factory=dict)
    family: str | None = None
    decides: str = "holm"
    problem: str = "mnist-lenet5"
    titles: Mapping[Method, str] = dataclasses.field(default_factory=dict)

    def title_of(self, method: Method) -> str:
        """Return the title of one of its methods."""
        return self.titles.get(method, method.title)

    def pair_title(self, pair: Pair) -> str:
        """Return the title of a comparison: the first minus the second."""
        return " − ".join(map(self.title_of, pair))

    def is_in_family_of(self, other: "Study") -> bool:
        """Return whether p is adjusted over the comparisons of both."""
        return (self.family or self.name) == (other.family or other.name)

    def trials_of(self, method: Method, num_trials: int, problem: Problem) -> int:
        """Return the number of trials of a method on a problem.

        Args:
            method: One of the study's.
            num_trials: The number on the command line. A registered number replaces it
                only if it is the paper's.
            problem: The problem.
        """
        is_papers = num_trials == protocol.PRESETS["paper"].num_trials
        if not is_papers or problem.name != self.problem:
            return num_trials
        return self.num_trials.get(method, num_trials)

    def registered_trials(self, pair: Pair, problem: Problem) -> int:
        """Return the number of paired trials that a comparison was registered with."""
        papers = protocol.PRESETS["paper"].num_trials
        return min(self.trials_of(method, papers, problem) for method in pair)

    def reached(self, budget: int) -> tuple[int, ...]:
        """Return the budgets of a study that runs to about this many annotations."""
        within = [
            each for each in self.budgets if each <= budget + protocol.NUM_QUERIES
        ]
        return tuple(within) or (budget,)
