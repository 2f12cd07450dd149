"""A run: what it is, its settings, its budgets, and which runs a table needs."""

import dataclasses
from collections.abc import Collection, Sequence

from experiments import problem_data, problems, protocol, studies
from experiments.methods import FULL, TRANSFERRED, Method
from experiments.options import Options
from experiments.problems import PANELS, Problem
from experiments.studies.newer import NEWER
from experiments.studies.study import Study


@dataclasses.dataclass(frozen=True)
class Run:
    """One method on one problem in one trial.

    A run's rows follow from these values and `protocol`, on the same kind of machine.

    Attributes:
        problem: Data set and network.
        method: The method; `FULL` for one training on the full training set.
        trial: Number of the trial, which is its seed.
        source: In a transfer (Table 4, Figure 3), the problem whose run selected the
            labeled set. Defaults to `None`: the run selects its own.
    """

    problem: Problem
    method: Method
    trial: int
    source: Problem | None = None

    def __str__(self):
        origin = f"_from_{self.source.file_name}" if self.source else ""
        return f"{self.series}_{self.trial}{origin}"

    @classmethod
    def named(
        cls, problem: str, strategy: str, trial: int, source: str | None = None
    ) -> "Run":
        """Return the run with these names, the inverse of `names`.

        Raises:
            ValueError: If there is no such problem or method.
        """
        return cls(
            problems.get(problem),
            studies.get_method(strategy),
            trial,
            None if source is None else problems.get(source),
        )

    @property
    def names(self) -> dict:
        """The attributes as rows and settings contain them."""
        return {
            "problem": self.problem.name,
            "strategy": self.method.name,
            "trial": self.trial,
            "source": self.source.name if self.source else None,
        }

    @property
    def series(self) -> str:
        """The part of its name that all trials have."""
        # No name of a module or a variable contains a hyphen.
        end = "-" if ":" in self.problem.name else "_"
        return f"{self.problem.file_name}{end}{self.method.file_name}"

    @property
    def is_full(self) -> bool:
        """Whether it is one training on the full training set."""
        return self.method is FULL

    @property
    def settings(self) -> dict:
        """All that its rows follow from, JSON-serializable.

        The protocol and, under "data", the identity of the data set if it is installed.
        Stored runs are compared with these: a changed key or value makes them unusable.
        """
        problem, method, names = self.problem, self.method, self.names
        limit, added = problem.max_per_class, method.companions
        data = problem_data.identity(problem)
        return {
            "problem": names["problem"],
            **({} if limit is None else {"max_per_class": limit}),
            **({"splits_by_trial": True} if problem.splits_by_trial else {}),
            "strategy": names["strategy"],
            "strategy_options": method.options_for(problem),
            **({} if added is None else {"companions": added}),
            "source": names["source"],
            "trial": self.trial,
            "num_queries": method.num_queries,
            "num_initial": protocol.NUM_INITIAL,
            "learning_rate": protocol.LEARNING_RATE,
            "training": method.recipe,
            **({} if data is None else {"data": data}),
        }

    def budgets(self, options: Options) -> tuple[int, ...]:
        """Return the numbers of annotations that it has to reach.

        A transfer is trained at each; any other run stops at the last.
        """
        if self.source:
            return options.transfer_budgets
        return (self.method.last_budget(options.budget),)

    def missing(
        self, budgets: tuple[int, ...], finished: Collection[int]
    ) -> tuple[int, ...]:
        """Return the budgets that it has not reached yet.

        Args:
            budgets: As `budgets` returns them.
            finished: Numbers of annotations of its rows.
        """
        if self.source:
            return tuple(budget for budget in budgets if budget not in finished)
        if self.is_full:
            return () if finished else budgets
        reached = max(finished, default=0)
        return tuple(budget for budget in budgets if budget > reached)


def learning_runs(options: Options) -> list[Run]:
    """Return the runs of active learning, by trial, then by method.

    In this order the first trial of all methods is finished first.
    """
    return [
        Run(problem, method, trial)
        for problem in options.problems
        for trial in range(options.num_trials)
        for method in options.methods
    ]


def full_set_runs(options: Options) -> list[Run]:
    """Return the runs on the full training set, if the preset has them."""
    if not options.full_sets:
        return []
    return [
        Run(problem, FULL, trial)
        for problem in options.problems
        for trial in range(options.num_trials)
    ]


def curve_runs(options: Options) -> list[Run]:
    """Return the runs of Tables 1 and 2 and of Figure 2."""
    return [*learning_runs(options), *full_set_runs(options)]


def study_runs(study: Study, options: Options) -> list[Run]:
    """Return the runs of a study, by problem, trial and method."""
    found = []
    for problem in options.problems:
        numbers = {
            method: study.trials_of(method, options.num_trials, problem)
            for method in study.methods
        }
        found += [
            Run(problem, method, trial)
            for trial in range(max(numbers.values()))
            for method in study.methods
            if trial < numbers[method]
        ]
    return found


def strategy_runs(options: Options) -> list[Run]:
    """Return the runs of the table of all strategies, the paper's and newer ones.

    All have the same trials, also those for which a study registered more.
    """
    wanted = [*learning_runs(options), *study_runs(NEWER, options)]
    return [run for run in dict.fromkeys(wanted) if run.trial < options.num_trials]


def transfer_pairs(options: Options) -> list[tuple[Problem, Problem]]:
    """Return (source, target) problems: the same data set, different networks."""
    return [
        (source, target)
        for source in options.problems
        for target in other_networks(source, options.problems)
    ]


def other_networks(problem: Problem, others: Sequence[Problem] = ()) -> list[Problem]:
    """Return the problems with the same data set and another network.

    Args:
        problem: The problem. If it is a subset, the others are the same one.
        others: The problems to choose from, if the data set is your own. Defaults to
            none.
    """
    if not problem.is_own:
        return [
            other.subset(problem.max_per_class)
            for name, other in PANELS.items()
            if other.dataset == problem.dataset and name != problem.whole_name
        ]
    data = problem_data.fingerprint(problem)
    return [
        other
        for other in dict.fromkeys(others)
        if other is not problem
        and other.is_own
        and other.max_per_class == problem.max_per_class
        and problem_data.fingerprint(other) == data
    ]


def transfer_runs(options: Options) -> list[Run]:
    """Return the runs of Table 4 and Figure 3, their sources first."""
    selected = [
        (method, trial)
        for trial in range(options.num_trials)
        for method in TRANSFERRED
        if method in options.methods
    ]
    pairs = transfer_pairs(options)
    return [
        *(Run(source, *choice) for source, _ in pairs for choice in selected),
        *(
            Run(target, *choice, source=source)
            for source, target in pairs
            for choice in selected
        ),
    ]
