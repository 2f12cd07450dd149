"""Perform a run, on a worker: it imports TensorFlow, which most modules do not."""

import os
import time
from collections.abc import Callable, Iterator

import dfal_keras as dfal
from experiments import problems, protocol, row_format, store
from experiments.running import environment, problem_training
from experiments.runs import FULL, Run, missing_budgets, settings


def perform(
    run: Run,
    budgets: tuple[int, ...],
    folder: str | os.PathLike,
    report: Callable[[dict], object],
) -> None:
    """Perform or resume a run. Every row is stored as soon as it is finished.

    Args:
        run: The run.
        budgets: Numbers of annotations, as `runs.budgets_of` returns them.
        folder: Folder of the run store.
        report: Function called with a dict after every row: the run's name under
            "run" and the row. While another process performs this run, it is called
            once with `{"run": name, "waits": True}`.

    Raises:
        ValueError: If stored files of the run can't be used. They are left unchanged.
    """
    environment.start_tensorflow()
    kept = store.Store(folder)
    with kept.lock(run, lambda: report({"run": str(run), "waits": True})):
        made_with = settings(run)
        kept.check(run, made_with)
        rows = kept.rows(run).to_dict("records")
        finished = {row["num_annotations"] for row in rows}
        missing = missing_budgets(run, budgets, finished)
        if not missing:  # another process finished it while this one waited
            return
        if run.source:
            new_rows = _transfer(run, kept, missing)
        elif run.strategy == FULL:
            new_rows = _train_on_full_set(run)
        else:
            new_rows = _learn(run, kept, made_with, rows, budgets[-1])
        recorded = False
        for row in new_rows:
            if not recorded:  # a run that fails before its first row leaves no file
                kept.record(run, made_with, environment.describe())
                recorded = True
            rows.append(row)
            kept.write_rows(run, rows)
            report({"run": str(run), **row})


def _learn(run, kept, made_with, rows, budget) -> Iterator[dict]:
    """Yield the rows of active learning; save the labeled set after each.

    Args:
        run: The run.
        kept: The run store.
        made_with: The run's settings.
        rows: Finished rows. The caller appends every yielded row and stores them all
            before it asks for the next. A row whose labeled set was not saved is
            removed: its round is repeated.
        budget: Number of annotations at which to stop.
    """
    problem = problems.get(run.problem)
    path = kept.path(run, ".npz")
    (x, y), test_data = problem_training.load_problem(problem)
    recipe = protocol.training(run.strategy)
    train = problem_training.make_training(problem, **recipe)
    if path.exists():
        learner = load_learner(run, kept, train)
        _check_rows(path, learner, rows)
    elif len(rows) > 1:
        raise ValueError(
            f"{run} has rows but no labeled set ({path}) to resume from. Use another "
            "--output, or remove the files of this run."
        )
    else:
        learner = dfal.ActiveLearner(
            train,
            make_strategy(run),
            num_queries=protocol.num_queries(run.strategy),
            num_initial=protocol.NUM_INITIAL,
            seed=run.trial,
        )
    del rows[learner.round :]
    for finished in learner.rounds(x, y, budget=budget, test_data=test_data):
        yield row_format.from_round(finished)
        learner.metadata = {
            "settings": made_with,
            "rows": store.checksum(row_format.to_csv(rows[: learner.round])),
        }
        learner.save(path)


def load_learner(run: Run, kept: store.Store, train: Callable) -> dfal.ActiveLearner:
    """Return the learner that a run saved.

    Args:
        run: The run.
        kept: The run store.
        train: As for `ActiveLearner`.

    Raises:
        ValueError: If there is none, or it was made with other settings.
    """
    path = kept.path(run, ".npz")
    if not path.exists():
        raise ValueError(
            f"The run {run} has no labeled set: {path} is missing. Use another "
            "--output, where that run is made first."
        )
    learner = dfal.ActiveLearner.load(path, train, make_strategy(run))
    made_with = learner.metadata.get("settings", {})
    store.check_settings(path, made_with, settings(run))
    return learner


def make_strategy(run: Run) -> dfal.strategies.Strategy:
    """Return the strategy of a run, with the options of the protocol."""
    strategy = dfal.strategies.get(
        protocol.identifier(run.strategy),
        **protocol.strategy_options(run.problem, run.strategy),
    )
    added = protocol.companions(run.strategy)
    if added is None:
        return strategy
    return dfal.strategies.WithCompanions(strategy, added)


def _check_rows(path, learner, rows):
    """Check that a labeled set was saved after these rows, or all but the last."""
    before = store.checksum(row_format.to_csv(rows[: learner.round]))
    if (
        learner.round not in (len(rows) - 1, len(rows))
        or learner.metadata.get("rows") != before
    ):
        raise ValueError(
            f"{path} and {path.stem}.csv do not belong together: the labeled set was "
            f"saved after {learner.round} queries, and there are {len(rows)} rows. "
            "Remove the files of this run, or use another --output."
        )


def _train_on_full_set(run) -> Iterator[dict]:
    """Yield one row: a training on the full training set, the column "All"."""
    problem = problems.get(run.problem)
    (x, y), test_data = problem_training.load_problem(problem)
    train = problem_training.make_training(problem)
    yield _train_and_test(train, x[:], y, len(y), test_data, seed=run.trial)


def _transfer(run, kept, budgets) -> Iterator[dict]:
    """Yield a row for each budget: a training on the labeled set of another run."""
    problem = problems.get(run.problem)
    (x, _), test_data = problem_training.load_problem(problem)
    train = problem_training.make_training(problem)
    learner = load_learner(Run(run.source, run.strategy, run.trial), kept, train)
    for budget in budgets:
        arrays = learner.labeled.first(budget).arrays(x)
        # The seed of the same round makes a transfer of RANDOM equal to RANDOM itself.
        seed = learner.training_seed(protocol.round_at(budget))
        yield _train_and_test(train, *arrays, budget, test_data, seed=seed)


def _train_and_test(train, x, y, num_annotations, test_data, seed) -> dict:
    from dfal_keras.backend import inference

    started = time.perf_counter()
    model = train(x, y, seed=seed)
    fitted = time.perf_counter()
    loss, accuracy, *_ = inference.evaluate(model, *test_data)
    return {
        "num_annotations": num_annotations,
        "num_labeled": len(y),
        "accuracy": accuracy,
        "loss": loss,
        "fit_seconds": fitted - started,
        "evaluate_seconds": time.perf_counter() - fitted,
    }
