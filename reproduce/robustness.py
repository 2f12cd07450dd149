"""Robustness: DeepFool norms of test images, for networks of stored labeled sets."""

import sys
from collections.abc import Iterator, Sequence

from experiments import entry_point, runs, store
from experiments.analysis import robustness as analysis
from experiments.analysis import tables
from experiments.options import Options, make_parser, parse

# isort: split
import pandas as pd  # after `experiments`, which reports missing packages
import tqdm

PROBLEM = "mnist-lenet5"
NOTES = """
L2 norms of DeepFool's perturbations of the first 1,000 test images, for pixels in
[0, 1]: mean ± standard deviation over n trials. The network of a round is trained again
from the labeled set that its run saved, with the same seed. Differences are between
paired trials, with 95 % intervals by Student's t; Holm's adjusted p below 0.05 decides,
at 300 annotations. DDN, of Foolbox, attacks the first 200 images in 200 steps.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the networks that are left, then print and write the tables."""
    parser = make_parser(__doc__)
    parser.set_defaults(problems=[PROBLEM])
    options = parse(parser, arguments)
    if not options.stored:
        for run, budget in tqdm.tqdm(list(_left(options)), unit="network"):
            _measure(run, budget, options)
    measured = _read(options)
    print(NOTES)
    for name, lay_out in (
        ("robustness", analysis.norms_table),
        ("robustness_differences", analysis.difference_table),
        ("robustness_ddn", analysis.ratio_table),
    ):
        table = lay_out(measured)
        print(tables.markdown(table), end="\n\n")
        if len(measured):
            tables.write(table, options.tables_folder / name, NOTES)
    return 0


def _left(options: Options) -> Iterator[tuple[runs.Run, int]]:
    """Yield the runs and numbers of annotations that are still to be measured."""
    kept = store.Store(options.runs_folder)
    for trial in range(options.num_trials):
        for strategy in analysis.STRATEGIES:
            run = runs.Run(options.problems[0], strategy, trial)
            if not kept.path(run, ".npz").exists():
                continue
            done = set(_rows(run, options).get("num_annotations", ()))
            reached = min(kept.num_annotations(run), options.budget)
            yield from (
                (run, budget)
                for budget in analysis.BUDGETS
                if budget <= reached and budget not in done
            )


def _measure(run, budget, options):
    """Measure one network and store its row."""
    from experiments.running import environment, robustness

    environment.start_tensorflow()
    with_ddn = budget == analysis.DECIDING and run.strategy in analysis.COMPARED
    found = robustness.measure(run, budget, options.runs_folder, with_ddn=with_ddn)
    rows = pd.concat([_rows(run, options), pd.DataFrame([vars(found)])])
    text = rows.sort_values("num_annotations").to_csv(index=False)
    store.write(_path(run, options), text)


def _read(options):
    """Return the stored rows of all runs."""
    found = [
        _rows(run, options).assign(strategy=strategy, trial=trial)
        for strategy in analysis.STRATEGIES
        for trial in range(options.num_trials)
        for run in [runs.Run(options.problems[0], strategy, trial)]
    ]
    columns = ["strategy", "trial", *analysis.COLUMNS]
    return pd.concat([pd.DataFrame(columns=columns), *found], ignore_index=True)


def _rows(run, options):
    path = _path(run, options)
    return pd.read_csv(path) if path.exists() else pd.DataFrame()


def _path(run, options):
    return options.output / "robustness" / f"{run}.csv"


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
