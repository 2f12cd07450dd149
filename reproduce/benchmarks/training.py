"""A round's training: ours, `model.fit`, and a new model for each round."""

import keras
import numpy as np
from experiments import execution, protocol
from experiments.problems import PROBLEMS

from benchmarks import networks, stopwatch

EPOCHS = 20  # about what early stopping leaves; the same for all, or it is no race


def training(options):
    """Race the training of a round over sizes of the labeled set; yield rows.

    All take the same number of steps, from fresh weights, on splits of the same sizes,
    with the validation loss after every epoch: early stopping is there, but told to
    wait for longer than there are epochs.
    """
    x, y, _ = networks.digits()
    recipe = {**protocol.TRAINING, "epochs": EPOCHS, "patience": EPOCHS}
    problem = PROBLEMS["mnist-lenet5"]
    ours = execution.new_training(problem, **recipe)
    by_fit = execution.new_training(problem, **recipe)

    def new_model(x, y):
        return fit(execution.new_training(problem, **recipe), x, y)

    for num_labeled in options.labeled:
        known = x[:num_labeled], y[:num_labeled]

        def train(known=known):
            return num_steps(ours(*known, seed=0))

        yield from stopwatch.race(
            f"LeNet5, {num_labeled} labeled",
            {
                "ours": train,
                "model.fit": lambda known=known: fit(by_fit, *known),
                "model.fit, new model": lambda known=known: new_model(*known),
            },
            options.repeats,
            lambda ours, theirs: f"{theirs} steps a restart, ours {ours}",
        )


def fit(training, x, y) -> int:
    """Do what a `Training` does through `model.fit`; return the steps of a restart."""
    best_loss, best_weights, model = np.inf, None, training.model
    for restart in range(training.num_restarts):
        rng = np.random.default_rng(restart)
        training._initializer(rng)
        rows = rng.permutation(len(x))
        held_out, rest = np.split(rows, [round(len(x) * training.validation_split)])
        history = model.fit(
            x[rest],
            y[rest],
            batch_size=training.batch_size,
            epochs=training.epochs,
            validation_data=(x[held_out], y[held_out]),
            callbacks=[keras.callbacks.EarlyStopping(patience=training.patience)],
            verbose=0,
        )
        loss = history.history["val_loss"][-1]
        if loss < best_loss:
            best_loss, best_weights = loss, model.get_weights()
    model.set_weights(best_weights)
    return num_steps(model)


def num_steps(model) -> int:
    """Return how many steps the optimizer has taken since its weights were fresh."""
    return int(model.optimizer.iterations.numpy())
