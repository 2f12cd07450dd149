import gc
import weakref

import keras
import numpy as np
import pytest
from keras import layers

import dfal_keras as dfal
from dfal_keras.backend import classifier, inference

IMAGES = np.random.default_rng(0).normal(size=(7, 5)).astype("float32")


class Subclassed(keras.Model):
    def __init__(self, activation=None):
        super().__init__()
        self.dense = layers.Dense(3)
        self.head = layers.Activation(activation)

    def call(self, inputs):
        return self.head(self.dense(inputs))


class WithLogits(Subclassed):
    def logits(self, inputs):
        return self.dense(inputs)


def functional(*tail):
    inputs = outputs = keras.Input((5,))
    for layer in [layers.Dense(4, activation="relu"), *tail]:
        outputs = layer(outputs)
    return keras.Model(inputs, outputs)


def built(model):
    model(IMAGES)
    return model


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
        lambda: built(WithLogits("softmax")),
    ],
)
def test_logits_behind_a_softmax(make):
    model = make()
    logits = np.array(classifier.logits(model)(IMAGES))
    probabilities = np.array(model(IMAGES))
    assert not inference.are_probabilities(logits)
    assert log_softmax(logits) == pytest.approx(np.log(probabilities), abs=1e-5)


@pytest.mark.parametrize("make", [lambda: functional(layers.Dense(3)), Subclassed])
def test_linear_outputs_are_logits(make):
    model = built(make())
    logits = np.array(classifier.logits(model)(IMAGES))
    assert logits == pytest.approx(np.array(model(IMAGES)))


def test_single_sigmoid_is_two_classes():
    model = functional(layers.Dense(1, activation="sigmoid"))
    one = np.array(model(IMAGES))[:, 0]
    assert inference.predict_probabilities(model, IMAGES) == pytest.approx(
        np.stack([1 - one, one], axis=1), abs=1e-6
    )


def test_opaque_probabilities_are_used_as_they_are():
    model = built(Subclassed("softmax"))
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
    loss, accuracy = inference.evaluate(lenet5, x, y)
    outputs = lenet5.predict(x, verbose=0)
    assert accuracy == (outputs.argmax(axis=1) == y).mean()
    expected = keras.losses.sparse_categorical_crossentropy(y, outputs)
    assert loss == pytest.approx(np.mean(expected), rel=1e-5)


@pytest.mark.parametrize(
    "make", [lambda: functional(layers.Dense(3)), lambda: built(Subclassed())]
)
def test_what_is_compiled_for_a_model_is_freed_with_it(make):
    model = make()
    dfal.deepfool(model, IMAGES)
    alive = weakref.ref(model)
    del model
    keras.backend.clear_session()
    gc.collect()
    assert alive() is None


def several_inputs():
    inputs = [keras.Input((5,)), keras.Input((5,))]
    return keras.Model(inputs, layers.Dense(3)(layers.add(inputs)))


def several_outputs():
    inputs = keras.Input((5,))
    return keras.Model(inputs, [layers.Dense(3)(inputs), layers.Dense(3)(inputs)])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (several_inputs, "single input.*2 inputs"),
        (several_outputs, "single output.*2 outputs"),
        (lambda: keras.Sequential([layers.Dense(3)]), "must be built"),
        (lambda: functional(layers.Dense(3, activation="sigmoid")), "3 sigmoid units"),
        (lambda: "lenet5", "`model`.*Received: 'lenet5'"),
    ],
)
def test_models_that_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        dfal.strategies.Uncertainty().query(make(), IMAGES, num_queries=2)
