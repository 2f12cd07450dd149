"""Readings of the stored rows: accuracies at a budget, mean curves, counts to a target.

Pure functions of a table of rows, as `store.Store.load` returns it. Accuracies are in
percent, as in the paper.
"""

import numpy as np
import pandas as pd
import paper
from runs import FULL


def strategies(rows) -> dict:
    """Return the names to show by strategy: the paper's, then any others with rows."""
    others = [
        name
        for name in rows["strategy"].unique()
        if name not in paper.STRATEGY_NAMES and name != FULL
    ]
    return paper.STRATEGY_NAMES | {name: name.split(":")[-1] for name in others}


def select(rows, problem, strategy, source=None, *, best_so_far=False) -> pd.DataFrame:
    """Return accuracies in percent: a row for each budget, a column for each trial.

    Args:
        rows: The stored rows.
        problem: Data set and network.
        strategy: The query strategy.
        source: The problem whose labelled set was used; `None` for its own.
        best_so_far: Whether to show each trial's running maximum, which is very
            probably what the paper prints.
    """
    own = rows["source"].isna() if source is None else rows["source"] == source
    chosen = rows[own & (rows["problem"] == problem) & (rows["strategy"] == strategy)]
    table = 100 * chosen.pivot_table(
        index="num_annotations", columns="trial", values="accuracy"
    ).astype(float)
    return table.cummax() if best_so_far else table


def at(table: pd.DataFrame, budget: int) -> pd.Series:
    """Return each trial's value at one budget, of the trials that got there."""
    return (
        table.loc[budget].dropna() if budget in table.index else pd.Series(dtype=float)
    )


def spread(values: pd.Series) -> str:
    """Return "mean ± standard deviation (n=trials)", or a blank for no value."""
    if values.empty:
        return ""
    deviation = f" ± {values.std():.2f}" if len(values) > 1 else ""
    return f"{values.mean():.2f}{deviation} (n={len(values)})"


def mean(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation over trials, where all trials have got."""
    whole = table.dropna()
    return pd.DataFrame({"mean": whole.mean(axis=1), "std": whole.std(axis=1)})


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


def num_labeled(rows, problem, strategy, num_annotations) -> float:
    """Return the mean size of the training set at a number of annotations."""
    chosen = rows[
        rows["source"].isna()
        & (rows["problem"] == problem)
        & (rows["strategy"] == strategy)
        & (rows["num_annotations"] == num_annotations)
    ]
    return float(np.mean(chosen["num_labeled"]))
