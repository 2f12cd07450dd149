"""Studies beyond the paper: query size, K, p, adversarial examples, pseudo-labels."""

import dataclasses
import sys
from collections.abc import Sequence

from experiments import (
    comparisons,
    entry_point,
    estimate,
    intervals,
    learning_curves,
    problems,
    results,
    runs,
    study_figure,
    tables,
)
from experiments.options import Options, make_parser, parse_with_extras
from experiments.studies import STUDIES, Study

# isort: split
import numpy as np
import pandas as pd  # after `experiments`, which reports missing packages

PROBLEM = "mnist-lenet5"
NOTES = f"""
Accuracies are raw, mean ± standard deviation over n trials. "mean" is the mean accuracy
over all annotations from the initial set to the last column: the area under the curve
by the trapezoid rule, divided by the annotations.

Differences are between paired trials, in points, with 95 % confidence intervals by
Student's t, with at least {intervals.MIN_TRIALS} trials. The difference of the means
decides, which was chosen before the runs; the others are shown beside it. Of 20
comparisons without a difference, about one is expected to show one. Seconds of a query
are medians, of runs that shared their cores with other work.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Complete the runs of each study, then print and write its tables and figure."""
    parser = make_parser(__doc__)
    parser.set_defaults(problems=[PROBLEM], strategies=())
    parser.add_argument(
        "--study",
        dest="studies",
        metavar="STUDY",
        nargs="+",
        choices=STUDIES,
        default=list(STUDIES),
        help=f"studies: {', '.join(STUDIES)}. Defaults to all",
    )
    options, extras = parse_with_extras(parser, arguments)
    if options.strategies:
        parser.error("the strategies follow from --study. Received: --strategy")
    status = 0
    for name in dict.fromkeys(extras["studies"]):
        study = STUDIES[name]
        budgets = study.reached(options.budget)
        limited = dataclasses.replace(
            options, strategies=study.strategies, budget=budgets[-1]
        )
        if options.dry_run:
            print(f"{name}:\n{estimate.describe(runs.learning_runs(limited), limited)}")
        else:
            status = max(status, _show(name, study, budgets, limited))
    return status


def _show(name: str, study: Study, budgets: Sequence[int], options: Options) -> int:
    """Complete, print and write one study; return the exit status."""
    rows, status = results.complete(runs.learning_runs(options), options)
    for problem in options.problems:
        title = f"{study.question} {problems.get(problem).title}"
        curves = {
            strategy: comparisons.curves(rows, problem, strategy, budgets[-1])
            for strategy in study.strategies
        }
        compared = {
            " − ".join(map(learning_curves.title, (one, other))): (
                comparisons.differences(curves[one], curves[other], budgets)
            )
            for one, other in study.pairs
        }
        seconds = {
            strategy: learning_curves.pivot(rows, "query_seconds", problem, strategy)
            for strategy, curve in curves.items()
            if curve.size
        }
        accuracies = lay_out(curves, seconds, budgets)
        differences = lay_out_differences(compared, budgets)
        print(f"\n{title}\n\n{tables.markdown(accuracies)}\n")
        print(tables.markdown(differences))
        ending = f"{name}_{problems.file_name(problem)}"
        notes = "\n".join([NOTES, *tables.subset_notes([problem])])
        tables.write(accuracies, options.tables_folder / f"study_{ending}", notes)
        tables.write(
            differences, options.tables_folder / f"study_{ending}_differences", notes
        )
        drawn = {strategy: curve for strategy, curve in curves.items() if curve.size}
        if drawn:
            study_figure.draw(
                drawn,
                {pair: found for pair, found in compared.items() if len(found)},
                title,
                options.figures_folder / f"study_{ending}",
            )
    print(NOTES)
    return status


def lay_out(
    curves: dict[str, pd.DataFrame],
    seconds: dict[str, pd.DataFrame],
    budgets: Sequence[int],
) -> pd.DataFrame:
    """Return a row for each strategy: accuracies in percent, and seconds of a query.

    Args:
        curves: Accuracies by strategy, as `comparisons.curves` returns them.
        seconds: Seconds of each query by strategy that has rows, of the same form.
        budgets: Numbers of annotations to show.
    """
    table = {}
    for strategy, accuracies in curves.items():
        line = {"n": str(accuracies.shape[1] or "")}
        for budget in budgets:
            found = learning_curves.at(accuracies, budget)
            line[str(budget)] = _without_n(found)
        line["mean"] = line["seconds of a query"] = ""
        if accuracies.size:
            line["mean"] = _without_n(comparisons.area(accuracies))
            # The last round of a run queries nothing.
            queried = seconds[strategy].loc[accuracies.index[:-1], accuracies.columns]
            line["seconds of a query"] = f"{np.median(queried):.2g}"
        table[learning_curves.title(strategy)] = line
    return pd.DataFrame(table).T.rename_axis("strategy")


def _without_n(values):
    return learning_curves.format_mean(values).partition(" (n=")[0]


def lay_out_differences(
    compared: dict[str, pd.DataFrame], budgets: Sequence[int]
) -> pd.DataFrame:
    """Return a row for each comparison: differences in points, and what they show.

    Args:
        compared: Differences by name, as `comparisons.differences` returns them.
        budgets: Numbers of annotations to show.
    """
    table = {}
    for name, found in compared.items():
        line = {"n": str(len(found) or "")}
        for column in ("area", *budgets):
            values = found.get(column, pd.Series(dtype=float))
            shown = "mean" if column == "area" else str(column)
            line[shown] = comparisons.format_difference(values)
        line["mean shows"] = comparisons.verdict(found["area"])
        table[name] = line
    return pd.DataFrame(table).T.rename_axis("comparison")


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
