"""The networks of problems, by their names."""

from collections.abc import Callable

import dfal_keras as dfal

MAX_SHIFT = 0.1  # of the width and of the height
MAX_ANGLE = 15 / 360  # of a full turn


def get(name: str) -> Callable:
    """Return the network with a name of `problems.NETWORKS`."""
    return AugmentedLeNet5 if name == "AugmentedLeNet5" else getattr(dfal.models, name)


def AugmentedLeNet5(  # noqa: N802, named as the others
    input_shape: tuple, num_classes: int, **options
):
    """Return LeNet5 that shifts and rotates its training images at random.

    Args:
        input_shape: As for `dfal_keras.models.LeNet5`.
        num_classes: As for `dfal_keras.models.LeNet5`.
        **options: As for `dfal_keras.models.LeNet5`.
    """
    import keras

    network = dfal.models.LeNet5(input_shape, num_classes, **options)
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.RandomTranslation(MAX_SHIFT, MAX_SHIFT, "constant"),
            keras.layers.RandomRotation(MAX_ANGLE, "constant"),
            *network.layers,
        ]
    )
