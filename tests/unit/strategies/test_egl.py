import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from helpers import models
from helpers.parameters import slow_after
from keras import layers

import dfal_keras as dfal
from dfal_keras import strategies
from dfal_keras.backend import inference
from dfal_keras.backend.loss_gradients import gradient_lengths
from dfal_keras.strategies.uncertainty import entropy


@pytest.mark.parametrize("expectation", ["norm", "uniform"])
def test_egl_equals_a_loop_over_samples_and_classes(lenet5, digits, expectation):
    loss = keras.losses.SparseCategoricalCrossentropy()
    lengths = gradient_lengths(lenet5, digits[:6], expectation)
    for image, length in zip(digits[:6], lengths, strict=True):
        rows = []
        for label in range(10):
            with tf.GradientTape() as tape:
                value = loss(np.array([label]), lenet5(image[None]))
            parts = tape.gradient(value, [v.value for v in lenet5.trainable_variables])
            rows.append(np.concatenate([np.ravel(part) for part in parts]))
        if expectation == "uniform":
            expected = np.linalg.norm(np.mean(rows, axis=0))
        else:
            probabilities = np.array(lenet5(image[None]))[0]
            expected = probabilities @ np.linalg.norm(rows, axis=1)
        assert length == pytest.approx(expected, rel=1e-3)


def clipped_lengths(model, x, epsilon=1e-7):
    """Norm of the mean gradient of the clipped loss over one-hot targets, in a loop."""

    @tf.function  # half the time
    def gradient(image, label):
        with tf.GradientTape() as tape:
            probability = model(image, training=False)[0, label]
            loss = -tf.math.log(tf.clip_by_value(probability, epsilon, 1 - epsilon))
        weights = [variable.value for variable in model.trainable_variables]
        rows = tape.gradient(loss, weights)
        return tf.concat([tf.reshape(row, [-1]) for row in rows], axis=0)

    lengths = []
    for image in x:
        rows = [gradient(image[None], tf.constant(label)) for label in range(10)]
        lengths.append(np.linalg.norm(np.mean(np.asarray(rows, "float64"), axis=0)))
    return np.array(lengths)


@pytest.mark.parametrize("scale", slow_after(1, [2, None, 1, 10]))
def test_egl_uniform_is_the_gradient_of_the_clipped_loss(lenet5, digits, scale):
    """For an untrained network, a trained one, and overconfident ones."""
    keras.utils.set_random_seed(1)
    model = dfal.models.LeNet5(include_preprocessing=False)
    x = digits[:12]
    if scale is not None:
        *others, kernel, bias = lenet5.get_weights()
        model.set_weights([*others, kernel * scale, bias * scale])
    probabilities = inference.predict_probabilities(model, x)
    is_clipped = (probabilities < 1e-7) | (probabilities > 1 - 1e-7)
    shares = {None: (0, 0), 1: (0, 0.2), 2: (0.2, 0.8), 10: (0.8, 1)}
    low, high = shares[scale]
    assert low <= is_clipped.mean() <= high
    lengths = gradient_lengths(model, x, "uniform")
    assert lengths == pytest.approx(clipped_lengths(model, x), rel=1e-3, abs=1e-6)
    plain = gradient_lengths(model, x, "uniform", epsilon=0)
    is_whole = ~is_clipped.any(axis=1)
    assert lengths[is_whole] == pytest.approx(plain[is_whole], rel=1e-6)
    if scale == 2:
        assert (np.abs(lengths - plain) > 0.1 * plain).any()


def test_egl_uniform_of_a_certain_sample_is_zero():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, "softmax")])
    model.set_weights([np.zeros((4, 3)), np.array([100.0, 0, 0])])
    query = strategies.EGL(expectation="uniform").query(model, np.ones((3, 4)), 2)
    assert (query.scores == 0).all()
    plain = strategies.EGL(expectation="uniform", epsilon=0)
    assert (plain.query(model, np.ones((3, 4)), 2).scores > 0.5).all()


