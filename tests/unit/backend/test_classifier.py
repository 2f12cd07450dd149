import gc
import weakref

import keras
import numpy as np
import pytest
from helpers import models
from helpers.parameters import slow_after
from keras import layers

import dfal_keras as dfal
from dfal_keras.backend import classifier, evaluation, inference

IMAGES = np.random.default_rng(0).normal(size=(7, 5)).astype("float32")


def functional(*tail):
    inputs = outputs = keras.Input((5,))
    for layer in [layers.Dense(4, activation="relu"), *tail]:
        outputs = layer(outputs)
    return keras.Model(inputs, outputs)


def subclassed(kind, activation=None):
    return models.built(kind(activation), (5,))


def log_softmax(outputs):
    return outputs - np.log(np.exp(outputs).sum(axis=1, keepdims=True))


@pytest.mark.parametrize(
    "make",
    [
        lambda: functional(layers.Dense(3), layers.Softmax()),
        lambda: functional(layers.Dense(3), layers.Activation("softmax")),
        lambda: functional(layers.Dense(3, activation="softmax")),
        lambda: functional(
            layers.BatchNormalization(), layers.Dense(3), layers.Softmax()
        ),
        lambda: keras.Sequential(
            [keras.Input((5,)), layers.Dense(3, activation="softmax")]
        ),
        lambda: subclassed(models.SubclassedWithMethods, "softmax"),
    ],
)
def test_logits_are_the_input_of_a_softmax(make):
    model = make()
    logits = np.array(classifier.logits(model)(IMAGES))
    probabilities = np.array(model(IMAGES))
    assert log_softmax(logits) == pytest.approx(np.log(probabilities), abs=1e-5)


LINEAR = [
    lambda: functional(layers.Dense(3)),
    lambda: subclassed(models.Subclassed),
]


@pytest.mark.parametrize("make", LINEAR)
def test_linear_outputs_are_logits(make):
    model = make()
    logits = np.array(classifier.logits(model)(IMAGES))
    assert logits == pytest.approx(np.array(model(IMAGES)))


def test_single_sigmoid_is_two_classes():
    model = functional(layers.Dense(1, activation="sigmoid"))
    one = np.array(model(IMAGES))[:, 0]
    assert inference.predict_probabilities(model, IMAGES) == pytest.approx(
        np.stack([1 - one, one], axis=1), abs=1e-6
    )


def test_probabilities_of_a_subclassed_model_are_used_as_they_are():
    model = subclassed(models.Subclassed, "softmax")
    assert inference.predict_probabilities(model, IMAGES) == pytest.approx(
        np.array(model(IMAGES)), abs=1e-6
    )


def test_predictions_do_not_depend_on_the_batch_size(lenet5, digits):
    whole = inference.predict_logits(lenet5, digits)
    assert inference.predict_logits(lenet5, digits, batch_size=7) == pytest.approx(
        whole, abs=1e-4
    )


def test_evaluate_agrees_with_keras(lenet5, mnist):
    x, y = mnist[1][0][:500] / 255, mnist[1][1][:500]
    loss, accuracy, *_ = evaluation.evaluate(lenet5, x, y)
    outputs = lenet5.predict(x, verbose=0)
    assert accuracy == (outputs.argmax(axis=1) == y).mean()
    expected = keras.losses.sparse_categorical_crossentropy(y, outputs)
    assert loss == pytest.approx(np.mean(expected), rel=1e-5)


@pytest.mark.parametrize("make", slow_after(1, LINEAR))
def test_what_is_traced_for_a_model_is_freed_with_it(make):
    model = make()
    dfal.deepfool(model, IMAGES)
    alive = weakref.ref(model)
    del model
    keras.backend.clear_session()
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: models.several_inputs((5,)), "single input.*2 inputs"),
        (lambda: models.several_outputs((5,)), "single output.*2 outputs"),
        (lambda: keras.Sequential([layers.Dense(3)]), "must be built"),
        (lambda: functional(layers.Dense(3, activation="sigmoid")), "3 sigmoid units"),
        (lambda: "lenet5", "`model`.*Received: 'lenet5'"),
    ],
)
def test_models_that_are_rejected(make, message):
    model = make()
    for use in (
        lambda: dfal.strategies.Uncertainty().query(model, IMAGES, num_queries=2),
        lambda: dfal.deepfool(model, IMAGES),
        lambda: evaluation.evaluate(model, IMAGES, np.zeros(7, int)),
    ):
        with pytest.raises(ValueError, match=message):
            use()


class Unit(keras.layers.Layer):
    """A single unit whose outputs are in [0, 1], by an operation of its own."""

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], 1))

    def call(self, inputs):
        return keras.ops.sigmoid(inputs @ self.kernel)


class Doubled(layers.Layer):
    """A layer with weights that is not understood."""

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(), initializer="ones")

    def call(self, inputs):
        return 2 * self.scale * inputs


@pytest.mark.parametrize("from_logits", [False, True])
def test_a_loss_of_logits_tells_what_a_single_output_is(from_logits):
    """The outputs, in [0, 1], may be probabilities or the logits of them."""
    model = keras.Sequential([keras.Input((4,)), Unit()])
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=from_logits))
    x = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
    outputs = model.predict(x, verbose=0)
    expected = 1 / (1 + np.exp(-outputs)) if from_logits else outputs
    found = inference.predict_probabilities(model, x)
    np.testing.assert_allclose(found[:, 1:], expected, atol=1e-6)
    if from_logits:
        inference.check_returns_logits(model)
    else:
        with pytest.raises(ValueError, match="must return logits"):
            inference.check_returns_logits(model)


@pytest.mark.parametrize("activation", [None, "tanh"])
@pytest.mark.parametrize(
    "loss",
    [
        "binary_crossentropy",
        keras.losses.BinaryCrossentropy(),
        keras.losses.binary_focal_crossentropy,
        "mse",
        keras.losses.Huber(),
        keras.losses.BinaryCrossentropy(from_logits=True),
        "hinge",
    ],
)
def test_a_logit_under_a_loss_of_probabilities_is_refused(loss, activation):
    """Keras trains such outputs as probabilities: their sign is no class."""
    model = functional(layers.Dense(1, activation))
    model.compile("adam", loss)
    if loss == "hinge" or getattr(loss, "from_logits", False):
        classifier.check_model(model)
        return
    with pytest.raises(ValueError, match="`model` must.*from_logits=True"):
        classifier.check_model(model)


def test_a_unit_of_unknown_kind_under_a_loss_of_probabilities_is_refused():
    model = keras.Sequential([keras.Input((4,)), Unit(), Doubled()])
    model.compile("adam", "binary_crossentropy")
    x = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
    with pytest.raises(ValueError, match="`model` must.*from_logits=True"):
        inference.predict_probabilities(model, 5 * x)
