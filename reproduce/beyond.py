"""Studies beyond the paper: query size, K, p, adversarial examples, pseudo-labels."""

import dataclasses
import sys
from collections.abc import Sequence

from experiments import entry_point, problems, results, runs
from experiments.analysis import intervals, study_figure, study_results, tables
from experiments.options import Options, make_parser, parse_with_extras
from experiments.running import estimate
from experiments.studies import STUDIES, Study

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
            study_figure.draw(found, title, options.figures_folder / f"study_{ending}")
    print(NOTES)
    return status


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
