"""A run: what it is, its settings, its budgets, and which runs a table needs."""

import dataclasses
import re
from collections.abc import Collection, Sequence

from dfal_keras import datasets
from experiments import problem_data, problems, protocol
from experiments.options import Options
from experiments.problems import PROBLEMS

FULL = "full"  # in place of a strategy: the full training set, the column "All"

_PAPERS = rf"(?:{'|'.join(map(re.escape, PROBLEMS))})(?:-max\d+)?"
_OWN = r"[\w.]+\.\w+(?:-max\d+)?"  # "module.name": the last dot is for the colon
_NAME = re.compile(
    rf"(?:({_PAPERS})_|({_OWN})-)(.+?)_(\d+)(?:_from_({_PAPERS}|{_OWN}))?"
)


@dataclasses.dataclass(frozen=True)
class Run:
    """One strategy on one problem in one trial.

    A run's rows follow from these values and `protocol`, on the same kind of machine.

    Attributes:
        problem: Name of data set and network, as for `problems.get`.
        strategy: Name of a query strategy, your own as "module:Class", or `FULL` for
            one training on the full training set.
        trial: Number of the trial, which is its seed.
        source: In a transfer (Table 4, Figure 3), the problem whose run selected the
            labeled set. Defaults to `None`: the run selects its own.
    """

    problem: str
    strategy: str
    trial: int
    source: str | None = None

    def __str__(self):
        origin = f"_from_{problems.file_name(self.source)}" if self.source else ""
        strategy = self.strategy.replace(":", ".")
        # No name of a module or a variable contains a hyphen.
        end = "-" if ":" in self.problem else "_"
        return f"{problems.file_name(self.problem)}{end}{strategy}_{self.trial}{origin}"

    @classmethod
    def parse(cls, name: str) -> "Run":
        """Return the run with a name, the inverse of `str`.

        Raises:
            ValueError: If no run has this name.
        """
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(
                f"Argument `name` must be the name of a run. Received: name={name!r}"
            )
        papers, own, strategy, trial, source = match.groups()
        problem = papers or _with_colon(own)
        source = None if source is None else _with_colon(source)
        return cls(problem, _with_colon(strategy), int(trial), source)


def settings(run: Run) -> dict:
    """Return all that a run's rows follow from, JSON-serializable.

    The protocol and, under "data", the identity of the data set if it is installed.
    """
    fixed = protocol.settings(run.problem, run.strategy, run.trial, run.source)
    problem = problems.get(run.problem)
    if not isinstance(problem.dataset, str):
        return {**fixed, "data": problem_data.fingerprint(problem)}
    if not datasets.is_complete(problem.dataset):
        return fixed
    return {**fixed, "data": datasets.fingerprint(problem.dataset)}


def budgets_of(run: Run, options: Options) -> tuple[int, ...]:
    """Return the numbers of annotations that a run has to reach.

    A transfer is trained at each; any other run stops at the last.
    """
    if run.source:
        return options.transfer_budgets
    return (protocol.last_budget(run.strategy, options.budget),)


def missing_budgets(
    run: Run, budgets: tuple[int, ...], finished: Collection[int]
) -> tuple[int, ...]:
    """Return the budgets that a run has not reached yet.

    Args:
        run: The run.
        budgets: As `budgets_of` returns them.
        finished: Numbers of annotations of the run's rows.
    """
    if run.source:
        return tuple(budget for budget in budgets if budget not in finished)
    if run.strategy == FULL:
        return () if finished else budgets
    reached = max(finished, default=0)
    return tuple(budget for budget in budgets if budget > reached)


def learning_runs(options: Options) -> list[Run]:
    """Return the runs of active learning, by trial, then by strategy.

    In this order the first trial of all strategies is finished first.
    """
    return [
        Run(problem, strategy, trial)
        for problem in options.problems
        for trial in range(options.num_trials)
        for strategy in options.strategies
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


def transfer_pairs(options: Options) -> list[tuple[str, str]]:
    """Return (source, target) problems: the same data set, different networks."""
    return [
        (source, target)
        for source in options.problems
        for target in other_networks(source, options.problems)
    ]


def other_networks(problem: str, others: Sequence[str] = ()) -> list[str]:
    """Return the problems with the same data set and another network.

    Args:
        problem: Name of the problem. If it is a subset, the others are the same one.
        others: Names of the problems to choose from, if the data set is your own.
            Defaults to none.
    """
    one = problems.get(problem)
    if not one.is_own:
        return [
            problems.subset_name(name, one.max_per_class)
            for name, other in PROBLEMS.items()
            if other.dataset == one.dataset and name != problems.whole_name(problem)
        ]
    found = []
    for name in dict.fromkeys(others):
        other = problems.get(name)
        if name != problem and other.is_own:
            data = problem_data.fingerprint(other)
            is_same = other.max_per_class == one.max_per_class
            if is_same and data == problem_data.fingerprint(one):
                found.append(name)
    return found


def transfer_runs(options: Options) -> list[Run]:
    """Return the runs of Table 4 and Figure 3, their sources first."""
    selected = [
        (strategy, trial)
        for trial in range(options.num_trials)
        for strategy in protocol.TRANSFERRED
        if strategy in options.strategies
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


def _with_colon(name):
    """Return "module:name" for "module.name"; another name as it is."""
    module, dot, last = name.rpartition(".")
    return f"{module}:{last}" if dot else name
