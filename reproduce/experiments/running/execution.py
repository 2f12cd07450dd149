"""Perform a run, on a worker. This module imports TensorFlow; most others do not."""

import os
import time
from collections.abc import Callable, Iterator

import numpy as np

import dfal_keras as dfal
from experiments import files, protocol, store
from experiments.files import RunFiles
from experiments.running import environment, ticks
from experiments.running.problem_training import Trainer
from experiments.runs import Run

_PSEUDO = ("pseudo_indices", "pseudo_labels")


def perform(
    run: Run,
    budgets: tuple[int, ...],
    folder: str | os.PathLike,
    report: Callable[[dict], object],
) -> None:
    """Perform or resume a run. Every row is stored as soon as it is finished.

    Args:
        run: The run.
        budgets: Numbers of annotations, as `Run.budgets` returns them.
        folder: Folder of the run store.
        report: Function called with a dict after every row: the run's name under
            "run" and the row; during long trainings also with what `ticks.Ticks`
            reports. While another process performs this run, it is called once with
            `{"run": name, "waits": True}`.

    Raises:
        ValueError: If stored files of the run can't be used. They are left unchanged.
    """
    environment.start_tensorflow()
    kept = store.Store(folder)
    own = kept.files(run)
    with own.lock(lambda: report({"run": own.name, "waits": True})):
        made_with = run.settings
        rows = own.resume(made_with)
        missing = run.missing(budgets, {row["num_annotations"] for row in rows})
        if not missing:  # another process finished it while this one waited
            return
        trainer = Trainer(run.problem, run.method.recipe, run.trial)
        new_rows: Iterator[tuple[dict, Callable | None]]
        if run.source:
            new_rows = _transfer(run, kept, trainer, missing)
        elif run.is_full:
            new_rows = _train_on_full_set(run, trainer)
        else:
            new_rows = _learn(run, own, trainer, rows, budgets[-1])

        def tick(message):
            report({"run": own.name, **message})

        is_started = False
        with ticks.of_long_trainings(trainer.train, tick, is_long=run.is_full):
            for row, save in new_rows:
                if not is_started:  # what fails before its first row leaves no file
                    own.start(made_with, environment.describe())
                    is_started = True
                rows.append(row)
                own.write(rows, save)
                report({"run": own.name, **row})


def _train_on_full_set(run, trainer) -> Iterator[tuple[dict, None]]:
    """Yield one row: a training on the full training set, the column "All"."""
    x, y = trainer.x[:], trainer.y
    yield _train_and_test(trainer, x, y, len(y), seed=run.trial), None


def _transfer(run, kept, trainer, budgets) -> Iterator[tuple[dict, None]]:
    """Yield a row for each budget: a training on the labeled set of another run."""
    selected = Run(run.source, run.method, run.trial)
    learner = load_learner(selected, kept.files(selected), trainer.train)
    for budget in budgets:
        # The seed of the same round makes a transfer of RANDOM equal to RANDOM itself.
        labeled, seed = stored_round(learner, budget)
        x, y = labeled.arrays(trainer.x)
        yield _train_and_test(trainer, x, y, budget, seed, labeled.groups), None


def _learn(run, own, trainer, rows, budget) -> Iterator[tuple[dict, Callable]]:
    """Yield the rows of active learning, each with a function that saves the learner.

    Args:
        run: The run.
        own: Its files.
        trainer: The data and the training.
        rows: Finished rows. The caller appends every yielded row, stores them all and
            saves the learner before it asks for the next. A row whose learner was not
            saved is removed: its round is repeated.
        budget: Number of annotations at which to stop.
    """
    path, made_with = own.path(".npz"), run.settings
    if path.exists():
        learner = load_learner(run, own, trainer.train)
        _check_rows(path, learner, rows)
    elif len(rows) > 1:
        raise ValueError(
            f"{run} has rows but no labeled set ({path}) to resume from. Use another "
            "--output, or remove the files of this run."
        )
    else:
        learner = new_learner(run, trainer.train)
    del rows[learner.round :]

    def save(path):
        learner.metadata = {"settings": made_with, "rows": _checksum(learner, rows)}
        learner.save(path)

    for finished in learner.rounds(
        trainer.x, trainer.y, budget=budget, test_data=trainer.test_data
    ):
        yield files.from_round(finished), save


