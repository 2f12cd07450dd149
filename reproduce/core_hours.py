"""Core-hours of each panel of Table 1, by strategy, from the stored runs."""

import argparse
import dataclasses
import sys
from collections.abc import Sequence

from experiments import (
    entry_point,
    paper,
    problem_options,
    problems,
    protocol,
    results,
    runs,
)
from experiments.analysis import learning_curves, tables
from experiments.options import (
    add_problems,
    default_output,
    folder,
    make_parser,
    parse,
)

# isort: split
import pandas as pd  # after `experiments`, which reports missing packages

PROBLEMS = protocol.PRESETS["paper"].problems
BUDGET = protocol.PRESETS["paper"].budget
NUM_TRIALS = protocol.PRESETS["paper"].num_trials
# Estimated core-hours of a whole panel: seven strategies and "All", five trials each.
ESTIMATES = {
    "mnist-lenet5": 19,
    "mnist-vgg8": 640,
    "shoe_bag-lenet5": 96,
    "shoe_bag-vgg8": 3000,
    "quick_draw-lenet5": 31,
    "quick_draw-vgg8": 1150,
}
NOTES = f"""
Core-hours of {NUM_TRIALS} trials up to {BUDGET} annotations, with one process of one
thread for each run: {NUM_TRIALS} times the mean over the n finished trials of the
seconds of training, testing and querying (columns `*_seconds`). These are wall-clock
seconds, which are too high for runs that shared their cores with other work. "All" is
the training on the full training set.

"estimate" does not come from these runs and was not measured as a whole. The panels
with VGG8 on the larger data sets cost most. (f) evaluates every round on 111,246
images. In (d) and (f), uncertainty and CEAL score the whole pool of up to 184,792 and
444,971 images in every round.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Sum the seconds of the stored runs, then print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        type=folder,
        default=default_output("paper"),
        help="folder of the runs and of the table. Defaults to %(default)s",
    )
    add_problems(parser)
    given = parser.parse_args(arguments)
    names = problem_options.choose(
        parser, given.problems or PROBLEMS, given.max_per_class
    )
    strategies = *protocol.STRATEGIES, protocol.ABLATION
    options = parse(
        make_parser(__doc__),
        ["--preset", "paper", "--strategy", *strategies, "--output", str(given.output)],
    )
    options = dataclasses.replace(options, problems=names)
    rows = results.stored(runs.curve_runs(options), options)
    table = lay_out(rows, names)
    notes = NOTES + "".join(f"\n{line}\n" for line in tables.subset_notes(names))
    tables.write(table, options.tables_folder / "core_hours", notes)
    print(tables.markdown(table), notes, sep="\n")
    return 2 if rows.attrs["refused"] else 0


def lay_out(rows: pd.DataFrame, shown: Sequence[str] = PROBLEMS) -> pd.DataFrame:
    """Return core-hours: a row for each strategy and the sums, a column a problem.

    Args:
        rows: Rows of the run store.
        shown: Names of the problems. Defaults to the paper's.
    """
    panel = {*paper.STRATEGIES, runs.FULL}
    names = learning_curves.strategies(rows) | {runs.FULL: "All"}
    trials = {
        (problem, strategy): hours(rows, problem, strategy)
        for problem in shown
        for strategy in names
    }
    # Runs of the studies are shorter. They have no row here.
    names = {
        strategy: name
        for strategy, name in names.items()
        if strategy in panel or any(len(trials[each, strategy]) for each in shown)
    }
    table: dict[str, dict[str, str]] = {}
    for problem in shown:
        column: dict[str, str] = {}
        costs = {}
        for strategy, name in names.items():
            own = trials[problem, strategy]
            column[name] = "not run"
            if len(own):
                costs[strategy] = NUM_TRIALS * own.mean()
                column[name] = f"{costs[strategy]:.1f} (n={len(own)})"
        column["whole panel, from these runs"] = ""
        if panel <= costs.keys():
            whole = sum(costs[strategy] for strategy in panel)
            column["whole panel, from these runs"] = f"{whole:.1f}"
        column["whole panel, estimate"] = ""
        if problem in ESTIMATES:
            column["whole panel, estimate"] = f"about {ESTIMATES[problem]:,}"
        table[str(problems.get(problem).title)] = column
    return pd.DataFrame(table).rename_axis("core-hours")


def hours(rows: pd.DataFrame, problem: str, strategy: str) -> pd.Series:
    """Return the core-hours of each finished trial, up to the budget."""
    own = rows[
        rows["source"].isna()
        & (rows["problem"] == problem)
        & (rows["strategy"] == strategy)
    ]
    is_finished = own.groupby("trial")["num_annotations"].max() >= BUDGET
    if strategy != runs.FULL:
        own = own[own["num_annotations"] <= BUDGET]
    seconds = own.filter(like="_seconds").sum(axis=1).groupby(own["trial"]).sum()
    return seconds[is_finished] / 3600


def estimate(problem: str) -> str:
    """Describe the estimate for a whole panel, "" if there is none."""
    if problem not in ESTIMATES:
        return ""
    return f"about {ESTIMATES[problem]:,} core-hours for the whole panel (estimate)"


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
