"""Diverse DFAL, against a literal farthest-first traversal."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers.models import half_flat

import dfal_keras as dfal
from dfal_keras.strategies import DFAL, DiverseDFAL


def literal(model, x, num_queries, num_closest):
    """The queries by the definition, one sample at a time."""
    attack = dfal.deepfool(model, x)
    closest = np.argsort(attack.norms)[:num_closest]
    penultimate = keras.Model(model.inputs, model.get_layer("logits").input)
    features = penultimate([x[closest] + attack.perturbations[closest]]).numpy()
    chosen = [0]
    while len(chosen) < num_queries:
        distances = [
            min(np.linalg.norm(feature - features[j]) for j in chosen)
            for feature in features.astype(float)
        ]
        chosen.append(int(np.argmax(distances)))
    return closest[chosen]


@pytest.mark.parametrize(
    ("oversampling", "num_closest"), [(3, 30), (None, 24), (9, 60)]
)
def test_queries_are_those_of_the_definition(lenet5, digits, oversampling, num_closest):
    """By default, the square root of 10 * 60 is 24.5 candidates."""
    x = digits[:60]
    query = DiverseDFAL(oversampling=oversampling).query(lenet5, x, 10)
    expected = literal(lenet5, x, 10, num_closest)
    assert list(query.indices) == list(expected)
    attack = dfal.deepfool(lenet5, x)
    assert query.scores == pytest.approx(attack.norms[expected], rel=1e-4)
    examples = x[expected] + attack.perturbations[expected]
    assert query.companions == pytest.approx(examples, abs=1e-4)
    assert (query.companion_rows == np.arange(10)).all()


@pytest.mark.parametrize(("oversampling", "num_queries"), [(1, 10), (None, 1)])
def test_without_a_choice_it_is_dfal(lenet5, digits, oversampling, num_queries):
    strategy = DiverseDFAL(oversampling=oversampling)
    query = strategy.query(lenet5, digits[:60], num_queries)
    expected = DFAL().query(lenet5, digits[:60], num_queries)
    assert (query.indices == expected.indices).all()
    # Batches of another size round differently.
    assert query.companions == pytest.approx(expected.companions, abs=1e-4)


@pytest.fixture
def two_places():
    """A model of two features, and samples near its boundary at two places of it.

    The boundary is where the first feature is zero. Along it, the second feature is 0
    for the first 20 samples, which are closer, and 9 for the others.
    """
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 0.1, (40, 2)).astype("float32")
    x[:, 0] += np.repeat([0.1, 0.3], 20)
    x[20:, 1] += 9
    inputs = keras.Input((2,))
    outputs = keras.layers.Dense(2)(keras.layers.Identity()(inputs))
    model = keras.Model(inputs, outputs)
    model.set_weights([np.array([[1.0, -1.0], [0.0, 0.0]]), np.zeros(2)])
    return model, x


def test_it_queries_at_both_places_where_dfal_stays_at_one(two_places):
    model, x = two_places
    assert DFAL().query(model, x, 2).indices.max() < 20
    first, second = DiverseDFAL(oversampling=20).query(model, x, 2).indices
    assert first == x[:, 0].argmin()
    assert second >= 20


def test_unfooled_samples_come_last(halves):
    """As for DFAL: 7 of 20 can be fooled. Too few are left to choose from."""
    rng = np.random.default_rng(0)
    query = DiverseDFAL().query(half_flat, halves, 10, rng=rng)
    expected = DFAL().query(half_flat, halves, 10, rng=np.random.default_rng(0))
    assert (query.indices == expected.indices).all()
    assert len(query.companion_rows) == 7


def test_without_adversarial_examples_the_queries_are_the_same(lenet5, digits):
    query = DiverseDFAL(adversarial=False).query(lenet5, digits[:60], 10)
    expected = DiverseDFAL().query(lenet5, digits[:60], 10)
    assert (query.indices == expected.indices).all()
    assert query.companions is None


def test_a_model_without_features_is_refused():
    def model(images):
        return tf.stack([images[:, 0], images[:, 1], images[:, 0] * 0], axis=1)

    x = np.random.default_rng(0).uniform(size=(40, 4)).astype("float32")
    with pytest.raises(ValueError, match=r"`model`.*Received: "):
        DiverseDFAL().query(model, x, 5)
