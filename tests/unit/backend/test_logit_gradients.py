import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers.parameters import slow_after

import dfal_keras as dfal
from dfal_keras.backend import classifier, logit_gradients


@pytest.fixture(scope="module")
def lenet5_100():
    """An untrained LeNet5 of 100 classes."""
    keras.utils.set_random_seed(0)
    return dfal.models.LeNet5((28, 28, 1), 100, include_preprocessing=False)


def traced(model, num_compared):
    logits = classifier.logits_for_gradients(model)
    return tf.function(
        lambda images, classes: logit_gradients.margins(logits, images, classes),
        input_signature=[
            tf.TensorSpec((None, 28, 28, 1)),
            tf.TensorSpec((None, num_compared), tf.int32),
        ],
    )


def likeliest(model, images, num_compared):
    order = np.argsort(-classifier.logits(model)(images).numpy(), axis=1)
    return order[:, :num_compared].astype("int32")


@pytest.mark.parametrize("num_compared", slow_after(1, [10, 2, 30]))
def test_both_forms_are_equal_and_the_jacobian(
    lenet5_100, digits, num_compared, monkeypatch
):
    images = digits[:6]
    classes = likeliest(lenet5_100, images, num_compared)
    found = []
    for limit in (num_compared, 0):
        monkeypatch.setattr(logit_gradients, "MAX_UNROLLED", limit)
        found.append(traced(lenet5_100, num_compared)(images, classes))
    (differences, gradients), (copied_differences, copied_gradients) = found
    assert copied_differences.numpy() == pytest.approx(differences.numpy(), abs=1e-6)
    assert copied_gradients.numpy() == pytest.approx(gradients.numpy(), abs=1e-6)

    inputs = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        logits = classifier.logits(lenet5_100)(inputs)
    jacobian = tape.batch_jacobian(logits, inputs).numpy().reshape(6, 100, -1)
    rows = np.arange(6)[:, None]
    logits = logits.numpy()
    assert differences.numpy() == pytest.approx(
        logits[rows, classes[:, 1:]] - logits[rows, classes[:, :1]], abs=1e-6
    )
    expected = jacobian[rows, classes[:, 1:]] - jacobian[rows, classes[:, :1]]
    assert gradients.numpy() == pytest.approx(expected, abs=1e-5)


def test_the_graph_does_not_grow_with_the_number_of_classes(lenet5_100):
    sizes = [
        len(
            traced(lenet5_100, num_compared)
            .get_concrete_function()
            .graph.as_graph_def()
            .node
        )
        for num_compared in (20, 100)
    ]
    assert sizes[0] == sizes[1] < 1000
