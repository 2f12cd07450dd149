"""Training of a round: ours, and by `model.fit` in several ways."""

import functools
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from experiments import protocol
from experiments.problems import PROBLEMS
from experiments.running import problem_training

from benchmarks import networks, stopwatch
from benchmarks.workload import Workload

if TYPE_CHECKING:  # Keras loads TensorFlow
    import keras

    import dfal_keras as dfal

EPOCHS = 20  # about where early stopping ends; fixed, so that all do the same work
RECIPE: dict[str, Any] = {**protocol.TRAINING, "epochs": EPOCHS, "patience": EPOCHS}
PROBLEM = PROBLEMS["mnist-lenet5"]


def training(workload: Workload) -> Iterator[dict]:
    """Time the training of a round over sizes of the labeled set.

    All contenders take the same number of steps from fresh weights, on splits of the
    same sizes, and evaluate the validation loss after every epoch. Early stopping is
    active, but its patience is the number of epochs.

    Yields:
        Rows of `stopwatch.race`.
    """
    x, y, _ = networks.digits()
    ours = problem_training.new_training(PROBLEM, **RECIPE)
    model = new_model()
    for num_labeled in workload.num_labeled:
        num_batches = math.ceil(
            round(num_labeled * (1 - RECIPE["validation_split"])) / RECIPE["batch_size"]
        )
        contenders: dict[str, Callable] = {
            "ours": functools.partial(train, ours),
            "model.fit": fit_function(model, arrays),
            "model.fit, new model": lambda x, y: fit_function(new_model(), arrays)(
                x, y
            ),
            "model.fit, tf.data": fit_function(new_model(num_batches), pipelines),
        }
        labeled = x[:num_labeled], y[:num_labeled]
        yield from stopwatch.race(
            f"LeNet5, {num_labeled} labeled",
            {
                name: functools.partial(run, *labeled)
                for name, run in contenders.items()
            },
            workload.repeats,
            lambda ours, theirs: f"{theirs} steps a restart, ours {ours}",
        )


def new_model(steps_per_execution: int = 1) -> "keras.Model":
    """Return a new compiled model.

    Args:
        steps_per_execution: Number of steps of `model.fit` in a call of its graph.
            Defaults to 1.
    """
    model = problem_training.new_training(PROBLEM, **RECIPE).model
    model.compile(model.optimizer, model.loss, steps_per_execution=steps_per_execution)
    return model


def train(training: "dfal.Training", x: np.ndarray, y: np.ndarray) -> int:
    """Train by `dfal_keras`; return the number of steps of a restart."""
    return num_steps(training(x, y, seed=0))


def fit_function(
    model: "keras.Model", sources: Callable[[tuple, tuple], dict[str, Any]]
) -> Callable[[np.ndarray, np.ndarray], int]:
    """Return `fit` for a model, a function of images and labels."""
    from dfal_keras.backend import reinitialization  # TensorFlow

    initialize = reinitialization.Initializer(model)
    return functools.partial(fit, model, initialize, sources)


def fit(
    model: "keras.Model",
    initialize: Callable[[np.random.Generator], None],
    sources: Callable[[tuple, tuple], dict[str, Any]],
    x: np.ndarray,
    y: np.ndarray,
) -> int:
    """Train as `dfal_keras.Training` does, through `model.fit`.

    Args:
        model: The compiled model.
        initialize: Function that gives the model fresh weights.
        sources: `arrays` or `pipelines`.
        x: Images.
        y: Their labels.

    Returns:
        The number of steps of a restart.
    """
    import keras  # loads TensorFlow

    best_loss, best_weights = np.inf, None
    for restart in range(RECIPE["num_restarts"]):
        rng = np.random.default_rng(restart)
        initialize(rng)
        rows = rng.permutation(len(x))
        held_out, rest = np.split(rows, [round(len(x) * RECIPE["validation_split"])])
        history = model.fit(
            **sources((x[rest], y[rest]), (x[held_out], y[held_out])),
            epochs=RECIPE["epochs"],
            callbacks=[keras.callbacks.EarlyStopping(patience=RECIPE["patience"])],
            verbose=0,
        )
        loss = history.history["val_loss"][-1]
        if loss < best_loss:
            best_loss, best_weights = loss, model.get_weights()
    model.set_weights(best_weights)
    return num_steps(model)


def arrays(train: tuple, held_out: tuple) -> dict[str, Any]:
    """Return arguments of `model.fit` for arrays of images and labels."""
    x, y = train
    return {
        "x": x,
        "y": y,
        "batch_size": RECIPE["batch_size"],
        "validation_data": held_out,
    }


def pipelines(train: tuple, held_out: tuple) -> dict[str, Any]:
    """Return arguments of `model.fit` for the same data as `tf.data` pipelines."""
    import tensorflow as tf

    shuffled = tf.data.Dataset.from_tensor_slices(train).shuffle(len(train[0]))
    whole = tf.data.Dataset.from_tensors(held_out)
    return {
        "x": shuffled.batch(RECIPE["batch_size"]).prefetch(tf.data.AUTOTUNE),
        "validation_data": whole,
    }


def num_steps(model: "keras.Model") -> int:
    """Return the optimizer's number of steps since the last initialization."""
    return int(model.optimizer.iterations.numpy())
