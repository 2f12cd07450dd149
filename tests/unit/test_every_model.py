"""Everything that ranks, for every model of the table: as the model says, or refused.

What is expected is computed from `model.predict` alone.
"""

import numpy as np
import pytest
import tensorflow as tf
from helpers import every_model, model_table
from helpers.every_model import REFUSED, TYPICAL, USABLE, made, named, said, tolerance
from helpers.model_table import TABLE

import dfal_keras as dfal
from dfal_keras.backend import (
    evaluation,
    inference,
    keras_graph,
    mc_dropout,
    output_kinds,
)
from dfal_keras.labeling import networks
from dfal_keras.strategies.bald import mutual_information
from dfal_keras.strategies.uncertainty import entropy


@pytest.fixture(scope="module")
def x(blobs):
    return blobs[0][:40]


@pytest.mark.parametrize("name", named(USABLE))
def test_probabilities_are_what_the_model_says(name, x):
    found = inference.predict_probabilities(made(name), x)
    np.testing.assert_allclose(found, said(name, x), atol=tolerance(name))


@pytest.mark.parametrize("name", named(USABLE, TYPICAL))
def test_a_test_counts_the_classes_that_the_model_says(name, x, blobs):
    expected = said(name, x)
    labels = blobs[1][:40] % expected.shape[1]
    found = evaluation.evaluate(made(name), x, labels)
    ranked = np.sort(expected, axis=1)
    num_close = (ranked[:, -1] - ranked[:, -2] < tolerance(name)).sum()
    right = (expected.argmax(axis=1) == labels).mean()
    assert found.accuracy == pytest.approx(right, abs=num_close / 40 + 1e-9)
    loss = -np.log(expected[np.arange(40), labels]).mean()
    assert found.loss == pytest.approx(loss, rel=10 * tolerance(name))


@pytest.mark.parametrize("name", named(USABLE))
def test_the_most_uncertain_are_those_of_the_model(name, x):
    expected = entropy(said(name, x))
    query = dfal.strategies.Uncertainty().query(made(name), x, 10)
    error = 5 * tolerance(name)
    np.testing.assert_allclose(query.scores, np.sort(expected)[:-11:-1], atol=error)
    np.testing.assert_allclose(query.scores, expected[query.indices], atol=error)


@pytest.mark.parametrize("name", named(USABLE, TYPICAL))
def test_pseudo_labels_are_those_of_the_model(name, x):
    expected = said(name, x)
    threshold = np.quantile(entropy(expected), 0.4)
    query = dfal.strategies.CEAL(threshold=threshold).query(made(name), x, 10)
    is_clear = entropy(expected) < threshold - 5 * tolerance(name)
    assert set(np.flatnonzero(is_clear)) <= set(query.pseudo_indices)
    rows = expected[query.pseudo_indices]
    chosen = rows[np.arange(len(rows)), query.pseudo_labels]
    assert (chosen >= rows.max(axis=1) - tolerance(name)).all()


@pytest.mark.parametrize("name", named(USABLE, TYPICAL))
def test_gradient_lengths_are_those_of_the_models_loss(name, x):
    entry, model, x = TABLE[name], made(name), x[:3].astype("float32")
    strategy = dfal.strategies.EGL()
    if not entry.has_logits:
        with pytest.raises(ValueError, match="`model` must return logits"):
            strategy.query(model, x, 3)
        return
    query = strategy.query(model, x, 3)
    expected = np.zeros(3)
    for row in range(3):
        with tf.GradientTape(persistent=True) as tape:
            outputs = tf.cast(model(x[row : row + 1], training=False), tf.float64)[0]
            if entry.outputs in ("logit", "sigmoid"):
                ones = tf.sigmoid(outputs) if entry.outputs == "logit" else outputs
                outputs = tf.concat([1 - ones, ones], axis=0)
            elif entry.outputs == "logits":
                outputs = tf.nn.softmax(outputs)
            losses = [-tf.math.log(p) for p in tf.unstack(outputs)]
        weights = [variable.value for variable in model.trainable_variables]
        for p, loss in zip(outputs, losses, strict=True):
            gradients = [
                gradient
                for gradient in tape.gradient(loss, weights)
                if gradient is not None
            ]
            expected[row] += float(p) * float(tf.linalg.global_norm(gradients))
    found = np.empty(3)
    found[query.indices] = query.scores
    np.testing.assert_allclose(
        found, expected, rtol=0.1 if tolerance(name) > 1e-3 else 1e-2
    )


@pytest.mark.parametrize("name", named(USABLE, (*TYPICAL, "LSTM with dropout")))
def test_stochastic_passes_are_around_what_the_model_says(name, x):
    """With rates of almost zero they equal it; with the model's they differ."""
    entry, model = TABLE[name], made(name)
    strategy = dfal.strategies.BALD(num_samples=3)
    if not entry.dropout:
        with pytest.raises(ValueError, match="`model`.*Monte Carlo dropout"):
            strategy.query(model, x, 5)
        return
    before = model.get_weights()
    query = strategy.query(model, x, 5, rng=np.random.default_rng(0))
    after = model.get_weights()
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    assert (query.scores > 0).all()
    rates = every_model.rates_of_dropout(model)
    try:
        for layer, attribute, _ in rates:
            setattr(layer, attribute, 1e-9)
        passes = mc_dropout.predict_scores(
            model, x, num_samples=2, rng=np.random.default_rng(0)
        )
    finally:
        for layer, attribute, value in rates:
            setattr(layer, attribute, value)
    probabilities = output_kinds.to_probabilities(model, passes)
    assert mutual_information(probabilities).max() < max(1e-3, tolerance(name))
    # In bfloat16, a rate of almost zero drops one unit of some hundreds.
    is_close = np.abs(probabilities - said(name, x)) < tolerance(name)
    assert is_close.mean() > (0.9 if tolerance(name) > 0.01 else 1 - 1e-9)


@pytest.mark.parametrize("name", named(USABLE, TYPICAL))
def test_a_new_class_leaves_the_others_as_they_are(name, x):
    entry, model = TABLE[name], made(name)
    if not entry.widens or entry.outputs not in ("softmax", "logits", "probabilities"):
        with pytest.raises(ValueError, match="to add a class"):
            networks.widen(model, 5)
        return
    wider = networks.widen(model, 5)
    outputs = wider.predict(x, verbose=0)
    assert outputs.shape == (40, 5)
    found = model_table.class_probabilities(outputs, entry.outputs)
    found = found[:, :3] / found[:, :3].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, said(name, x), atol=tolerance(name))


@pytest.mark.parametrize("name", named(USABLE))
def test_the_loss_of_a_session_fits_the_outputs(name, x):
    expected = TABLE[name].outputs in ("logits", "logit")
    if keras_graph.is_functional(made(name)):
        assert inference.returns_logits(made(name), x) == expected


@pytest.mark.parametrize("name", named(REFUSED))
def test_a_model_without_class_probabilities_is_refused(name, x, blobs):
    model, message = made(name), TABLE[name].outputs
    labels = blobs[1][:40] % 2
    for use in (
        lambda: evaluation.evaluate(model, x, labels),
        lambda: dfal.deepfool(model, x),
        lambda: dfal.strategies.Uncertainty().query(model, x, 5),
        lambda: dfal.strategies.CEAL().query(model, x, 5),
        lambda: dfal.strategies.DFAL().query(model, x, 5),
        lambda: dfal.strategies.EGL().query(model, x, 5),
        lambda: dfal.strategies.BALD().query(model, x, 5),
    ):
        with pytest.raises(ValueError, match=f"`model`.*{message}"):
            use()
