"""What a worker process needs before it runs anything: TensorFlow, data, networks."""

import contextlib
import datetime
import functools
import importlib.metadata
import os
import pathlib
import platform
import subprocess

from dfal_keras.backend import quiet_import
from experiments import protocol


def import_quietly(num_threads: int = 1):
    """Import `dfal_keras` and TensorFlow without chatter about devices."""
    with quiet_import.quiet():
        import tensorflow as tf

        import dfal_keras

    # One thread a process: two such processes do nearly twice the work of one with
    # two threads. A process that has used TensorFlow already keeps what it has.
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(num_threads)
        tf.config.threading.set_inter_op_parallelism_threads(num_threads)
    return dfal_keras


def load_data(name: str) -> tuple:
    """Load a data set, memory-mapped, so that the processes of a machine share it."""
    from dfal_keras import datasets
    from dfal_keras.datasets import mnist_cache

    return mnist_cache.load_data() if name == "mnist" else datasets.load_data(name)


@functools.cache
def make_training(problem: protocol.Problem):
    """Return the paper's training(H, L_k) for a problem: one for all runs of a process.

    Every call of a `Training` starts afresh, so a run's rows do not depend on the runs
    before it. A new one for each run would leave its graph behind: TensorFlow keeps
    the functions of a graph for as long as the process lives.
    """
    return new_training(problem)


def new_training(problem: protocol.Problem, *, include_preprocessing=True, **recipe):
    """Return a training with a model of its own, such as one of another recipe."""
    import keras

    import dfal_keras as dfal

    network = getattr(dfal.models, problem.network)
    model = network(
        problem.input_shape,
        problem.num_classes,
        include_preprocessing=include_preprocessing,
    )
    model.compile(
        keras.optimizers.Adam(protocol.LEARNING_RATE), "sparse_categorical_crossentropy"
    )
    return dfal.Training(model, **{**protocol.TRAINING, **recipe})


def environment() -> dict:
    """Return what a run is made with."""
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