def stored_round(learner: dfal.ActiveLearner, num_annotations: int) -> tuple:
    """Return what a round of a saved learner was trained on: the set and the seed."""
    seed = learner.training_seed(protocol.round_at(num_annotations))
    return learner.labeled.first(num_annotations), seed


def _train_and_test(trainer, x, y, num_annotations, seed, groups=None) -> dict:
    from dfal_keras.backend import evaluation

    started = time.perf_counter()
    model = trainer.train(x, y, seed=seed, groups=groups)
    fitted = time.perf_counter()
    loss, accuracy, *_ = evaluation.evaluate(model, *trainer.test_data)
    return {
        "num_annotations": num_annotations,
        "num_labeled": len(y),
        "accuracy": accuracy,
        "loss": loss,
        "fit_seconds": fitted - started,
        "evaluate_seconds": time.perf_counter() - fitted,
    }


def new_learner(run: Run, train: Callable) -> dfal.ActiveLearner:
    """Return the learner with which a run begins.

    Args:
        run: The run.
        train: As for `ActiveLearner`.
    """
    return dfal.ActiveLearner(
        train,
        make_strategy(run),
        num_queries=run.method.num_queries,
        num_initial=protocol.NUM_INITIAL,
        seed=run.trial,
    )


def make_strategy(run: Run) -> dfal.strategies.Strategy:
    """Return the strategy of a run, with the options of its method."""
    method = run.method
    strategy = dfal.strategies.get(method.strategy, **method.options_for(run.problem))
    if method.companions is None:
        return strategy
    return dfal.strategies.WithCompanions(strategy, method.companions)


def load_learner(run: Run, own: RunFiles, train: Callable) -> dfal.ActiveLearner:
    """Return the learner that a run saved.

    Args:
        run: The run.
        own: Its files.
        train: As for `ActiveLearner`.

    Raises:
        ValueError: If there is none, if it is not the one that was saved, or if it was
            made with other settings. The message names the file.
    """

    def load(path):
        return dfal.ActiveLearner.load(path, train, make_strategy(run))

    learner = own.read_labeled_set(load, run.settings)
    flaw = _flaw(learner, run)
    if flaw:
        raise ValueError(f"{own.path('.npz')} is not a labeled set of this run: {flaw}")
    return learner


def _check_rows(path, learner, rows):
    """Check that a labeled set was saved after these rows, or all but the last."""
    if learner.round not in (len(rows) - 1, len(rows)) or learner.metadata.get(
        "rows"
    ) != _checksum(learner, rows):
        raise ValueError(
            f"{path} and {path.stem}.csv do not belong together: the labeled set was "
            f"saved after {learner.round} queries, and there are {len(rows)} rows. "
            "Remove the files of this run, or use another --output."
        )


def _checksum(learner, rows):
    """Return the checksum of the rows that a learner was saved after."""
    return files.checksum(files.to_csv(rows[: learner.round]).encode())


def _flaw(learner, run):
    """Return why a run can't have saved a learner. Older files have no checksum."""
    labeled, size = learner.labeled, run.method.num_queries
    numbers = {
        "num_queries": (learner.num_queries, size),
        "num_initial": (learner.num_initial, protocol.NUM_INITIAL),
        "seed": (learner.seed, run.trial),
    }
    for name, (found, expected) in numbers.items():
        if found != expected:
            return f"it has {name}={found}, not {expected}"
    for name in ("indices", "labels", "companion_rows", *_PSEUDO):
        array = getattr(labeled, name)
        if array.ndim != 1 or array.dtype.kind not in "iu" or (array < 0).any():
            return f"its {name} are not a list of integers from 0"
    count = protocol.NUM_INITIAL + learner.round * size
    if not len(labeled.indices) == len(labeled.labels) == count:
        return (
            f"it does not have {count} indices and labels, for {learner.round} queries"
        )
    if len(np.unique(labeled.indices)) < count:
        return "an index occurs twice"
    if len(labeled.companions) != len(labeled.companion_rows):
        return "not every companion belongs to a sample"
    if (labeled.companion_rows >= count).any():
        return "a companion belongs to no sample"
    if len({len(getattr(labeled, name)) for name in _PSEUDO}) > 1:
        return "not every pseudo-label belongs to a sample"
    return ""
