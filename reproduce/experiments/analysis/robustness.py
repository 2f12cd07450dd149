"""Tables of robustness: DeepFool norms of test images over the annotations.

The functions take a table with a row for each network: "strategy", "trial" and the
fields of `running.robustness.Measured`.
"""

import pathlib

import pandas as pd

from experiments.analysis import comparisons, learning_curves

STRATEGIES = (
    *("dfal", "dfal_copies", "dfal_no_adversarial"),
    *("random_adversarial", "random"),
)
COLUMNS = (
    *("num_annotations", "accuracy", "mean", "median", "num_fooled"),
    *("deepfool", "ddn"),
)
BUDGETS = (100, 300, 500, 1000)
DECIDING = 300  # annotations at which the comparisons decide
PAIRS = (
    ("dfal", "dfal_copies"),
    ("dfal", "dfal_no_adversarial"),
    ("dfal", "random"),
    ("random_adversarial", "random"),
)
COMPARED = ("dfal", "random")  # with DDN, at `DECIDING`


def read(folder: pathlib.Path, problem: str, num_trials: int) -> pd.DataFrame:
    """Return a row for each network that was measured.

    Args:
        folder: The results folder.
        problem: File name of the problem.
        num_trials: Number of trials.
    """
    found = [pd.DataFrame(columns=["strategy", "trial", *COLUMNS])]
    for strategy in STRATEGIES:
        for trial in range(num_trials):
            path = folder / "robustness" / f"{problem}_{strategy}_{trial}.csv"
            if path.exists():
                table = pd.read_csv(path)
                found.append(table.assign(strategy=strategy, trial=trial))
    return pd.concat(found, ignore_index=True)


def norms_table(measured: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each strategy: mean norms, and medians, by annotations."""
    table = {}
    for strategy in STRATEGIES:
        line = {}
        for column in ("mean", "median"):
            for budget in BUDGETS:
                values = _at(measured, strategy, budget)[column]
                line[f"{budget}: {column}"] = learning_curves.format_mean(values)
        table[learning_curves.title(strategy)] = line
    return pd.DataFrame(table).T.rename_axis("strategy")


def difference_table(measured: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each registered comparison of mean norms, with Holm's p."""
    found = {
        pair: (
            _at(measured, pair[0], DECIDING)["mean"]
            - _at(measured, pair[1], DECIDING)["mean"]
        ).dropna()
        for pair in PAIRS
    }
    adjusted = comparisons.holm([comparisons.p_value(v) for v in found.values()])
    table = {
        " − ".join(map(learning_curves.title, pair)): {
            "n": str(len(values) or ""),
            f"mean norm at {DECIDING}": comparisons.format_difference(values),
            "p (Holm)": comparisons.format_p(p),
            "shows": comparisons.verdict_by_p(values, p),
        }
        for (pair, values), p in zip(found.items(), adjusted, strict=True)
    }
    return pd.DataFrame(table).T.rename_axis("comparison")


def ratio_table(measured: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each strategy: DeepFool's and DDN's norms of the same images."""
    table = {}
    for strategy in COMPARED:
        rows = _at(measured, strategy, DECIDING).dropna(subset=["ddn"])
        ratios = rows["deepfool"] / rows["ddn"]
        table[learning_curves.title(strategy)] = {
            "DeepFool": learning_curves.format_mean(rows["deepfool"]),
            "DDN": learning_curves.format_mean(rows["ddn"]),
            "ratio": learning_curves.format_mean(ratios, digits=3),
        }
    return pd.DataFrame(table).T.rename_axis("strategy")


def _at(measured, strategy, budget):
    """Return the rows of a strategy at a number of annotations, by trial."""
    chosen = measured[
        (measured["strategy"] == strategy) & (measured["num_annotations"] == budget)
    ]
    return chosen.set_index("trial").sort_index()
