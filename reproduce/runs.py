"""One run: one strategy on one problem, one trial. What a worker process does."""

import contextlib
import dataclasses
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import subprocess

import pandas as pd
import protocol
import store


@dataclasses.dataclass(frozen=True)
class Run:
    """What to run. Its rows follow from these and `protocol`, wherever it runs."""

    problem: str
    strategy: str
    trial: int

    def __str__(self):
        return f"{self.problem}_{self.strategy}_{self.trial}"


def perform(run: Run, budget: int, folder: str, report) -> None:
    """Run, or go on with, one run, and write every round as it is done.

    Args:
        run: What to run.
        budget: Annotations at which to stop.
        folder: The run store.
        report: Function called with a dict after every round.
    """
    dfal = import_quietly()
    runs = store.Store(folder)
    settings = protocol.settings(run.problem, run.strategy, run.trial)
    runs.check_settings(str(run), settings)
    problem = protocol.PROBLEMS[run.problem]
    (x, y), test_data = dfal.datasets.load_data(problem.dataset)

    train = make_training(dfal, problem)
    strategy = dfal.strategies.get(
        run.strategy, **protocol.strategy_options(run.problem, run.strategy)
    )
    state = runs.path(str(run), ".npz")
    if state.exists():
        learner = dfal.ActiveLearner.load(state, train, strategy)
    else:
        learner = dfal.ActiveLearner(
            train,
            strategy,
            num_queries=protocol.NUM_QUERIES,
            num_initial=protocol.NUM_INITIAL,
            seed=run.trial,
        )
    rows = runs.rows(str(run)).head(learner.round).to_dict("records")

    record = {"settings": settings, "environment": environment()}
    store.write(runs.path(str(run), ".json"), json.dumps(record, indent=2) + "\n")
    for finished in learner.rounds(x, y, budget=budget, test_data=test_data):
        rows.append(dataclasses.asdict(finished))
        table = pd.DataFrame(rows).to_csv(index=False)
        store.write(runs.path(str(run), ".csv"), table)
        learner.save(state)
        report({"run": str(run), **rows[-1]})


def make_training(dfal, problem):
    """Return the paper's training(H, L_k) for a problem."""
    import keras

    network = getattr(dfal.models, problem.network)
    model = network(problem.input_shape, problem.num_classes)
    model.compile(
        keras.optimizers.Adam(protocol.LEARNING_RATE), "sparse_categorical_crossentropy"
    )
    return dfal.Training(model, **protocol.TRAINING)


def import_quietly():
    """Import `dfal_keras` without TensorFlow's chatter about devices on the screen.

    That comes from C++ before any log level applies, so the process's standard error
    is turned away for the length of the import; exceptions are not affected.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with open(os.devnull, "w") as nowhere, contextlib.ExitStack() as stack:
        screen = os.dup(2)
        stack.callback(os.close, screen)
        stack.callback(os.dup2, screen, 2)
        os.dup2(nowhere.fileno(), 2)
        import tensorflow as tf

        import dfal_keras

    # One thread a process: two such processes do nearly twice the work of one with
    # two threads. A process that has used TensorFlow already keeps what it has.
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    return dfal_keras


def environment() -> dict:
    """Return what a run was made with."""
    packages = ("dfal_keras", "tensorflow", "keras", "numpy", "ortools")
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=pathlib.Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        **{name: importlib.metadata.version(name) for name in packages},
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat("T", "seconds"),
    }
