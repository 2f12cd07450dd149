"""The errors of CEAL's pseudo-labels, to 300 annotations."""

import sys
from collections.abc import Sequence

from experiments import entry_point, runs
from experiments.analysis import tables, terminal
from experiments.methods import CEAL
from experiments.options import make_parser, one_problem, parse
from experiments.problems import PROBLEMS

BUDGET = 300


def main(arguments: Sequence[str] | None = None) -> int:
    """Perform CEAL's runs again, or show what is stored; print and write the table."""
    parser = make_parser(__doc__, performs_runs=False)
    parser.set_defaults(
        problems=[PROBLEMS["mnist-lenet5"]], preset="paper", budget=BUDGET
    )
    options = parse(parser, arguments)
    problem = one_problem(parser, options)
    path = options.tables_folder / "pseudo_labels"
    if options.stored:
        return tables.show_written(path)
    from experiments.running import pseudo_errors  # loads TensorFlow

    wanted = [runs.Run(problem, CEAL, trial) for trial in range(options.num_trials)]
    table = pseudo_errors.table(wanted, options.budget)
    tables.write(table, path, pseudo_errors.NOTES)
    print(terminal.fit(table), pseudo_errors.NOTES, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
