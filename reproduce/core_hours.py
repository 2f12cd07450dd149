"""The core-hours of a whole panel of Table 1, by strategy, from the stored runs."""

import sys

from experiments import (
    entry_point,
    learning_curves,
    paper,
    protocol,
    results,
    runs,
    tables,
)
from experiments.options import make_parser, parse
from experiments.problems import PROBLEMS

# isort: split
import pandas as pd

BUDGET = protocol.PRESETS["paper"].budget
NUM_TRIALS = protocol.PRESETS["paper"].num_trials
# Core-hours of all seven strategies and "All", five trials each: estimates.
ESTIMATES = {
    "mnist-lenet5": 19,
    "mnist-vgg8": 640,
    "shoe_bag-lenet5": 96,
    "shoe_bag-vgg8": 3000,
    "quick_draw-lenet5": 31,
    "quick_draw-vgg8": 1150,
}
NOTES = f"""
Core-hours of {NUM_TRIALS} trials to {BUDGET} annotations, one process of one thread a
run: {NUM_TRIALS} times the mean over the n trials that are stored whole, of the seconds
of training, testing and querying (columns `*_seconds`). They are wall-clock seconds: of
runs that shared their cores with other work they say too much. "All" is the training
on the whole training set.

"estimate" is not from these runs, and not measured as a whole. The panels with VGG8 on
the larger data sets cost most: (f) tests every round on 111,246 images, and there and
in (d) uncertainty and CEAL score the whole pool, of up to 444,971 and 184,792 images,
in every round.
"""


def estimate(problem: str) -> str:
    """Say what a panel's estimate is."""
    return f"about {ESTIMATES[problem]:,} core-hours for the whole panel (estimate)"


def hours(rows: pd.DataFrame, problem: str, strategy: str) -> pd.Series:
    """Return the core-hours of each trial that is stored whole, up to the budget."""
    own = rows[
        rows["source"].isna()
        & (rows["problem"] == problem)
        & (rows["strategy"] == strategy)
    ]
    whole = own.groupby("trial")["num_annotations"].max() >= BUDGET
    if strategy != runs.FULL:
        own = own[own["num_annotations"] <= BUDGET]
    seconds = own.filter(like="_seconds").sum(axis=1).groupby(own["trial"]).sum()
    return seconds[whole] / 3600


def lay_out(rows: pd.DataFrame) -> pd.DataFrame:
    """Return core-hours: a row for each strategy and the sums, a column a problem."""
    names = {**learning_curves.strategies(rows), runs.FULL: "All"}
    table = {}
    for problem, title in paper.PROBLEM_NAMES.items():
        column = table[title] = {}
        costs = {}
        for strategy, name in names.items():
            trials = hours(rows, problem, strategy)
            column[name] = "not run"
            if len(trials):
                costs[strategy] = NUM_TRIALS * trials.mean()
                column[name] = f"{costs[strategy]:.1f} (n={len(trials)})"
        panel = {*paper.STRATEGIES, runs.FULL}
        column["whole panel, from these runs"] = ""
        if panel <= costs.keys():
            whole = sum(costs[strategy] for strategy in panel)
            column["whole panel, from these runs"] = f"{whole:.1f}"
        column["whole panel, estimate"] = f"about {ESTIMATES[problem]:,}"
    return pd.DataFrame(table).rename_axis("core-hours")


def main(arguments=None) -> int:
    """Add up the seconds of the stored runs; nothing is run."""
    parser = make_parser(__doc__)
    parser.set_defaults(preset="paper")
    options = parse(parser, arguments)
    strategies = (*protocol.STRATEGIES, *learning_curves.OWN_NAMES, runs.FULL)
    wanted = [
        runs.Run(problem, strategy, trial)
        for problem in PROBLEMS
        for strategy in dict.fromkeys(strategies)
        for trial in range(NUM_TRIALS)
    ]
    rows = results.stored(wanted, options)
    table = lay_out(rows)
    tables.write(table, options.tables_folder / "core_hours", NOTES)
    print(tables.markdown(table), NOTES, sep="\n")
    return 2 if rows.attrs["refused"] else 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
