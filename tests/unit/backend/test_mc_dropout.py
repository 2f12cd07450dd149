import keras
import numpy as np
import pytest
from keras import layers

from dfal_keras.backend import mc_dropout, noise


class Counting(layers.Layer):
    """Counts the images that pass through it, and leaves them as they are."""

    def __init__(self, **options):
        super().__init__(**options)
        self.counter = self.add_weight(name="counter", initializer="zeros")
        self.counter.trainable = False

    def call(self, inputs):
        rows = keras.ops.cast(keras.ops.shape(inputs)[0], "float32")
        self.counter.assign_add(rows)
        return inputs


def predict(model, x, num_samples=7, seed=0):
    rng = np.random.default_rng(seed)
    return mc_dropout.predict_scores(model, x, num_samples=num_samples, rng=rng)


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(5, 8)).astype("float32")


def test_layers_before_the_noise_run_once_per_image(x):
    counts = [Counting(), Counting()]
    model = keras.Sequential(
        [keras.Input((8,)), layers.Dense(6), counts[0]]
        + [layers.Dropout(0.5), counts[1], layers.Dense(3)]
    )
    predict(model, x)  # which checks the model on the images
    before = [float(one.counter) for one in counts]
    predict(model, x)
    after = [float(one.counter) for one in counts]
    assert np.subtract(after, before).tolist() == [5, 35]


def test_passes_equal_single_passes_of_the_repeated_images(x):
    """Noise after a deterministic part, against the same noise on repeated images."""
    head = [layers.Dropout(0.5, seed=1), layers.Dense(3)]
    body = layers.Dense(6, activation="relu")
    model = keras.Sequential([keras.Input((8,)), body, *head])
    from_features = keras.Sequential([keras.Input((6,)), *head])
    features = np.asarray(body(x))
    # There, noise is the first layer: everything is repeated.
    assert np.array_equal(predict(model, x), predict(from_features, features))


def test_branches_of_which_one_is_noisy(x):
    inputs = keras.Input((8,))
    hidden = layers.Dense(6)(inputs)
    noisy = layers.Dropout(0.5)(hidden)
    outputs = layers.add([layers.Dense(3)(noisy), layers.Dense(3, name="calm")(hidden)])
    model = keras.Model(inputs, outputs)
    passes = predict(model, x, num_samples=400)
    assert passes.shape == (400, 5, 3)
    assert (passes.std(axis=0) > 0).all()
    # Dropout keeps expectations: the mean of the passes is the prediction.
    error = passes.std(axis=0) / 20
    assert (np.abs(passes.mean(axis=0) - model.predict(x, verbose=0)) < 5 * error).all()


def test_noise_inside_a_nested_model(x):
    inner = keras.Sequential([keras.Input((6,)), layers.Dropout(0.5), layers.Dense(4)])
    model = keras.Sequential([keras.Input((8,)), layers.Dense(6), inner])
    passes = predict(model, x)
    assert passes.shape == (7, 5, 4)
    assert (passes.std(axis=0) > 0).all()


class OwnAttention(layers.Attention):
    """A layer of Keras with its dropout, in a class of the user."""


class OwnDropout(layers.Dropout):
    pass


class StochasticDepth(layers.Layer):
    """As in ConvNeXt: drops the branch of an image, without a seed."""

    drop_path_rate = 0.5

    def call(self, inputs, training=None):
        if training:
            shape = keras.ops.shape(inputs)[0], 1
            return inputs * keras.ops.round(keras.random.uniform(shape)) * 2
        return inputs


class Number(layers.Layer):
    """A layer in which `dropout` is something else."""

    dropout = 0.5


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.Attention(dropout=0.3), True),
        (OwnAttention(dropout=0.3), True),
        (OwnAttention(), False),
        (OwnDropout(0.2), True),
        (layers.Dense(2), False),
        (Number(), False),
        (StochasticDepth(), False),
    ],
)
def test_noise_is_that_of_keras_also_in_classes_of_the_user(layer, expected):
    assert noise.is_active(layer) is expected


def test_stochastic_depth_is_noise_if_it_is_dropout(x):
    """Each pass keeps the branch of an image, doubled, or drops it."""
    inputs = keras.Input((8,))
    branch = layers.Dense(8)(inputs)
    branch = StochasticDepth()(layers.Dropout(0.5, noise_shape=(None, 1))(branch))
    model = keras.Model(inputs, inputs + branch)
    kept = x + 2 * (model.predict(x, verbose=0) - x)
    passes = predict(model, x, num_samples=20)
    is_kept = np.isclose(passes, kept, atol=1e-5).all(axis=2)
    is_dropped = np.isclose(passes, x, atol=1e-5).all(axis=2)
    assert (is_kept ^ is_dropped).all()
    assert is_kept.any(axis=0).all()
    assert is_dropped.any(axis=0).all()
    with pytest.raises(ValueError, match="layers of noise"):
        predict(keras.Sequential([keras.Input((8,)), StochasticDepth()]), x)
