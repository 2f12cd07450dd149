"""The options of `beyond.py`, and what it shows of a study."""

import dataclasses
from collections.abc import Sequence

import pandas as pd

from experiments import problems, results, runs
from experiments.analysis import (
    comparisons,
    study_figure,
    study_results,
    tables,
    terminal,
)
from experiments.options import Options, make_parser, parse_with_extras
from experiments.problems import Problem
from experiments.studies import STUDIES, family_of
from experiments.studies.study import Study

NOTES = f"""
Accuracies are raw, mean ± standard deviation over n trials. "mean" is the mean accuracy
over all annotations from the initial set to the last budget: the area under the curve
by the trapezoid rule, divided by the annotations.

Differences are between paired trials, in points, with 95 % confidence intervals by
Student's t, with at least {comparisons.MIN_TRIALS} trials. The difference of the means
decides, which was chosen before the runs; the others are shown beside it. "p (Holm)" is
adjusted for the number of comparisons: for the studies of 2026-11-26, whose intervals
decide, over all 26; for the others, where it decides, over those of the study.
"smallest shown" is half the width of the interval: a smaller mean difference would not
have shown. Seconds of a query are medians, of runs that shared their cores with other
work.
"""


def parse(
    description: str | None, arguments: Sequence[str] | None
) -> list[tuple[Study, Options]]:
    """Parse the command line.

    Args:
        description: The script's description.
        arguments: The arguments. Defaults to those of the process.

    Returns:
        The studies, each with the options of its runs.
    """
    parser = make_parser(description)
    parser.set_defaults(methods=())
    parser.add_argument(
        "--study",
        dest="studies",
        metavar="STUDY",
        nargs="+",
        choices=STUDIES,
        default=list(STUDIES),
        help=f"studies: {', '.join(STUDIES)}. Defaults to all",
    )
    given = parser.parse_args(arguments)
    options, extras = parse_with_extras(parser, arguments)
    if options.methods:
        parser.error("the strategies follow from --study. Received: --strategy")
    chosen = [STUDIES[name] for name in dict.fromkeys(extras["studies"])]
    return [
        (
            study,
            dataclasses.replace(
                options,
                problems=options.problems if given.problems else (own,),
                methods=study.methods,
                budget=study.reached(options.budget)[-1],
            ),
        )
        for study in chosen
        for own in [problems.get(study.problem).subset(given.max_per_class)]
    ]


def complete(study: Study, options: Options) -> tuple[pd.DataFrame, int]:
    """Complete the runs of a study.

    Returns:
        Their rows, with the stored rows of the studies over whose comparisons p is
        adjusted, and the script's exit status.
    """
    wanted = runs.study_runs(study, options)
    rows, status = results.complete(wanted, options)
    family = [
        run for each in family_of(study) for run in runs.study_runs(each, options)
    ]
    others = [run for run in dict.fromkeys(family) if run not in wanted]
    if others:
        refused = rows.attrs["refused"]
        rows = pd.concat([rows, results.stored(others, options, refused)])
    return rows, status


def show(rows: pd.DataFrame, problem: Problem, study: Study, options: Options) -> None:
    """Print and write the tables and the figure of a study on one problem.

    A study is only named if none of its comparisons has a pair of runs.
    """
    title = f"{study.question} {problem.title}"
    found = study_results.collect(rows, problem, study, study.reached(options.budget))
    if not found.seconds:  # there are no runs
        print(f"\n{title}\n\nNothing is stored: --study {study.name} --preset paper")
        return
    if not any(map(len, found.differences.values())):
        methods = ", ".join(map(study.title_of, found.seconds))
        print(f"\n{title}\n\nNo comparison has both of its runs, only: {methods}")
        return
    accuracies = study_results.accuracy_table(found)
    differences = study_results.difference_table(found)
    print(f"\n{title}\n\n{terminal.fit(accuracies)}\n\n{terminal.fit(differences)}")
    name = f"study_{study.name}_{problem.file_name}"
    notes = "\n".join([NOTES, *tables.subset_notes([problem])])
    tables.save(accuracies, options, name, notes)
    tables.save(differences, options, f"{name}_differences", notes)
    if not options.read_only:
        study_figure.draw(found, title, options.figures_folder / name)
