"""The data and the training of a problem, on a worker."""

import functools

import numpy as np

import dfal_keras as dfal
from dfal_keras.datasets import mnist_cache
from experiments import problem_data, problems, protocol
from experiments.drawings import Drawings
from experiments.problems import Problem
from experiments.running import environment, networks


class Trainer:
    """The data of a problem, and training(H, L_k) on it.

    Args:
        problem: The problem.
        recipe: As for `new_training`.
        trial: As for `load_problem`. Defaults to 0.

    Attributes:
        x: Training samples.
        y: Their labels.
        test_data: `(x_test, y_test)`.
        train: As for `ActiveLearner`.
    """

    def __init__(self, problem: Problem, recipe: dict, trial: int = 0):
        (self.x, self.y), self.test_data = load_problem(problem, trial)
        self.train: dfal.Training = make_training(problem, **recipe)


def load_data(name: str) -> tuple:
    """Load a data set, memory-mapped: the processes of a machine share it."""
    return mnist_cache.load_data() if name == "mnist" else dfal.datasets.load_data(name)


def load_problem(problem: Problem, trial: int = 0) -> tuple:
    """Load the data set of a problem, or the subset of it.

    Args:
        problem: The problem.
        trial: Number of the trial, if each has a split of its own. Defaults to 0.

    Returns:
        `(x_train, y_train), (x_test, y_test)`. Of a subset, `x_train` is a view that
        reads rows on access.
    """
    if isinstance(problem.dataset, str):
        data = load_data(problem.dataset)
    elif isinstance(problem.dataset, Drawings):
        data = problem.dataset.load()
    else:
        data = problem_data.load(problem)
    if problem.splits_by_trial:
        data = problem_data.split(data, trial)
    if problem.max_per_class is None:
        return data
    (x, y), test_data = data
    rows = problem_data.first_of_each_class(y, problem.max_per_class)
    return (dfal.pools.Subset(x, rows), y[rows]), test_data


def check_problem(problem: Problem, budget: int, data: dict | None) -> None:
    """Check that runs on a problem can start.

    Args:
        problem: The problem.
        budget: Number of annotations of the runs.
        data: The fingerprint of your own data set in the process that starts the runs.
            `None` for a data set of `dfal_keras.datasets`.

    Raises:
        ValueError: If the data differ, there are too few samples, or the network can't
            be used.
    """
    environment.start_tensorflow()
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
def make_training(problem: Problem, **recipe) -> "dfal.Training":
    """Return training(H, L_k) for a problem, one for all runs of a process.

    A `Training` starts afresh in every call, so rows do not depend on earlier runs. One
    for each run would leak memory: TensorFlow keeps the functions of a graph until the
    process ends.

    Args:
        problem: The problem.
        **recipe: As for `new_training`.
    """
    return new_training(problem, **recipe)


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
        model = networks.get(problem.network)(
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
