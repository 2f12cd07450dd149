"""Robustness: DeepFool norms of test images, for networks of stored labeled sets."""

import sys
from collections.abc import Sequence

from experiments import entry_point, measured_norms
from experiments.analysis import robustness, tables, terminal
from experiments.options import make_parser, one_problem, parse
from experiments.problems import PROBLEMS


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the networks without stored norms, then print and write the tables."""
    parser = make_parser(__doc__, performs_runs=False)
    parser.set_defaults(problems=[PROBLEMS["mnist-lenet5"]])
    options = parse(parser, arguments)
    one_problem(parser, options)
    if not options.stored:
        from experiments.running import norms  # loads TensorFlow

        norms.measure_all(options)
    measured = measured_norms.rows(options)
    if measured.empty:
        print("Nothing is stored: --preset paper measures stored labeled sets.")
        return 0
    print(robustness.NOTES)
    for name, table in robustness.all_tables(measured).items():
        print(terminal.fit(table), end="\n\n")
        tables.save(table, options, name, robustness.NOTES)
    return 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
