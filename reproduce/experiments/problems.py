"""The problems of Table 1: a data set and the network that learns it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Problem:
    """A data set and a network: one panel of Table 1.

    Attributes:
        dataset: Name of the data set, as for `dfal_keras.datasets.load_data`.
        network: Name of the network's function in `dfal_keras.models`.
        input_shape: Shape of an image, `(height, width, channels)`.
        num_classes: Number of classes.
    """

    dataset: str
    network: str
    input_shape: tuple[int, int, int]
    num_classes: int


PROBLEMS = {  # the panels (a)-(f) of Table 1
    "mnist-lenet5": Problem("mnist", "LeNet5", (28, 28, 1), 10),
    "mnist-vgg8": Problem("mnist", "VGG8", (28, 28, 1), 10),
    "shoe_bag-lenet5": Problem("shoe_bag", "LeNet5", (64, 64, 3), 2),
    "shoe_bag-vgg8": Problem("shoe_bag", "VGG8", (64, 64, 3), 2),
    "quick_draw-lenet5": Problem("quick_draw", "LeNet5", (28, 28, 1), 4),
    "quick_draw-vgg8": Problem("quick_draw", "VGG8", (28, 28, 1), 4),
}


def other_networks(problem: str) -> list[str]:
    """Return the problems with the same data set and another network.

    Args:
        problem: A key of `PROBLEMS`.
    """
    dataset = PROBLEMS[problem].dataset
    return [
        name
        for name, other in PROBLEMS.items()
        if other.dataset == dataset and name != problem
    ]
