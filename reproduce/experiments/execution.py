"""Perform a run, on a worker: it imports TensorFlow, which most modules do not."""

import contextlib
import datetime
import functools
import importlib.metadata
import os
import pathlib
import platform
import subprocess
import time
from collections.abc import Callable, Iterator

import numpy as np

import dfal_keras as dfal
from dfal_keras.backend import quiet_import
from dfal_keras.datasets import mnist_cache
from experiments import problem_data, problems, protocol, row_format, store
from experiments.problems import Problem
from experiments.runs import FULL, Run, missing_budgets, settings


def start_tensorflow(num_threads: int = 1) -> None:
    """Import TensorFlow without its messages and set its number of threads.

    Two processes of one thread do nearly twice the work of one with two threads. A
    process that has used TensorFlow before keeps its number of threads.

    Args:
        num_threads: Number of threads. Defaults to 1.
    """
    with quiet_import.quiet():
        import tensorflow as tf

    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(num_threads)
        tf.config.threading.set_inter_op_parallelism_threads(num_threads)


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
    start_tensorflow()
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
                kept.record(run, made_with, environment())
                recorded = True
            rows.append(row)
            kept.write_rows(run, rows)
            report({"run": str(run), **row})


def load_data(name: str) -> tuple:
    """Load a data set, memory-mapped: the processes of a machine share it."""
    return mnist_cache.load_data() if name == "mnist" else dfal.datasets.load_data(name)


def load_problem(problem: Problem) -> tuple:
    """Load the data set of a problem, or the subset of it.

    Returns:
        `(x_train, y_train), (x_test, y_test)`. Of a subset, `x_train` is a view that
        reads rows on access.
    """
    if isinstance(problem.dataset, str):
        data = load_data(problem.dataset)
    else:
        data = problem_data.load(problem)
    if problem.max_per_class is None:
        return data
    (x, y), test_data = data
    rows = problem_data.first_of_each_class(y, problem.max_per_class)
    return (dfal.pools.Subset(x, rows), y[rows]), test_data


def check_problem(name: str, budget: int, data: dict | None) -> None:
    """Check that runs on a problem can start.

    Args:
        name: Name of the problem.
        budget: Number of annotations of the runs.
        data: The fingerprint of your own data set in the process that starts the runs.
            `None` for a data set of `dfal_keras.datasets`.

    Raises:
        ValueError: If the data differ, there are too few samples, or the network can't
            be used.
    """
    start_tensorflow()
    problem = problems.get(name)
    if data is not None and problem_data.fingerprint(problem) != data:
        raise ValueError(
            "a worker process has loaded other data. The data must be the same in "
            "every process. After a change of the module, start new workers"
        )
    (_, y), _ = load_problem(problem)
    if len(y) < budget:
        raise ValueError(
            f"the training set must hold at least {budget} samples, for as many "
            f"annotations. Received: {len(y)} samples"
        )
    make_training(problem)


@functools.cache
def make_training(problem: Problem) -> "dfal.Training":
    """Return the paper's training(H, L_k) for a problem, one for all runs of a process.

    A `Training` starts afresh in every call, so rows do not depend on earlier runs. One
    for each run would leak memory: TensorFlow keeps the functions of a graph until the
    process ends.
    """
    return new_training(problem)


def new_training(
    problem: Problem, *, include_preprocessing: bool = True, **recipe
) -> "dfal.Training":
    """Return a new training with a new model.

    Args:
        problem: The problem.
        include_preprocessing: Whether the model of `dfal_keras.models` scales pixels
            itself. Defaults to `True`.
        **recipe: Arguments of `dfal_keras.Training` in place of the protocol's.

    Raises:
        ValueError: If your own network can't be used.
    """
    import keras

    if isinstance(problem.network, str):
        network = getattr(dfal.models, problem.network)
        model = network(
            problem.input_shape or load_problem(problem)[0][0].shape[1:],
            problem.num_classes,
            include_preprocessing=include_preprocessing,
        )
    else:
        model = _own_network(problem)
    model.compile(
        keras.optimizers.Adam(protocol.LEARNING_RATE), "sparse_categorical_crossentropy"
    )
    return dfal.Training(model, **{**protocol.TRAINING, **recipe})


def _own_network(problem):
    """Build the network of your own problem and check its outputs."""
    import keras

    (x, _), _ = load_problem(problem)
    samples = np.asarray(x[:8], "float32")
    if isinstance(problem.network, keras.Model):
        raise ValueError(
            "`network` must be a function of input_shape and num_classes that returns "
            "a model. Received: a model"
        )
    try:
        model = problem.network(samples.shape[1:], problem.num_classes)
        outputs = np.asarray(model(samples, training=False), "float32")
    except Exception as error:  # any error of the user's code
        reason = problems.one_line(error)
        raise ValueError(f"the network can't be used: {reason}") from error
    if not isinstance(model, keras.Model):
        raise ValueError(
            "`network` must return a Keras model. "
            f"Received: {problems.shortened(model)}"
        )
    if outputs.shape != (len(samples), problem.num_classes):
        raise ValueError(
            f"the network must have {problem.num_classes} outputs, one for each class. "
            f"Received: outputs of shape {outputs.shape[1:]}"
        )
    if (outputs < 0).any() or not np.allclose(outputs.sum(axis=1), 1, atol=1e-2):
        raise ValueError(
            "the network must end in a softmax. Received: outputs that are not "
            f"probabilities, such as {outputs[0].round(3).tolist()!s:.80}"
        )
    return model


def environment() -> dict:
    """Return the versions and the machine that a run is made with."""
    import tensorflow as tf

    packages = ("dfal_keras", "tensorflow", "keras", "numpy", "ortools")
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=pathlib.Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    devices = tf.config.list_physical_devices("GPU") or ["CPU"]
    return {
        **{name: importlib.metadata.version(name) for name in packages},
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "device": str(devices[0]),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat("T", "seconds"),
    }


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
    (x, y), test_data = load_problem(problem)
    train = make_training(problem)
    strategy = _make_strategy(run)
    if path.exists():
        learner = dfal.ActiveLearner.load(path, train, strategy)
        store.check_settings(path, learner.metadata.get("settings", {}), made_with)
        _check_rows(path, learner, rows)
    elif len(rows) > 1:
        raise ValueError(
            f"{run} has rows but no labeled set ({path}) to resume from. Use another "
            "--output, or remove the files of this run."
        )
    else:
        learner = dfal.ActiveLearner(
            train,
            strategy,
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


def _make_strategy(run):
    """Return the strategy of a run, with the options of the protocol."""
    return dfal.strategies.get(
        protocol.identifier(run.strategy),
        **protocol.strategy_options(run.problem, run.strategy),
    )


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
    (x, y), test_data = load_problem(problem)
    train = make_training(problem)
    yield _train_and_test(train, x[:], y, len(y), test_data, seed=run.trial)


def _transfer(run, kept, budgets) -> Iterator[dict]:
    """Yield a row for each budget: a training on the labeled set of another run."""
    problem = problems.get(run.problem)
    (x, _), test_data = load_problem(problem)
    train = make_training(problem)
    source = Run(run.source, run.strategy, run.trial)
    path = kept.path(source, ".npz")
    if not path.exists():
        raise ValueError(
            f"{run} needs the labeled set of the run {source}, which is missing: "
            f"{path}. Use another --output, where that run is made first."
        )
    learner = dfal.ActiveLearner.load(path, train, _make_strategy(source))
    store.check_settings(path, learner.metadata.get("settings", {}), settings(source))
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
