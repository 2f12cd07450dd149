"""Training of a round: ours, by `model.fit`, and by a new model each round."""

import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from experiments import execution, protocol
from experiments.problems import PROBLEMS

from benchmarks import networks, stopwatch
from benchmarks.workload import Workload

if TYPE_CHECKING:  # Keras loads TensorFlow
    import keras

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
    from dfal_keras.backend import reinitialization  # TensorFlow

    x, y, _ = networks.digits()
    ours = execution.new_training(PROBLEM, **RECIPE)
    model = execution.new_training(PROBLEM, **RECIPE).model
    initialize = reinitialization.Initializer(model)

    def train(x, y):
        return num_steps(ours(x, y, seed=0))

    def fit_new_model(x, y):
        new = execution.new_training(PROBLEM, **RECIPE).model
        return fit(new, reinitialization.Initializer(new), x, y)

    for num_labeled in workload.num_labeled:
        labeled = x[:num_labeled], y[:num_labeled]
        yield from stopwatch.race(
            f"LeNet5, {num_labeled} labeled",
            {
                "ours": functools.partial(train, *labeled),
                "model.fit": functools.partial(fit, model, initialize, *labeled),
                "model.fit, new model": functools.partial(fit_new_model, *labeled),
            },
            workload.repeats,
            lambda ours, theirs: f"{theirs} steps a restart, ours {ours}",
        )


def fit(
    model: "keras.Model",
    initialize: Callable[[np.random.Generator], None],
    x: np.ndarray,
    y: np.ndarray,
) -> int:
    """Train as `dfal_keras.Training` does, through `model.fit`.

    Args:
        model: The compiled model.
        initialize: Function that gives the model fresh weights.
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
            x[rest],
            y[rest],
            batch_size=RECIPE["batch_size"],
            epochs=RECIPE["epochs"],
            validation_data=(x[held_out], y[held_out]),
            callbacks=[keras.callbacks.EarlyStopping(patience=RECIPE["patience"])],
            verbose=0,
        )
        loss = history.history["val_loss"][-1]
        if loss < best_loss:
            best_loss, best_weights = loss, model.get_weights()
    model.set_weights(best_weights)
    return num_steps(model)


def num_steps(model: "keras.Model") -> int:
    """Return the optimizer's number of steps since the last initialization."""
    return int(model.optimizer.iterations.numpy())
