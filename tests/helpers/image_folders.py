"""Folders of small images in three classes, and models of them."""

import keras
import numpy as np
from PIL import Image

CLASSES = ("cat", "dog", "owl")
SHARES = (0.6, 0.3, 0.1)


def write(folder, num_images, *, size=16, seed=0, first=0):
    """Write images, and return the class of each by file name.

    Args:
        folder: A folder, made if it is not there.
        num_images: Number of images to write.
        size: Height and width of an image. Defaults to 16.
        seed: Seed of classes and pixels. Defaults to 0.
        first: Number of the first image in the names of files. Defaults to 0.
    """
    rng = np.random.default_rng([seed, first])
    centers = np.random.default_rng(1).uniform(60, 200, size=(3, size, size, 3))
    folder.mkdir(parents=True, exist_ok=True)
    classes = {}
    for number in range(first, first + num_images):
        label = rng.choice(3, p=SHARES)
        pixels = centers[label] + rng.normal(0, 50, size=(size, size, 3))
        name = f"image_{number:04}.png"
        Image.fromarray(pixels.clip(0, 255).astype("uint8")).save(folder / name)
        classes[name] = CLASSES[label]
    return classes


def write_model(path, *, size=16, num_classes=3, activation="softmax", seed=0):
    """Write an untrained classifier of such images, compiled, and return it."""
    init = [keras.initializers.GlorotUniform(seed=seed + i) for i in range(2)]
    model = keras.Sequential(
        [
            keras.Input((size, size, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(16, activation="relu", kernel_initializer=init[0]),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(
                num_classes, activation=activation, kernel_initializer=init[1]
            ),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.save(path)
    return model
