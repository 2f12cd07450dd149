"""One contract for every strategy, and each one's own formula."""

import keras
import numpy as np
import pytest
from keras import layers

import dfal_keras as dfal
from dfal_keras import strategies
from dfal_keras.images import Subset
from dfal_keras.strategies.uncertainty import entropy

NAMES = ["dfal", "random", "uncertainty"]


def softmax_model():
    return keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(8, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax"),
        ]
    )


def logits_model():
    return keras.Sequential([*softmax_model().layers[:-1], layers.Dense(3)])


def batch_norm_model():
    inputs = keras.Input((4, 4, 1))
    outputs = layers.BatchNormalization()(layers.Rescaling(1 / 255)(inputs))
    outputs = layers.Dense(8, activation="relu")(layers.Flatten()(outputs))
    outputs = layers.Dropout(0.5)(layers.BatchNormalization()(outputs))
    return keras.Model(inputs, layers.Softmax()(layers.Dense(3)(outputs)))


@pytest.fixture(params=[softmax_model, logits_model, batch_norm_model])
def model(request, blobs):
    keras.utils.set_random_seed(0)
    model = request.param()
    model.build((None, 4, 4, 1))
    from_logits = request.param is logits_model
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits),
    )
    model.fit(*blobs, epochs=2, verbose=0)
    return model


@pytest.fixture(params=NAMES)
def strategy(request):
    return strategies.get(request.param)


def ask(strategy, model, x, seed=0, **options):
    return strategy.query(
        model, x, 10, rng=np.random.default_rng(seed), **{"x_labeled": x[:5], **options}
    )


def test_a_query_is_valid(strategy, model, blobs):
    x = blobs[0][:80]
    query = ask(strategy, model, x)
    assert query.indices.shape == (10,)
    assert query.indices.dtype.kind == "i"
    assert len(set(query.indices)) == 10
    assert query.indices.min() >= 0
    assert query.indices.max() < 80
    if query.scores is not None:
        assert query.scores.shape == (10,)
        assert np.isfinite(query.scores).all()
    if query.adversarial_twins is not None:
        assert query.adversarial_twins.shape == (10, 4, 4, 1)
        assert np.isfinite(query.adversarial_twins).all()
    assert query.pseudo_indices.shape == query.pseudo_labels.shape
    assert not set(query.pseudo_indices) & set(query.indices)


def test_same_seed_same_query(strategy, model, blobs):
    x = blobs[0][:80]
    assert (ask(strategy, model, x).indices == ask(strategy, model, x).indices).all()


def test_the_order_of_the_candidates_does_not_matter(strategy, model, blobs):
    if isinstance(strategy, strategies.Random):
        pytest.skip("draws positions")
    x = blobs[0][:80]
    order = np.random.default_rng(1).permutation(80)
    query = ask(strategy, model, x)
    permuted = ask(strategy, model, x[order])
    assert set(order[permuted.indices]) == set(query.indices)


def test_a_view_of_a_pool_is_as_good_as_an_array(strategy, model, blobs):
    rows = np.random.default_rng(1).permutation(300)[:80]
    array = ask(strategy, model, blobs[0][rows])
    view = ask(strategy, model, Subset(blobs[0], rows), x_labeled=blobs[0][rows[:5]])
    assert (array.indices == view.indices).all()


def test_the_model_is_left_as_it_was(strategy, model, blobs):
    def state():
        seeds = [np.array(variable) for variable in model.non_trainable_variables]
        return [*model.get_weights(), *seeds]

    before, compiled = state(), (model.optimizer, model.loss, model.compiled)
    trainable = [layer.trainable for layer in model.layers]
    iterations = int(model.optimizer.iterations.numpy())
    ask(strategy, model, blobs[0][:80])
    assert all((a == b).all() for a, b in zip(before, state(), strict=True))
    assert compiled == (model.optimizer, model.loss, model.compiled)
    assert trainable == [layer.trainable for layer in model.layers]
    assert iterations == int(model.optimizer.iterations.numpy())


