"""Readings of the stored rows: accuracies at a budget, mean curves, counts to a target.

Pure functions of a table of rows, as `store.Store.load` returns it. Accuracies are in
percent, as in the paper.
"""

import pandas as pd

from experiments import paper
from experiments.runs import FULL

OWN_NAMES = {  # of strategies of the project's own, which the paper has no row for
    "dfal_no_adversarial": "DFAL without adversarial examples (ours)",
}


def strategies(rows) -> dict:
    """Return the names to show by strategy: the paper's, then any others with rows."""
    others = [
        name
        for name in rows["strategy"].unique()
        if name not in paper.STRATEGY_NAMES and name != FULL
    ]
    return paper.STRATEGY_NAMES | {
        name: OWN_NAMES.get(name, name.split(":")[-1]) for name in others
    }


def select(rows, problem, strategy, source=None, *, best_so_far=False) -> pd.DataFrame:
    """Return accuracies in percent: a row for each budget, a column for each trial.

    Args:
        rows: The stored rows.
        problem: Data set and network.
        strategy: The query strategy.
        source: The problem whose labeled set was used; `None` for its own.
        best_so_far: Whether to show each trial's running maximum, which is very
            probably what the paper prints.
    """
    table = 100 * pivot(rows, "accuracy", problem, strategy, source)
    return table.cummax() if best_so_far else table


def pivot(rows, column, problem, strategy, source=None) -> pd.DataFrame:
    """Return one column: a row for each budget, a column for each trial."""
    own = rows["source"].isna() if source is None else rows["source"] == source
    chosen = rows[own & (rows["problem"] == problem) & (rows["strategy"] == strategy)]
    return chosen.pivot_table(
        index="num_annotations", columns="trial", values=column
    ).astype(float)


def best_so_far(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with every accuracy replaced by its trial's running maximum."""
    rows = rows.sort_values("num_annotations", kind="stable")
    runs = rows.groupby(["problem", "strategy", "trial", "source"], dropna=False)
    return rows.assign(accuracy=runs["accuracy"].cummax()).sort_index()


def at(table: pd.DataFrame, budget: int) -> pd.Series:
    """Return each trial's value at one budget, of the trials that got there."""
    return (
        table.loc[budget].dropna() if budget in table.index else pd.Series(dtype=float)
    )


def spread(values: pd.Series, digits: int = 2) -> str:
    """Return "mean ± standard deviation (n=trials)", or a blank for no value."""
    if values.empty:
        return ""
    deviation = f" ± {values.std():.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{deviation} (n={len(values)})"


def mean(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation over trials, where all trials have got."""
    whole = table.dropna()
    return pd.DataFrame({"mean": whole.mean(axis=1), "std": whole.std(axis=1)})


def last_budgets(table: pd.DataFrame) -> pd.Series:
    """Return the number of annotations that each trial has reached."""
    return table.apply(pd.Series.last_valid_index)


def farthest(table: pd.DataFrame) -> pd.DataFrame:
    """Return only the trials that went on as far as the farthest one.

    Some trials may be run to more annotations than the others: what is read off the
    ends of the curves is read off these.
    """
    if table.empty:
        return table
    last = last_budgets(table)
    return table.loc[:, last == last.max()]


def num_to_reach(table: pd.DataFrame, target: float) -> tuple:
    """Return the annotations at which the mean reaches a target, and whether it does.

    Returns:
        `(num_annotations, True)`; or `(the last budget, False)` if it never does;
        `(None, False)` for a table without rows.
    """
    averages = mean(table)["mean"]
    reached = averages.index[averages >= target]
    if len(reached):
        return int(reached[0]), True
    return (int(averages.index[-1]), False) if len(averages) else (None, False)


def counts(table: pd.DataFrame, target: float) -> pd.DataFrame:
    """Return, for each trial, the annotations at which it reaches a target.

    Returns:
        A row for each trial: `count`, and `reached`; where that is false the count is
        the trial's last budget, and the true one is larger.
    """
    if table.empty:
        return pd.DataFrame({"count": [], "reached": []}).astype({"reached": bool})
    hits = table >= target
    reached = hits.any()
    count = hits.idxmax().where(reached, last_budgets(table)).astype(float)
    return pd.DataFrame({"count": count, "reached": reached})


def spread_of_counts(found: pd.DataFrame) -> str:
    """Return what `counts` found as text; a lower bound if a trial falls short."""
    short = int((~found["reached"]).sum())
    if not short:
        return spread(found["count"], digits=0)
    n = len(found)
    return f">= {found['count'].mean():.0f} (n={n}, {short} not reached)"


def num_labeled(rows, problem, strategy, num_annotations) -> pd.Series:
    """Return each trial's size of the training set at a number of annotations."""
    return at(pivot(rows, "num_labeled", problem, strategy), num_annotations)
