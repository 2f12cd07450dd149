"""The labels of DFAL's adversarial examples, by a network trained on all others."""

import sys
from collections.abc import Sequence

from experiments import entry_point, results, runs, store
from experiments.analysis import tables
from experiments.options import make_parser, parse

# isort: split
import pandas as pd  # after `experiments`, which reports missing packages

PROBLEM = "mnist-lenet5"
NOTES = """
DFAL's adversarial examples of a run, each added with the label of its original: the
median L2 norm of the perturbation in gray levels and as a share of the original's norm,
and the share that a network predicts with this label, beside the same share of the
originals. The network is trained on the training images that no run has queried, with
their labels.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask the network, or show what is stored; print and write the table."""
    parser = make_parser(__doc__)
    parser.set_defaults(problems=[PROBLEM], preset="paper")
    options = parse(parser, arguments)
    path = options.tables_folder / "examples"
    if options.stored:
        stored = path.with_name("examples.csv")
        print(stored.read_text() if stored.exists() else "Nothing is stored.")
        return 0
    kept = store.Store(options.runs_folder)
    trials = [
        run.trial
        for run in (runs.Run(PROBLEM, "dfal", t) for t in range(options.num_trials))
        if kept.path(run, ".npz").exists()
    ]
    if not trials:
        print(results.why_not_run(PROBLEM), file=sys.stderr)
        return 2
    from experiments.running import environment, example_labels

    environment.start_tensorflow()
    found = example_labels.check(PROBLEM, trials, options.runs_folder)
    table = pd.DataFrame(map(vars, found)).set_index("trial").round(4)
    tables.write(table, path, NOTES)
    print(tables.markdown(table), NOTES, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
