"""Tables of robustness: DeepFool norms of test images over the annotations.

The functions take a table with a row for each network: "strategy", which is the name of
the method, "trial" and the fields of `measured_norms.Measured`.
"""

import pandas as pd

from experiments import protocol
from experiments.analysis import comparisons, learning_curves
from experiments.methods import DFAL, RANDOM, Method, against, pair_title
from experiments.studies.controls import DFAL_COPIES
from experiments.studies.first import DFAL_ALONE, RANDOM_ADVERSARIAL
from experiments.studies.study import Pair

METHODS = (DFAL, DFAL_COPIES, DFAL_ALONE, RANDOM_ADVERSARIAL, RANDOM)
BUDGETS = (100, 300, 500, 1000)
DECIDING = 300  # annotations at which the comparisons decide
NUM_TRIALS = protocol.PRESETS["paper"].num_trials  # of a comparison, as registered
REPLACEMENT = 5  # trial in place of trial 0, of which two labeled sets are not stored
PAIRS = (
    (DFAL, DFAL_COPIES),
    (DFAL, DFAL_ALONE),
    *against(RANDOM, DFAL, RANDOM_ADVERSARIAL),
)
COMPARED = (DFAL, RANDOM)  # with DDN, at `DECIDING`

NOTES = """
L2 norms of DeepFool's perturbations of the first 1,000 test images, for pixels in
[0, 1]: mean ± standard deviation over n trials. The network of a round is trained again
from the labeled set that its run saved, with the same seed. Differences are between
paired trials, with 95 % intervals by Student's t; Holm's adjusted p below 0.05 decides,
at 300 annotations. Trial 5 takes the place of trial 0, of which DFAL and RANDOM have no
labeled sets. DDN, of Foolbox, attacks the first 200 images in 200 steps.
"""


def all_tables(measured: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the tables below by the names of their files."""
    return {
        "robustness": norms_table(measured),
        "robustness_differences": difference_table(measured),
        "robustness_ddn": ratio_table(measured),
    }


def is_compared(method: Method, num_annotations: int) -> bool:
    """Return whether DDN attacks a network, too."""
    return method in COMPARED and num_annotations == DECIDING


def norms_table(measured: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each method: mean norms, and medians, by annotations."""
    table = {}
    for method in METHODS:
        line = {}
        for column in ("mean", "median"):
            for budget in BUDGETS:
                values = _at(measured, method, budget)[column]
                line[f"{budget}: {column}"] = learning_curves.format_mean(values)
        table[method.title] = line
    return pd.DataFrame(table).T.rename_axis("strategy")


def difference_table(measured: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each registered comparison of mean norms, with Holm's p."""
    found = {pair: differences(measured, pair) for pair in PAIRS}
    adjusted = comparisons.holm([comparisons.p_value(v) for v in found.values()])
    table = {
        pair_title(pair): {
            "n": str(len(values) or ""),
            f"mean norm at {DECIDING}": comparisons.format_difference(values),
            "p (Holm)": comparisons.format_p(p),
            "shows": comparisons.verdict_by_p(values, p, NUM_TRIALS),
        }
        for (pair, values), p in zip(found.items(), adjusted, strict=True)
    }
    return pd.DataFrame(table).T.rename_axis("comparison")


def differences(measured: pd.DataFrame, pair: Pair) -> pd.Series:
    """Return the paired differences of two methods' mean norms, by trial."""
    one, other = (_at(measured, method, DECIDING)["mean"] for method in pair)
    return (one - other).dropna()


def ratio_table(measured: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each method: DeepFool's and DDN's norms of the same images."""
    table = {}
    for method in COMPARED:
        rows = _at(measured, method, DECIDING).dropna(subset=["ddn"])
        ratios = rows["deepfool"] / rows["ddn"]
        table[method.title] = {
            "DeepFool": learning_curves.format_mean(rows["deepfool"]),
            "DDN": learning_curves.format_mean(rows["ddn"]),
            "ratio": learning_curves.format_mean(ratios, digits=3),
        }
    return pd.DataFrame(table).T.rename_axis("strategy")


def _at(measured, method, budget):
    """Return the rows of a method at a number of annotations, by trial."""
    chosen = measured[
        (measured["strategy"] == method.name) & (measured["num_annotations"] == budget)
    ]
    return chosen.set_index("trial").sort_index()
