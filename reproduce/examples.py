"""Whether DFAL's adversarial examples have their originals' labels, by a network."""

import sys
from collections.abc import Sequence

from experiments import entry_point, results, runs, store
from experiments.analysis import tables, terminal
from experiments.methods import DFAL
from experiments.options import make_parser, one_problem, parse
from experiments.problems import PROBLEMS


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and test the network, or show what is stored; print and write the table."""
    parser = make_parser(__doc__, performs_runs=False)
    parser.set_defaults(problems=[PROBLEMS["mnist-lenet5"]], preset="paper")
    options = parse(parser, arguments)
    problem = one_problem(parser, options)
    path = options.tables_folder / "examples"
    if options.stored:
        return tables.show_written(path)
    kept = store.Store(options.runs_folder)
    wanted = [runs.Run(problem, DFAL, trial) for trial in range(options.num_trials)]
    wanted = [run for run in wanted if kept.files(run).path(".npz").exists()]
    if not wanted:
        print(results.no_labeled_set(problem, DFAL, options), file=sys.stderr)
        return 2
    from experiments.running import example_labels  # loads TensorFlow

    table = example_labels.table(wanted, kept)
    tables.write(table, path, example_labels.NOTES)
    print(terminal.fit(table), example_labels.NOTES, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
