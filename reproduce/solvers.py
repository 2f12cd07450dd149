"""Seconds and memory of the solvers for CORE-SET's integer program."""

import argparse
import sys
from collections.abc import Sequence

from experiments import entry_point, options
from experiments.analysis import tables

# isort: split
import pandas as pd  # after `experiments`, which reports missing packages
import tqdm
from benchmarks import command_line, solver_cases


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every case in its own process and write the table.

    Without options: print what is stored.
    """
    if options.is_bare(arguments):
        return command_line.print_stored("solvers")
    parser = argparse.ArgumentParser(description=__doc__)
    command_line.add_repeats(parser, "timed searches of each case")
    options.add_output(parser, "the results", "paper")
    given = parser.parse_args(arguments)
    path = command_line.timing_folder("paper", given.output) / "solvers"
    rows = []
    measured = solver_cases.measure_all(given.repeats)
    for row in tqdm.tqdm(measured, total=len(solver_cases.cases())):
        rows.append(row)
        table = pd.DataFrame(rows).set_index("features")
        tables.write(table, path)
    print(tables.markdown(table))
    return 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
