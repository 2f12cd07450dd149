"""Tables: the paper's numbers beside ours. Pure functions of the stored rows."""

import pandas as pd
import paper
import store


def table1(rows: pd.DataFrame, problem: str, budgets) -> pd.DataFrame:
    """Return one panel of Table 1, the paper beside ours, in percent.

    Args:
        rows: Rows of the run store, many runs in one table.
        problem: The panel.
        budgets: Numbers of annotations to show.

    Returns:
        A table with a row for each strategy, and for each budget a column with the
        paper's accuracy and one with ours: mean ± standard deviation over the trials.
        Cells not run are blank.
    """
    table = {}
    for budget in budgets:
        printed, ours = {}, {}
        for strategy, name in paper.STRATEGY_NAMES.items():
            if budget in paper.TABLE1_BUDGETS:
                column = paper.TABLE1_BUDGETS.index(budget)
                printed[name] = f"{paper.TABLE1[problem][strategy][column]:.2f}"
            ours[name] = _mean_and_spread(rows, problem, strategy, budget)
        table[f"{budget}: paper"] = printed
        table[f"{budget}: ours"] = ours
    return pd.DataFrame(table).fillna("").rename_axis("annotations")


def write(table: pd.DataFrame, path):
    """Write a table as Markdown and as CSV."""
    store.write(path.with_suffix(".md"), table.to_markdown() + "\n")
    store.write(path.with_suffix(".csv"), table.to_csv())


def _mean_and_spread(rows, problem, strategy, budget):
    """Return "mean ± standard deviation (trials)" in percent, or a blank."""
    if rows.empty:
        return ""
    cell = rows[
        (rows["problem"] == problem)
        & (rows["strategy"] == strategy)
        & (rows["num_annotations"] == budget)
    ]
    accuracies = 100 * cell["accuracy"]
    if accuracies.empty:
        return ""
    spread = f" ± {accuracies.std():.2f}" if len(accuracies) > 1 else ""
    return f"{accuracies.mean():.2f}{spread} (n={len(accuracies)})"
