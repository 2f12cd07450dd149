"""The share of the machine's rate of matrix products that is reached."""

import functools
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from experiments import protocol
from experiments.problems import PROBLEMS
from experiments.running import problem_training

import dfal_keras as dfal
from benchmarks import networks, stopwatch
from benchmarks.workload import Workload

if TYPE_CHECKING:  # Keras loads TensorFlow
    import keras

SIDE = 2048  # of the matrices
EPOCHS = 2
# Labeled samples, images of a step of DeepFool, images to predict.
SIZES = {"LeNet5": (640, 128, 8000), "VGG8": (160, 32, 256)}


def rate(workload: Workload) -> Iterator[dict]:
    """Time a large matrix product, then training, DeepFool and prediction.

    Counted are the multiplications and additions of convolutions and dense layers,
    two operations each, that the algorithms need.

    Yields:
        Dicts of the work, its operations, its seconds, its rate and the share.
    """
    limit = math.nan
    for what, operations, run in (multiplication(), *work(workload)):
        (row,) = stopwatch.race(what, {"ours": run}, workload.repeats)
        reached = operations / row["seconds"] / 1e9
        limit = reached if math.isnan(limit) else limit
        yield {
            "what": what,
            "GFLOP": operations / 1e9,
            "seconds": row["seconds"],
            "GFLOP/s": reached,
            "share": reached / limit,
        }


def multiplication() -> tuple[str, float, Callable[[], Any]]:
    """Return the name, the operations and the function of a product of matrices."""
    import tensorflow as tf

    matrix = tf.random.stateless_uniform((SIDE, SIDE), seed=(0, 0))
    return (
        f"matrix product, {SIDE}x{SIDE}, float32",
        2 * SIDE**3,
        lambda: tf.matmul(matrix, matrix).numpy(),
    )


def work(workload: Workload) -> Iterator[tuple[str, float, Callable[[], Any]]]:
    """Yield the name, the operations and the function of each work to time."""
    x, y, _ = networks.digits()
    for network in workload.num_images:
        problem = PROBLEMS[f"mnist-{network.lower()}"]
        train = problem_training.new_training(
            problem, num_restarts=1, epochs=EPOCHS, patience=EPOCHS
        )
        num_labeled, num_attacked, num_predicted = (
            min(size, len(x)) for size in SIZES[network]
        )
        forward, first = forward_operations(train.model)
        yield (
            f"{network}: training, batches of {protocol.TRAINING['batch_size']}",
            training_operations(train, num_labeled, forward, first),
            functools.partial(train, x[:num_labeled], y[:num_labeled], seed=0),
        )
        # A prediction, then in the step a forward pass, a backward pass to the pixels
        # for each other class, and the prediction after it.
        num_passes = 3 + problem.num_classes - 1
        yield (
            f"{network}: a step of DeepFool on {num_attacked} images",
            num_passes * forward * num_attacked,
            functools.partial(
                dfal.deepfool,
                train.model,
                x[:num_attacked].astype(np.float32),
                max_steps=1,
                batch_size=num_attacked,
            ),
        )
        yield (
            f"{network}: prediction, an uncertainty query",
            forward * num_predicted,
            functools.partial(
                dfal.strategies.Uncertainty().query,
                train.model,
                x[:num_predicted],
                min(protocol.NUM_QUERIES, num_predicted),
            ),
        )


def forward_operations(model: "keras.Model") -> tuple[int, int]:
    """Count the operations of a forward pass of one image.

    Args:
        model: A Keras model of convolutions, dense layers and layers without kernels.

    Returns:
        The operations of all layers and those of the first.
    """
    counts = [
        2 * math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1])
        for layer in model.layers
        if hasattr(layer, "kernel")
    ]
    return sum(counts), counts[0]


def training_operations(
    train: "dfal.Training", num_labeled: int, forward: int, first: int
) -> int:
    """Count the operations of a training of one restart without early stopping.

    Args:
        train: The training.
        num_labeled: Size of the labeled set.
        forward: Operations of a forward pass of one image.
        first: Those of the first layer, whose gradient to the pixels is not needed.
    """
    num_held_out = round(num_labeled * train.validation_split)
    steps = (num_labeled - num_held_out) * (3 * forward - first)
    return train.epochs * (steps + num_held_out * forward)
