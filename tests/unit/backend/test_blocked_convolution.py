import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers.parameters import slow_after
from keras import layers

from dfal_keras.backend import blocked_convolution, keras_graph


def with_blocked_gradients(model):
    """Return the function that a model computes, traced for its own input shape."""
    graph = model.inputs, model.outputs
    return tf.function(
        lambda images: keras_graph.compute(graph, [images], blocked_convolution.call)[
            0
        ],
        input_signature=[tf.TensorSpec(model.inputs[0].shape)],
    )


def gradients(model, images):
    """Return gradients of a weighted sum of a model's outputs by the images."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        outputs = tf.cast(model(images), tf.float32)
        weights = tf.random.stateless_normal(tf.shape(outputs), (1, 2))
        value = tf.reduce_sum(outputs * weights)
    return tape.gradient(value, images).numpy()


@pytest.mark.parametrize("num_channels", slow_after(2, [1, 2, 3, 4]))
@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 5},
        {"kernel_size": 5, "padding": "same", "activation": "relu"},
        {"kernel_size": (2, 3), "use_bias": False},
        {"kernel_size": (2, 4), "padding": "same"},
        {"kernel_size": 1},
        {"kernel_size": 3, "strides": 2, "padding": "same"},
        {"kernel_size": 3, "dilation_rate": 2},
    ],
)
def test_is_the_gradient(num_channels, options):
    """Compare with TensorFlow's, on images whose sizes are not multiples of blocks."""
    model = keras.Sequential(
        [
            keras.Input((11, 14, num_channels)),
            layers.Conv2D(5, bias_initializer="normal", **options),
        ]
    )
    blocked = with_blocked_gradients(model)
    images = tf.random.stateless_normal((3, 11, 14, num_channels), (0, 0))
    assert np.array_equal(blocked(images), model(images))
    expected = gradients(model, images)
    assert np.abs(expected).max() > 0.1
    assert gradients(blocked, images) == pytest.approx(expected, abs=1e-5)


def test_uses_blocks_where_possible(monkeypatch):
    """Strides, many channels and unknown sizes use TensorFlow's gradient."""
    calls = []
    original = blocked_convolution.by_blocks
    monkeypatch.setattr(
        blocked_convolution, "by_blocks", lambda *a: calls.append(a) or original(*a)
    )
    for shape, options, num_calls in [
        ((8, 8, 1), {}, 1),
        ((8, 8, 3), {"padding": "same"}, 2),
        ((8, 8, 4), {}, 2),
        ((8, 8, 1), {"strides": 2}, 2),
        ((None, None, 1), {}, 2),
    ]:
        model = keras.Sequential([keras.Input(shape), layers.Conv2D(2, 3, **options)])
        blocked = with_blocked_gradients(model)
        gradients(blocked, tf.zeros((2, *(size or 8 for size in shape))))
        assert len(calls) == num_calls, (shape, options)


def test_follows_the_weights_of_the_model():
    """Training changes the weights in place; the clone has none of its own."""
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3)])
    blocked = with_blocked_gradients(model)
    images = tf.ones((1, 8, 8, 1))
    model.set_weights([np.full_like(weights, 2) for weights in model.get_weights()])
    assert np.array_equal(blocked(images), np.full((1, 6, 6, 2), 20))
    expected = gradients(model, images)
    assert gradients(blocked, images) == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_branches_and_shared_layers(halves):
    """A convolution that is called twice, in a functional model with a sum."""
    inputs = keras.Input((8, 8, 1))
    shared = layers.Conv2D(2, 3, padding="same")
    outputs = layers.add([shared(inputs), shared(layers.Rescaling(2.0)(inputs))])
    model = keras.Model(inputs, layers.Flatten()(outputs))
    blocked = with_blocked_gradients(model)
    images = tf.random.stateless_normal((3, 8, 8, 1), (0, 0))
    assert gradients(blocked, images) == pytest.approx(
        gradients(model, images), abs=1e-5
    )


def test_mixed_precision():
    policy = keras.DTypePolicy("mixed_float16")
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Conv2D(2, 3, dtype=policy)]
    )
    blocked = with_blocked_gradients(model)
    images = tf.random.stateless_normal((3, 8, 8, 1), (0, 0))
    assert np.array_equal(blocked(images), model(images))
    assert gradients(blocked, images) == pytest.approx(
        gradients(model, images), abs=1e-2
    )