@pytest.mark.parametrize(
    ("logits", "label", "is_upper"),
    [([0.0, 0.5, 1.0], 0, False), ([0.0, 1.1], 1, True)],
)
def test_egl_uniform_counts_classes_at_the_limits_themselves(logits, label, is_upper):
    """The clip passes gradients at epsilon and 1 - epsilon: grad = (sum t) p - t.

    The limit is a probability as the network computes it, whose last bit depends on the
    processor, and then the next number.
    """
    num_classes = len(logits)
    dense = layers.Dense(num_classes, use_bias=False)
    model = keras.Sequential([keras.Input((1,)), dense])
    model.set_weights([np.array([logits])])
    x = np.ones((1, 1), "float32")
    p = tf.function(lambda x: tf.nn.softmax(model(x)[0]))(x).numpy()
    beyond = np.nextafter(p[label], np.float32(0 if is_upper else 1))
    for limit, is_counted in ((p[label], True), (beyond, False)):
        epsilon = 1 - float(limit) if is_upper else float(limit)
        counts = (p >= np.float32(epsilon)) & (p <= np.float32(1 - epsilon))
        assert counts[label] == is_counted
        t = counts / num_classes
        lengths = gradient_lengths(model, x, "uniform", epsilon=epsilon)
        assert lengths == pytest.approx([np.linalg.norm(t.sum() * p - t)], abs=1e-6)


def test_egl_equals_finite_differences():
    """For p = softmax(W x), with each entry of the gradient by central differences."""
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, "softmax")])
    x = np.random.default_rng(0).normal(size=(1, 4)).astype("float32")
    kernel, bias = model.get_weights()
    squares = np.zeros(3)
    step = 1e-2
    for weights in (kernel, bias):
        for place in np.ndindex(weights.shape):
            kept, losses = weights[place], []
            for sign in (1, -1):
                weights[place] = kept + sign * step
                model.set_weights([kernel, bias])
                losses.append(-np.log(np.array(model(x))[0]))
            weights[place] = kept
            squares += ((losses[0] - losses[1]) / (2 * step)) ** 2
    model.set_weights([kernel, bias])
    expected = np.array(model(x))[0] @ np.sqrt(squares)
    assert gradient_lengths(model, x, "norm")[0] == pytest.approx(expected, rel=1e-2)


def test_egl_readings_rank_the_opposite_way(lenet5, digits):
    """Settles' EGL prefers samples of high entropy, the first author's of low."""
    x = digits[:100]
    entropies = entropy(inference.predict_probabilities(lenet5, x))
    ranks = {
        expectation: pd.Series(gradient_lengths(lenet5, x, expectation)).corr(
            pd.Series(entropies), method="spearman"
        )
        for expectation in ("norm", "uniform")
    }
    assert ranks["norm"] > 0.9
    assert ranks["uniform"] < -0.3


def test_egl_is_traced_once(digits, traced_functions):
    model = dfal.models.LeNet5(include_preprocessing=False)
    for num_samples in (1, 20, 150):
        gradient_lengths(model, digits[:num_samples], "uniform")
    counts = [each.experimental_get_tracing_count() for each in traced_functions]
    assert counts == [1, 1]  # the logits and the norms


@pytest.mark.slow
def test_egl_sums_over_the_likeliest_classes():
    """Beyond ten classes, in both forms of the graph, against single classes."""
    keras.utils.set_random_seed(0)
    model = models.convolutional(layers.Softmax(), num_outputs=30)
    x = np.random.default_rng(0).uniform(0, 255, (3, 4, 4, 1)).astype("float32")
    probabilities = inference.predict_probabilities(model, x)
    weights = [variable.value for variable in model.trainable_variables]
    norms = np.empty((3, 30))
    for row, image in enumerate(x):
        for label in range(30):
            with tf.GradientTape() as tape:
                loss = -tf.math.log(model(image[None], training=False)[0, label])
            norms[row, label] = tf.linalg.global_norm(tape.gradient(loss, weights))
    order = np.argsort(-probabilities, axis=1)
    terms = np.take_along_axis(probabilities * norms, order, axis=1)
    for num_classes, size in ((None, 10), (3, 3), (20, 20), (30, 30), (99, 30)):
        lengths = gradient_lengths(model, x, "norm", num_classes=num_classes)
        assert lengths == pytest.approx(terms[:, :size].sum(axis=1), rel=1e-3)
