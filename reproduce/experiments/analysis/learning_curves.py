"""Learning curves from the stored rows: accuracies, means and annotations to a target.

The functions take a table of rows as `store.Store.load` returns it. Accuracies are in
percent, as in the paper.
"""

import math

import pandas as pd

from experiments import paper, protocol, studies
from experiments.methods import FULL, PRINTED, Method
from experiments.problems import Problem


def shown_methods(rows: pd.DataFrame) -> list[Method]:
    """Return the paper's methods, then the others that have rows."""
    names = rows["strategy"].unique()
    found = [studies.get_method(name) for name in names]
    others = [each for each in found if not each.is_printed and each is not FULL]
    return [*PRINTED, *others]


def select(
    rows: pd.DataFrame,
    problem: Problem,
    method: Method,
    source: Problem | None = None,
    *,
    best_so_far: bool = False,
) -> pd.DataFrame:
    """Return test accuracies in percent: a row for each budget, a column a trial.

    Args:
        rows: Rows of the run store.
        problem: The problem.
        method: The method.
        source: The problem whose labeled set is used. Defaults to `None`, the problem's
            own.
        best_so_far: Whether to return each trial's running maximum, which is very
            probably what the paper prints. Defaults to `False`.
    """
    table = 100 * pivot(rows, "accuracy", problem, method, source)
    return table.cummax() if best_so_far else table


def pivot(
    rows: pd.DataFrame,
    column: str,
    problem: Problem,
    method: Method,
    source: Problem | None = None,
) -> pd.DataFrame:
    """Return one column of the rows by budget (rows) and trial (columns)."""
    return (
        of_series(rows, problem, method, source)
        .pivot_table(index="num_annotations", columns="trial", values=column)
        .astype(float)
    )


def of_series(
    rows: pd.DataFrame, problem: Problem, method: Method, source: Problem | None = None
) -> pd.DataFrame:
    """Return the rows of all trials of a method on a problem."""
    own = rows["source"].isna() if source is None else rows["source"] == source.name
    is_problem = rows["problem"] == problem.name
    return rows[own & is_problem & (rows["strategy"] == method.name)]


def query_seconds(rows: pd.DataFrame, problem: Problem, method: Method) -> pd.DataFrame:
    """Return seconds of queries by budget and trial, nan where nothing was queried.

    The last round of a run queries nothing.
    """
    if "query_seconds" not in rows:
        return pd.DataFrame()
    table = pivot(rows, "query_seconds", problem, method)
    for trial in table:
        table.loc[table[trial].last_valid_index(), trial] = math.nan
    return table


def full_set(rows: pd.DataFrame, problem: Problem) -> pd.Series:
    """Return each trial's test accuracy with the full training set, in percent."""
    table = select(rows, problem, FULL)
    return table.iloc[-1] if len(table) else pd.Series(dtype=float)


def target(rows: pd.DataFrame, problem: Problem) -> float:
    """Return the target accuracy of Table 2, in percent.

    It is our mean accuracy with the full training set, or the paper's if ours was not
    run, minus the tolerance that the paper allows. It is nan if there is neither, and
    without ours on fewer drawings than the paper's.
    """
    ours = full_set(rows, problem)
    if not ours.empty:
        return ours.mean() - protocol.TOLERANCE
    printed = None if problem.stands_for else paper.target(problem)
    return math.nan if printed is None else printed - protocol.TOLERANCE


def reached(rows: pd.DataFrame, problem: Problem) -> int:
    """Return the last number of annotations of active learning, 0 without rows."""
    learned = rows[(rows["problem"] == problem.name) & rows["source"].isna()]
    budgets = learned.loc[learned["strategy"] != FULL.name, "num_annotations"]
    return int(budgets.max()) if len(budgets) else 0


def at(table: pd.DataFrame, budget: int) -> pd.Series:
    """Return the values at one budget, of the trials that reached it."""
    if budget not in table.index:
        return pd.Series(dtype=float)
    return table.loc[budget].dropna()


def mean(table: pd.DataFrame) -> pd.DataFrame:
    """Return "mean" and "std" over trials, at the budgets that all trials reached."""
    whole = table.dropna()
    return pd.DataFrame({"mean": whole.mean(axis=1), "std": whole.std(axis=1)})


def last_budgets(table: pd.DataFrame) -> pd.Series:
    """Return the number of annotations that each trial reached."""
    return table.apply(pd.Series.last_valid_index)


def longest(table: pd.DataFrame) -> pd.DataFrame:
    """Return the trials that reached the most annotations.

    Trials may have different budgets. Numbers of annotations to a target are read from
    the longest ones only.
    """
    if table.empty:
        return table
    last = last_budgets(table)
    return table.loc[:, last == last.max()]


def num_to_reach(table: pd.DataFrame, accuracy: float) -> tuple[int | None, bool]:
    """Return the annotations at which the mean curve reaches an accuracy.

    Args:
        table: Accuracies, as `select` returns them.
        accuracy: The accuracy to reach, in percent.

    Returns:
        `(num_annotations, True)`, or `(last_budget, False)` if the curve does not reach
        it, or `(None, False)` if the table is empty.
    """
    averages = mean(table)["mean"]
    reached = averages.index[averages >= accuracy]
    if len(reached):
        return int(reached[0]), True
    return (int(averages.index[-1]), False) if len(averages) else (None, False)


def counts(table: pd.DataFrame, accuracy: float) -> pd.DataFrame:
    """Return the annotations at which each trial reaches an accuracy.

    Args:
        table: Accuracies, as `select` returns them.
        accuracy: The accuracy to reach, in percent.

    Returns:
        A row for each trial with the columns "count" and "reached". If "reached" is
        false, "count" is the trial's last budget, a lower bound.
    """
    if table.empty:
        return pd.DataFrame({"count": [], "reached": []}).astype({"reached": bool})
    hits = table >= accuracy
    reached = hits.any()
    count = hits.idxmax().where(reached, last_budgets(table)).astype(float)
    return pd.DataFrame({"count": count, "reached": reached})


def num_labeled(
    rows: pd.DataFrame, problem: Problem, method: Method, num_annotations: int
) -> pd.Series:
    """Return each trial's size of the training set at a number of annotations."""
    return at(pivot(rows, "num_labeled", problem, method), num_annotations)


def format_mean(values: pd.Series, digits: int = 2) -> str:
    """Return "mean ± standard deviation (n=trials)", "" if there are no values."""
    if values.empty:
        return ""
    deviation = f" ± {values.std():.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{deviation} (n={len(values)})"


def format_counts(found: pd.DataFrame) -> str:
    """Format a result of `counts`, as a lower bound if a trial falls short."""
    short = int((~found["reached"]).sum())
    if not short:
        return format_mean(found["count"], digits=0)
    n = len(found)
    return f">= {found['count'].mean():.0f} (n={n}, {short} not reached)"
