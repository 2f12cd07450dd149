"""Table 3: seconds to select ten queries by DFAL and by CORE-SET, paper beside ours."""

import argparse
import os
import pathlib
import platform
import sys

from experiments import entry_point, execution, protocol, store, tables
from experiments.options import default_output, folder
from experiments.problems import PROBLEMS

# isort: split
import numpy as np
import pandas as pd
from benchmarks import query_times

import dfal_keras as dfal

PRESETS = {  # |L|, the n at which the literal program is timed, seconds for a search
    "quick": ([100], [120, 140, 160, 190, 220], 60.0),
    "paper": ([100, 1000], [120, 150, 180, 210, 240, 280], 600.0),
}
NOTES = """
One query of {queries} on MNIST with LeNet5, trained on the labeled samples, with
{unlabeled} unlabeled; n is both together. Median of {repeats}, after a first query
that is not timed: it traces the graphs. CORE-SET's time includes its features. Each
search is allowed {limit:g} s.

- "with regularisation": Xi = n / 10,000 outliers, as CORE-SET's authors prescribe, is
  none below n = 10,000, so the row asks the same as the one above it. With Xi = n / 100
  there are outliers; the paper has no such row.
- "compact" is the form of the integer program that `CoreSet` solves by default,
  "literal" the printed one, of n + 2 n^2 binaries. They find the same radius. The paper
  does not say which it solved: its seconds stand beside both.
- "literal" is not run at this n but extrapolated: a power law through smaller n with
  the same share of labeled samples, each run once (`table3_literal.md`); in brackets,
  the least and the most that it says with one of them left out. Its seconds are CPU
  time, user and system, of the solver's process, with its start and without the
  features; those of all other rows are wall-clock time. Nothing is extrapolated, and
  the cell is blank, from fewer than {min_sizes} sizes that were solved in time, by an
  exponent below {min_power} or a fit with an R^2 below {min_fit}; the last column says
  which.
{literal}- 1000 labeled, where shown: the paper's seconds are from its AAAI version.

Machine: {machine}; TensorFlow and the solver on one thread each.
The paper's: Xeon E5-2670 v3 at 2.30 GHz, 64 GB memory, GTX TITAN X.
"""


def main(arguments=None) -> int:
    """Train, time every row, then print and write the table."""
    options = parse(arguments)
    execution.start_tensorflow()
    (x, y), _ = dfal.datasets.load_data("mnist")
    drawn = np.random.default_rng(0).permutation(len(x))
    train = execution.make_training(PROBLEMS["mnist-lenet5"])
    parts, timings, lines = [], [], []
    for num_labeled in options.labeled:
        n = num_labeled + options.unlabeled
        pool, labeled = np.split(drawn[:n], [options.unlabeled])
        print(f"Training LeNet5 on {num_labeled} labeled samples")
        model = train(x[labeled], y[labeled], seed=0)
        timed = query_times.measure(
            dfal.strategies, model, x[pool], x[labeled], options
        )
        table, said = query_times.lay_out(timed, num_labeled, options.unlabeled)
        parts.append(table)
        timings.append(timed[timed["n"] < n].assign(extrapolated_to=n))
        lines += said

    table = pd.concat(parts).set_index("labeled")
    markdown = table.to_markdown(disable_numparse=True)
    notes = NOTES.format(
        queries=protocol.NUM_QUERIES,
        unlabeled=options.unlabeled,
        repeats=options.repeats,
        limit=options.time_limit,
        min_sizes=query_times.MIN_SIZES,
        min_power=query_times.MIN_POWER,
        min_fit=query_times.MIN_FIT,
        literal="".join(f"  {line}.\n" for line in lines),
        machine=describe_machine(),
    )
    store.write(options.output / "table3.md", f"{markdown}\n{notes}")
    store.write(options.output / "table3.csv", table.to_csv())
    timings = pd.concat(timings).set_index("extrapolated_to")
    tables.write(timings, options.output / "table3_literal")
    print(f"\nTable 3: seconds to select {protocol.NUM_QUERIES} queries on MNIST\n")
    print(
        markdown, "", *lines, f"\nNotes, and tables (CSV): {options.output}", sep="\n"
    )
    return 0


def describe_machine() -> str:
    """Return the processor's name and its number of cores."""
    info = pathlib.Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return f"{(names or [platform.machine()])[0]}, {os.cpu_count()} cores"


def parse(arguments) -> argparse.Namespace:
    """Parse, fill in what the preset says, and refuse what can't be timed."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--preset", choices=PRESETS, default="quick", help="default: %(default)s")
    add("--labeled", type=int, nargs="+", metavar="N", help="100; paper: 100 1000")
    add("--unlabeled", type=int, metavar="N", default=800, help="default: %(default)s")
    add("--repeats", type=int, metavar="N", default=3, help="default: %(default)s")
    sizes = "n at which to time CORE-SET's literal program, once, and from which to "
    sizes += (
        "extrapolate, at least five; gigabytes from 300 on (120 to 220; paper: 280)"
    )
    add("--literal-sizes", type=int, nargs="+", metavar="N", help=sizes)
    add("--time-limit", type=float, metavar="S", help="of a search (60; paper: 600)")
    add("--output", type=folder, help="folder (reproduce/results/PRESET)")
    options = parser.parse_args(arguments)

    labeled, sizes, time_limit = PRESETS[options.preset]
    options.labeled = options.labeled or labeled
    options.literal_sizes = sorted(set(options.literal_sizes or sizes))
    options.output = options.output or default_output(options.preset)
    if options.time_limit is None:
        options.time_limit = time_limit
    if len(options.literal_sizes) < query_times.MIN_SIZES:
        parser.error(
            f"--literal-sizes: {query_times.MIN_SIZES} different sizes or more, a "
            f"power law through {len(options.literal_sizes)} can't be checked"
        )
    if options.repeats < 1:
        parser.error("--repeats: 1 or more")
    if not 0 < options.time_limit < float("inf"):
        parser.error("--time-limit: more than 0 seconds")
    for num_labeled in options.labeled:
        total = num_labeled + options.unlabeled
        if num_labeled < 2 or options.unlabeled < protocol.NUM_QUERIES:
            parser.error("--labeled: 2 or more, --unlabeled: as many as queries")
        if total >= 10_000:  # "with regularisation" would not be the same program
            parser.error("--labeled and --unlabeled: fewer than 10,000 together")
        for n in options.literal_sizes:
            kept = query_times.share_out(n, num_labeled, options.unlabeled)
            if not (1 <= kept <= n - protocol.NUM_QUERIES and n < total):
                parser.error(
                    f"--literal-sizes: {n} must be below {total}, and leave "
                    f"{protocol.NUM_QUERIES} unlabeled beside {kept} labeled"
                )
    return options


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
