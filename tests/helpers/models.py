"""Small Keras models for tests. Images have the shape of the fixture `blobs`."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

IMAGE_SHAPE = (4, 4, 1)


def linear(num_outputs, activation=None, *, input_shape=IMAGE_SHAPE, weights=None):
    """A linear classifier, without biases if `weights` is given."""
    has_bias = weights is None
    model = keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Flatten(),
            layers.Dense(num_outputs, activation=activation, use_bias=has_bias),
        ]
    )
    if not has_bias:
        model.set_weights([np.asarray(weights)])
    return model


def dense(activation="softmax", *, input_shape=IMAGE_SHAPE, dropout=0.3):
    """A classifier of pixels in [0, 255], with a hidden layer and three outputs."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(8, activation="relu"),
            layers.Dropout(dropout),
            layers.Dense(3, activation=activation),
        ]
    )


def convolutional(*head, num_outputs=3, dtype=None):
    """A convolutional classifier with the layers `head` after its logits."""
    return keras.Sequential(
        [
            keras.Input(IMAGE_SHAPE),
            layers.Rescaling(1 / 255, dtype=dtype),
            layers.Conv2D(4, 2, activation="relu", dtype=dtype),
            layers.Flatten(dtype=dtype),
            layers.Dense(8, activation="relu", dtype=dtype),
            layers.Dropout(0.3, dtype=dtype),
            layers.Dense(num_outputs, dtype=dtype),
            *head,
        ]
    )


def with_normalization():
    """A functional classifier with normalization, augmentation and a branch."""
    inputs = keras.Input(IMAGE_SHAPE)
    hidden = layers.RandomFlip()(layers.Normalization(mean=128, variance=4000)(inputs))
    hidden = layers.BatchNormalization()(layers.Conv2D(4, 2, activation="relu")(hidden))
    pooled = layers.Flatten()(layers.Add()([hidden, hidden]))
    hidden = layers.Dropout(0.3)(pooled)
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden))


def several_inputs(input_shape=IMAGE_SHAPE):
    """A model with two inputs."""
    inputs = [keras.Input(input_shape), keras.Input(input_shape)]
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(layers.add(inputs))))


def several_outputs(input_shape=IMAGE_SHAPE):
    """A model with two outputs."""
    inputs = keras.Input(input_shape)
    outputs = [layers.Dense(3)(layers.Flatten()(inputs)) for _ in range(2)]
    return keras.Model(inputs, outputs)


class Subclassed(keras.Model):
    """A subclassed classifier, whose layers are not accessible."""

    def __init__(self, activation="softmax"):
        super().__init__()
        self.flatten = layers.Flatten()
        self.hidden = layers.Dense(8, activation="relu")
        self.dropout = layers.Dropout(0.5)
        self.dense = layers.Dense(3)
        self.head = layers.Activation(activation)

    def call(self, inputs, training=False):
        hidden = self.hidden(self.flatten(inputs / 255))
        return self.head(self.dense(self.dropout(hidden, training=training)))


class SubclassedWithMethods(Subclassed):
    """A subclassed classifier with the methods `features` and `logits`."""

    def features(self, inputs):
        return self.hidden(self.flatten(inputs / 255))

    def logits(self, inputs):
        return self.dense(self.features(inputs))


class SubclassedWithLayers(keras.Model):
    """A subclassed classifier with layers under the names of those methods."""

    def __init__(self):
        super().__init__()
        self.features = keras.layers.Flatten()
        self.logits = keras.layers.Dense(3, "softmax")

    def call(self, inputs):
        return self.logits(self.features(inputs / 255))


def built(model, input_shape=IMAGE_SHAPE):
    """Call a model once, and return it."""
    model(np.zeros((1, *input_shape), "float32"))
    return model


def half_flat(images):
    """Logits of two classes that are constant where the first pixel is negative."""
    score = images[:, 1] - 3 * images[:, 2]
    logits = tf.stack([score, -score], axis=1)
    return tf.where(images[:, :1] > 0, logits, [[0.1, 0.0]])


half_flat.features = lambda images: images  # for DiverseDFAL
