"""The stored norms of test images: a table for each run, a row for each network."""

import dataclasses
import math
import pathlib
from collections.abc import Iterator

import pandas as pd

from experiments import files, store
from experiments.analysis import robustness
from experiments.options import Options
from experiments.runs import Run


@dataclasses.dataclass(frozen=True)
class Measured:
    """Norms of one network, a row of the results.

    Attributes:
        num_annotations: Number of annotations that it was trained on.
        accuracy: Test accuracy, as a fraction.
        mean: Mean L2 norm of DeepFool's perturbations, of those that succeed.
        median: Median of the same.
        num_fooled: Number of images that DeepFool fooled.
        deepfool: Mean norm of the images that DDN attacked too, nan without DDN.
        ddn: DDN's mean norm of the same images.
    """

    num_annotations: int
    accuracy: float
    mean: float
    median: float
    num_fooled: int
    deepfool: float = math.nan
    ddn: float = math.nan


COLUMNS = tuple(field.name for field in dataclasses.fields(Measured))


def rows(options: Options) -> pd.DataFrame:
    """Return the stored rows of all runs, with their methods and trials."""
    found = [
        _read(run, options).assign(strategy=run.method.name, trial=run.trial)
        for run in _runs(options)
    ]
    columns = ["strategy", "trial", *COLUMNS]
    # Not an empty table with these columns before them: all would become objects.
    return pd.concat(found, ignore_index=True).reindex(columns=columns)


def missing(options: Options) -> Iterator[tuple[Run, int]]:
    """Yield the runs and numbers of annotations that are still to be measured."""
    kept = store.Store(options.runs_folder)
    for run in _runs(options):
        if not kept.files(run).path(".npz").exists():
            continue
        done = set(_read(run, options).get("num_annotations", ()))
        reached = min(kept.num_annotations(run), options.budget)
        yield from (
            (run, budget)
            for budget in robustness.BUDGETS
            if budget <= reached and budget not in done
        )


def add(run: Run, row: dict, options: Options) -> None:
    """Store the row of a network."""
    table = pd.concat([_read(run, options), pd.DataFrame([row])])
    text = table.sort_values("num_annotations").to_csv(index=False)
    files.write(_path(run, options), text)


def _runs(options):
    trials = list(range(options.num_trials))
    if options.num_trials == robustness.NUM_TRIALS:
        trials.append(robustness.REPLACEMENT)
    return [
        Run(options.problems[0], method, trial)
        for trial in trials
        for method in robustness.METHODS
    ]


def _read(run: Run, options: Options) -> pd.DataFrame:
    path = _path(run, options)
    return pd.read_csv(path) if path.exists() else pd.DataFrame()


def _path(run: Run, options: Options) -> pathlib.Path:
    return options.output / "robustness" / f"{run}.csv"
