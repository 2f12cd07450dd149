"""What a worker process needs before it runs anything: TensorFlow, data, networks."""

import contextlib
import datetime
import getpass
import importlib.metadata
import os
import pathlib
import platform
import subprocess
import tempfile

import numpy as np
import protocol

from dfal_keras import screen


def import_quietly(num_threads: int = 1):
    """Import `dfal_keras` and TensorFlow without chatter about devices."""
    with screen.quiet():
        import tensorflow as tf

        import dfal_keras

    # One thread a process: two such processes do nearly twice the work of one with
    # two threads. A process that has used TensorFlow already keeps what it has.
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(num_threads)
        tf.config.threading.set_inter_op_parallelism_threads(num_threads)
    return dfal_keras


def load_data(name: str) -> tuple:
    """Load a data set into memory that the processes of this machine share.

    The first process writes the arrays to the temporary folder; all map them.
    """
    import dfal_keras as dfal

    version = importlib.metadata.version("dfal_keras")
    folder = pathlib.Path(tempfile.gettempdir()) / f"dfal_keras-{getpass.getuser()}"
    names = ("x_train", "y_train", "x_test", "y_test")
    paths = [folder / f"{name}-{version}-{part}.npy" for part in names]
    if not all(path.exists() for path in paths):
        train, test = dfal.datasets.load_data(name)
        if isinstance(train[0], np.memmap):
            return train, test  # the large ones are files already
        folder.mkdir(exist_ok=True, mode=0o700)
        for path, array in zip(paths, (*train, *test), strict=True):
            temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
            with temporary.open("wb") as file:
                np.save(file, array)
            temporary.replace(path)
    x_train, y_train, x_test, y_test = (np.load(path, mmap_mode="r") for path in paths)
    return (x_train, y_train), (x_test, y_test)


def make_training(problem: protocol.Problem, *, include_preprocessing=True, **recipe):
    """Return the paper's training(H, L_k) for a problem, or one of another recipe."""
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