def test_all_candidates_can_be_asked_for(strategy, model, blobs):
    query = ask(strategy, model, blobs[0][:10])
    assert sorted(query.indices) == list(range(10))


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"num_queries": 81}, "num_queries"),
        ({"num_queries": 0}, "num_queries"),
        ({"num_queries": 2.5}, "num_queries"),
        ({"x_unlabeled": np.zeros((0, 4, 4, 1))}, "x_unlabeled"),
        ({"x_unlabeled": np.zeros((80, 5, 4, 1))}, "x_unlabeled"),
        ({"x_unlabeled": np.full((80, 4, 4, 1), np.nan)}, "x_unlabeled"),
        ({"x_labeled": np.zeros((8, 5, 4, 1))}, "x_labeled"),
        ({"model": None}, "model"),
    ],
)
def test_bad_arguments(strategy, blobs, changed, named):
    good = {
        "model": softmax_model(),
        "x_unlabeled": blobs[0][:80],
        "num_queries": 10,
        "x_labeled": blobs[0][:5],
    }
    with pytest.raises(ValueError, match=f"`{named}`.*Received: "):
        strategy.query(**{**good, **changed})


def test_a_model_of_nan_gives_an_error_or_no_ranking_by_nan(strategy, blobs):
    model = softmax_model()
    model.set_weights([np.full(w.shape, np.nan) for w in model.get_weights()])
    if isinstance(strategy, strategies.Random):
        return  # does not look at the model
    with pytest.raises(ValueError, match="`model`.*finite.*Received: "):
        ask(strategy, model, blobs[0][:80])


def test_get():
    assert isinstance(strategies.get("dfal", num_candidates=7), strategies.DFAL)
    assert strategies.get("dfal", num_candidates=7).num_candidates == 7
    own = strategies.Random()
    assert strategies.get(own) is own
    for wrong in ("DeepFool", None, 3, strategies.Random):
        with pytest.raises(ValueError, match="one of.*'dfal'.*Received: "):
            strategies.get(wrong)


def test_entropy_has_its_closed_form():
    rows = np.array([[1, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0], [1e-40, 1, 0, 0]])
    expected = [0, np.log(4), np.log(2), 0]
    assert entropy(rows) == pytest.approx(expected, abs=1e-12)
    assert not np.signbit(entropy(rows[0]))


def test_uncertainty_asks_for_the_highest_entropy_and_certain_samples_last():
    def one_hot_for_the_first_five(images):
        return images * 1000

    x = np.eye(3, dtype="float32")[np.arange(10) % 3]
    x[5:] = 1 / 3 + np.arange(5)[:, None] * np.array([1e-4, 0, -1e-4])
    query = strategies.Uncertainty().query(one_hot_for_the_first_five, x, 10)
    assert list(query.indices[:5]) == [5, 6, 7, 8, 9]
    assert query.scores[0] == pytest.approx(np.log(3))
    assert query.scores[5:] == pytest.approx(np.zeros(5))


def test_random_is_uniform():
    rng = np.random.default_rng(0)
    x = np.zeros((20, 1), "float32")
    counts = np.zeros(20)
    for _ in range(1000):
        query = strategies.Random().query(lambda x: x, x, 5, rng=rng)
        counts[query.indices] += 1
    assert (np.abs(counts - 250) < 5 * np.sqrt(250 * 0.75)).all()


def test_dfal_asks_for_the_smallest_perturbations_and_returns_their_twins(
    lenet5, digits
):
    attack = dfal.deepfool(lenet5, digits[:50])
    query = strategies.DFAL().query(lenet5, digits[:50], num_queries=10)
    closest = np.argsort(attack.norms)[:10]
    assert (query.indices == closest).all()
    assert query.scores == pytest.approx(np.sort(attack.norms)[:10], rel=1e-4)
    expected = digits[closest] + attack.perturbations[closest]
    assert query.adversarial_twins == pytest.approx(expected, abs=1e-4)
    ablation = strategies.DFAL(adversarial=False).query(lenet5, digits[:50], 10)
    assert (ablation.indices == query.indices).all()
    assert ablation.adversarial_twins is None


def test_dfal_never_asks_for_an_unfooled_sample_before_a_fooled_one(lenet5, digits):
    one_step = dfal.deepfool(lenet5, digits[:50], max_steps=1)
    num_fooled = int(one_step.success.sum())
    query = strategies.DFAL(max_steps=1).query(lenet5, digits[:50], num_fooled)
    assert 0 < num_fooled < 50
    assert one_step.success[query.indices].all()
