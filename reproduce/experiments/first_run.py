"""The first runs on a new machine: the quick preset, beside what is stored."""

import pandas as pd

from experiments import options, results, runs
from experiments.analysis import tables, terminal
from experiments.running import estimate


def show(stored: pd.DataFrame) -> int:
    """Make the runs of the quick preset and print them beside the stored ones.

    Args:
        stored: Rows of the paper's protocol, as `results.stored` returns them.

    Returns:
        The script's exit status.
    """
    asked = options.of_preset("quick")
    print("\nThe first runs on this machine, to see that it works here:", flush=True)
    rows, status = results.complete(runs.curve_runs(asked), asked)
    for problem in asked.problems:
        table = tables.this_machine(rows, stored, problem, asked.budget)
        print(f"\n{problem.title}\n\n{terminal.fit(table)}")
    print(
        "\nOther processors round differently, and the differences grow over the "
        f"rounds.\n\n{estimate.whole_protocol(asked)}"
    )
    return status
