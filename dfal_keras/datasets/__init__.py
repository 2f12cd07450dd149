"""The paper's data sets, in the tuple form of `keras.datasets`."""

from dfal_keras.datasets import mnist

_LOADERS = {"mnist": mnist.load_data}


def load_data(name: str) -> tuple:
    """Load one of the paper's data sets.

    Args:
        name: `"mnist"`: 60,000 + 10,000 digits of 28x28x1 pixels, 10 classes, embedded
            in the package (CC BY-SA 3.0).

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images with pixels in [0, 255],
        of shape `(num_samples, height, width, channels)`, and uint8 labels of shape
        `(num_samples,)`.

    Raises:
        ValueError: If the name is unknown, or a file is missing or corrupted.

    Example:
        >>> import dfal_keras as dfal
        >>> (x_train, y_train), (x_test, y_test) = dfal.datasets.load_data("mnist")
        >>> x_train.shape, y_train.shape
        ((60000, 28, 28, 1), (60000,))
    """
    if name not in _LOADERS:
        raise ValueError(
            f"Argument `name` must be one of {sorted(_LOADERS)}. Received: {name!r}"
        )
    return _LOADERS[name]()
