"""Core-hours of a panel of Table 1, from the rows."""

from collections.abc import Sequence

import pandas as pd

from experiments import protocol
from experiments.analysis import learning_curves
from experiments.methods import FULL, PRINTED, Method
from experiments.problems import Problem

_PAPER = protocol.PRESETS["paper"]
BUDGET, NUM_TRIALS = _PAPER.budget, _PAPER.num_trials
NOTES = f"""
Core-hours of {NUM_TRIALS} trials up to {BUDGET} annotations, with one process of one
thread for each run: {NUM_TRIALS} times the mean over the n finished trials of the
seconds of training, testing and querying (columns `*_seconds`). These are wall-clock
seconds, which are too high for runs that shared their cores with other work. "All" is
the training on the full training set.
"""


def lay_out(
    rows: pd.DataFrame, shown: Sequence[Problem] = _PAPER.problems
) -> pd.DataFrame:
    """Return core-hours: a row for each method and the sums, a column a problem.

    Args:
        rows: Rows of the run store.
        shown: The problems. Defaults to the paper's.
    """
    panel = {*PRINTED, FULL}
    methods = [*learning_curves.shown_methods(rows), FULL]
    trials = {
        (problem, method): hours(rows, problem, method)
        for problem in shown
        for method in methods
    }
    # Runs of the studies are shorter. They have no row here.
    methods = [
        each
        for each in methods
        if each in panel or any(len(trials[problem, each]) for problem in shown)
    ]
    table: dict[str, dict[str, str]] = {}
    for problem in shown:
        column: dict[str, str] = {}
        costs = {}
        for method in methods:
            own, name = trials[problem, method], method.label
            column[name] = "not run"
            if len(own):
                costs[method] = NUM_TRIALS * own.mean()
                column[name] = f"{costs[method]:.1f} (n={len(own)})"
        column["whole panel, from these runs"] = ""
        if panel <= costs.keys():
            whole = sum(costs[method] for method in panel)
            column["whole panel, from these runs"] = f"{whole:.1f}"
        table[str(problem.title)] = column
    return pd.DataFrame(table).rename_axis("core-hours")


def hours(rows: pd.DataFrame, problem: Problem, method: Method) -> pd.Series:
    """Return the core-hours of each finished trial, up to the budget."""
    own = learning_curves.of_series(rows, problem, method)
    is_finished = own.groupby("trial")["num_annotations"].max() >= BUDGET
    if method is not FULL:
        own = own[own["num_annotations"] <= BUDGET]
    seconds = own.filter(like="_seconds").sum(axis=1).groupby(own["trial"]).sum()
    return seconds[is_finished] / 3600
