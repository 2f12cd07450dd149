"""The networks of the paper, LeNet5 and VGG8."""

import keras
from keras import layers

from dfal_keras import _validation


def LeNet5(  # noqa: N802 - Keras names its model builders in CamelCase
    input_shape: tuple = (28, 28, 1),
    classes: int = 10,
    *,
    include_preprocessing: bool = True,
) -> keras.Model:
    """Build the LeNet5 of the paper.

    Two blocks of a 5x5 ReLU convolution (6 and 16 filters), max pooling and dropout, a
    linear 1x1 convolution (120 filters), a dense ReLU layer (84 units), and *two*
    linear layers of `classes` units with dropout between them, as in the first
    author's public code.

    Reference:
        - LeCun et al., 1998, "Gradient-based learning applied to document
          recognition"; Ducoffe & Precioso, 2018, section 4.1.

    Args:
        input_shape: `(height, width, channels)` of an image, with height and width of
            at least 16. Defaults to `(28, 28, 1)`.
        classes: Number of classes, at least 2. Defaults to 10.
        include_preprocessing: Whether the network divides pixels by 255. If True, it
            takes pixels in [0, 255], such as uint8 images. If False, it takes pixels
            in [0, 1]. Defaults to `True`.

    Returns:
        A `keras.Sequential` with a softmax output, not compiled. 166,936 parameters
        for 28x28x1 images of 10 classes.

    Raises:
        ValueError: If `input_shape` or `classes` is invalid.

    Example:
        >>> import dfal_keras as dfal
        >>> dfal.models.LeNet5((28, 28, 1), 10).count_params()
        166936
    """
    _check(input_shape, classes)
    return _classifier(
        "lenet5",
        input_shape,
        classes,
        include_preprocessing,
        [
            layers.Conv2D(6, 5, activation="relu", name="block1_conv"),
            layers.MaxPooling2D(2, name="block1_pool"),
            layers.Dropout(0.25, name="block1_dropout"),
            layers.Conv2D(16, 5, activation="relu", name="block2_conv"),
            layers.MaxPooling2D(2, name="block2_pool"),
            layers.Dropout(0.25, name="block2_dropout"),
            layers.Conv2D(120, 1, name="block3_conv"),
            layers.Flatten(name="flatten"),
            layers.Dense(84, activation="relu", name="dense1"),
            layers.Dense(classes, name="dense2"),
            layers.Dropout(0.5, name="dropout"),
        ],
    )


def VGG8(  # noqa: N802
    input_shape: tuple = (28, 28, 1),
    classes: int = 10,
    *,
    include_preprocessing: bool = True,
) -> keras.Model:
    """Build the VGG8 of the paper.

    Four blocks of 3x3 ReLU convolutions (64; 128; 256, 256; 512, 512 filters), each
    with max pooling and dropout, a dense ReLU layer (4096 units), dropout, and a
    linear layer of `classes` units.

    Reference:
        - Simonyan & Zisserman, 2015, "Very deep convolutional networks for
          large-scale image recognition"; Ducoffe & Precioso, 2018, section 4.1.

    Args:
        input_shape: `(height, width, channels)` of an image, with height and width of
            at least 16. Defaults to `(28, 28, 1)`.
        classes: Number of classes, at least 2. Defaults to 10.
        include_preprocessing: Whether the network divides pixels by 255. If True, it
            takes pixels in [0, 255], such as uint8 images. If False, it takes pixels
            in [0, 1]. Defaults to `True`.

    Returns:
        A `keras.Sequential` with a softmax output, not compiled. 6,641,930 parameters
        for 28x28x1 images of 10 classes.

    Raises:
        ValueError: If `input_shape` or `classes` is invalid.

    Example:
        >>> import dfal_keras as dfal
        >>> dfal.models.VGG8((28, 28, 1), 10).count_params()
        6641930
    """
    _check(input_shape, classes)
    body = []
    for block, filters in enumerate([[64], [128], [256, 256], [512, 512]], start=1):
        body += [
            layers.Conv2D(
                width,
                3,
                padding="same",
                activation="relu",
                name=f"block{block}_conv{index}",
            )
            for index, width in enumerate(filters, start=1)
        ]
        body += [
            layers.MaxPooling2D(2, name=f"block{block}_pool"),
            layers.Dropout(0.25, name=f"block{block}_dropout"),
        ]
    body += [
        layers.Flatten(name="flatten"),
        layers.Dense(4096, activation="relu", name="dense1"),
        layers.Dropout(0.5, name="dropout"),
    ]
    return _classifier("vgg8", input_shape, classes, include_preprocessing, body)


def _check(input_shape, classes):
    _validation.check_image_shape(input_shape, minimum=16)
    _validation.check_count("classes", classes, minimum=2)


def _classifier(name, input_shape, classes, include_preprocessing, body):
    """Add scaling before `body`, and logits and a softmax after it."""
    head = [layers.Rescaling(1 / 255, name="rescaling")] * bool(include_preprocessing)
    tail = [
        layers.Dense(classes, name="logits"),
        layers.Softmax(name="probabilities"),
    ]
    return keras.Sequential(
        [keras.Input(tuple(input_shape)), *head, *body, *tail], name=name
    )
