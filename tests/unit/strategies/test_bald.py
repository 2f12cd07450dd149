import keras
import numpy as np
import pytest
from keras import layers
from skactiveml.pool import average_kl_divergence

from dfal_keras import strategies
from dfal_keras.backend import mc_dropout
from dfal_keras.strategies.bald import mutual_information


@pytest.fixture(scope="module")
def noisy():
    """Return a linear model of pixels with dropout, whose noise has a closed form."""
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dropout(0.25), layers.Dense(2, use_bias=False)]
    )
    model.build()
    return model


def test_bald_samples_dropout_and_nothing_else(noisy):
    """Dropout sets a pixel to 0 or x / (1 - p): Var f = sum w^2 x^2 p / (1 - p)."""
    x = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    passes = mc_dropout.predict_scores(
        noisy, x, num_samples=4000, rng=np.random.default_rng(0)
    )
    weights = np.array(noisy.layers[-1].kernel)
    assert passes.shape == (4000, 5, 2)
    assert passes.mean(axis=0) == pytest.approx(x @ weights, abs=0.08)
    assert passes.var(axis=0) == pytest.approx(x**2 @ weights**2 / 3, rel=0.1)


def test_bald_runs_batch_normalization_and_augmentation_as_in_inference(blobs):
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.Sequential([layers.RandomFlip(), layers.RandomTranslation(0.5, 0.5)]),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(1e-12),
            layers.Dense(3),
        ]
    )
    model.compile("adam", "mse")
    model.fit(blobs[0], np.zeros((300, 3)), verbose=0)
    x = blobs[0][:9]
    rng = np.random.default_rng(0)
    passes = mc_dropout.predict_scores(model, x, num_samples=3, rng=rng)
    expected = np.array(model(x, training=False))
    assert passes == pytest.approx(np.stack([expected] * 3), rel=1e-4, abs=1e-5)


def test_bald_needs_noise():
    silent = keras.Sequential([keras.Input((6,)), layers.Dense(2)])
    with pytest.raises(ValueError, match="must have layers of noise"):
        strategies.BALD().query(silent, np.zeros((9, 6)), 2)


def test_mutual_information_equals_scikit_activeml():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(4, 0.3), size=(10, 50))
    ours = mutual_information(probabilities)
    assert ours == pytest.approx(average_kl_divergence(probabilities), abs=1e-6)


def test_mutual_information_of_certain_samples_is_zero_not_nan():
    one_hot = np.eye(3)[np.zeros((10, 4), int)]
    one_hot[::2, 3] = [0, 1, 0]  # half of the networks disagree
    scores = mutual_information(one_hot)
    assert scores[:3] == pytest.approx(np.zeros(3))
    assert scores[3] == pytest.approx(np.log(2))


def test_equal_passes_give_a_random_query_and_a_warning(noisy, caplog):
    model = keras.models.clone_model(noisy)
    model.set_weights([np.zeros((6, 2))])
    x = np.ones((50, 6), "float32")
    queries = [
        strategies.BALD().query(model, x, 9, rng=np.random.default_rng(seed))
        for seed in (0, 0, 1)
    ]
    first, again, other = (set(query.indices) for query in queries)
    assert first == again != other
    assert len(first) == 9
    assert not queries[0].scores.any()
    assert "passes are equal" in caplog.text


def test_equal_probabilities_of_different_logits_give_a_random_query(caplog):
    """A saturated softmax: dropout changes the logits, not the probabilities."""
    inputs = keras.Input((4,))
    value = keras.layers.Dropout(0.5)(inputs)
    logits = keras.layers.Dense(2, kernel_initializer="ones", name="logits")(value)
    logits = keras.layers.Rescaling(1.0, offset=[0.0, 1e4])(logits)
    model = keras.Model(inputs, keras.layers.Softmax()(logits))
    x = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
    query = strategies.BALD(num_samples=3).query(model, x, 5)
    assert "passes are equal" in caplog.text
    assert (query.scores == 0).all()
    assert query.indices.tolist() != list(range(5))
