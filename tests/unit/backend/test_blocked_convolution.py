import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from dfal_keras.backend import blocked_convolution


def gradients(model, images, *, by_blocks):
    """Return gradients of a weighted sum of a model's outputs by the images."""

    @tf.function
    def compute(images):
        with blocked_convolution.gradients_by_blocks():
            outputs = model(images)
        return tf.gradients(weighted(outputs), images)[0]

    def weighted(outputs):
        weights = tf.random.stateless_normal(tf.shape(outputs), (1, 2))
        return tf.reduce_sum(outputs * weights)

    if by_blocks:
        return compute(images).numpy()
    with tf.GradientTape() as tape:
        tape.watch(images)
        value = weighted(model(images))
    return tape.gradient(value, images).numpy()


@pytest.mark.parametrize("num_channels", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 5},
        {"kernel_size": 5, "padding": "same"},
        {"kernel_size": (2, 3)},
        {"kernel_size": (2, 4), "padding": "same"},
        {"kernel_size": 1},
        {"kernel_size": 3, "strides": 2, "padding": "same"},
        {"kernel_size": 3, "dilation_rate": 2},
    ],
)
def test_is_the_gradient(num_channels, options):
    """Compare with TensorFlow's, on images whose sizes are not multiples of blocks."""
    model = keras.Sequential(
        [keras.Input((11, 14, num_channels)), layers.Conv2D(5, **options)]
    )
    images = tf.random.stateless_normal((3, 11, 14, num_channels), (0, 0))
    expected = gradients(model, images, by_blocks=False)
    assert np.abs(expected).max() > 0.1
    found = gradients(model, images, by_blocks=True)
    assert found == pytest.approx(expected, abs=1e-5)


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

        @tf.function(input_signature=[tf.TensorSpec((2, *shape))])
        def compute(images, model=model):
            with blocked_convolution.gradients_by_blocks():
                outputs = model(images)
            return tf.gradients(outputs, images)[0]

        compute(tf.zeros((2, *(size or 8 for size in shape))))
        assert len(calls) == num_calls, (shape, options)
