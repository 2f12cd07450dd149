"""Studies beyond the paper: query size, K, p, adversarial examples, controls."""

import dataclasses
import sys
from collections.abc import Sequence

from experiments import entry_point, problems, results
from experiments.analysis import intervals, study_figure, study_results, tables
from experiments.options import Options, make_parser, parse_with_extras
from experiments.running import estimate
from experiments.studies import STUDIES, Study, family_of

# isort: split
import pandas as pd  # after `experiments`, which reports missing packages

PROBLEM = "mnist-lenet5"
NOTES = f"""
Accuracies are raw, mean ± standard deviation over n trials. "mean" is the mean accuracy
over all annotations from the initial set to the last column: the area under the curve
by the trapezoid rule, divided by the annotations.

Differences are between paired trials, in points, with 95 % confidence intervals by
Student's t, with at least {intervals.MIN_TRIALS} trials. The difference of the means
decides, which was chosen before the runs; the others are shown beside it. "p (Holm)" is
adjusted for the number of comparisons: for the studies of 2026-11-26, whose intervals
decide, over all 26; for the others, where it decides, over those of the study.
"smallest shown" is half the width of the interval: a smaller mean difference would not
have shown. Seconds of a query are medians, of runs that shared their cores with other
work.
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
            print(f"{name}:\n{estimate.describe(study.runs(limited), limited)}")
        else:
            status = max(status, _show(name, study, budgets, limited))
    if not options.dry_run:
        print(NOTES)
    return status


def _show(name: str, study: Study, budgets: Sequence[int], options: Options) -> int:
    """Complete, print and write one study; return the exit status."""
    rows, status = results.complete(study.runs(options), options)
    # p is adjusted over the comparisons of these, too.
    family = [run for each in family_of(study) for run in each.runs(options)]
    others = [run for run in dict.fromkeys(family) if run not in study.runs(options)]
    if others:
        refused = rows.attrs["refused"]
        rows = pd.concat([rows, results.stored(others, options, refused)])
    for problem in options.problems:
        title = f"{study.question} {problems.get(problem).title}"
        found = study_results.collect(rows, problem, study, budgets)
        accuracies = study_results.accuracy_table(found)
        differences = study_results.difference_table(found)
        print(f"\n{title}\n\n{tables.markdown(accuracies)}\n")
        print(tables.markdown(differences))
        ending = f"{name}_{problems.file_name(problem)}"
        notes = "\n".join([NOTES, *tables.subset_notes([problem])])
        tables.write(accuracies, options.tables_folder / f"study_{ending}", notes)
        tables.write(
            differences, options.tables_folder / f"study_{ending}_differences", notes
        )
        if found.seconds:  # there are runs
            path = options.figures_folder / f"study_{ending}"
            study_figure.draw(found, title, path, study.panels)
    return status


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
