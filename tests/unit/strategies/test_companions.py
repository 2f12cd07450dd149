"""`WithCompanions`: adversarial examples, copies or noise beside the queries."""

import keras
import numpy as np
import pytest
from helpers import models
from helpers.parameters import slow_after

import dfal_keras as dfal
from dfal_keras import strategies
from dfal_keras.strategies import Strategy, WithCompanions, companions

KINDS = ("adversarial", "copies", "noise")


def ask(strategy, model, x, seed=0, num_queries=10, **options):
    rng = np.random.default_rng(seed)
    return strategy.query(model, x, num_queries, rng=rng, **options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name", slow_after(2, ["random", "dfal", "uncertainty", "core_set"])
)
def test_the_queries_are_those_of_the_strategy(name, kind, lenet5, digits):
    expected = ask(strategies.get(name), lenet5, digits[:60])
    query = ask(WithCompanions(name, kind), lenet5, digits[:60])
    assert (query.indices == expected.indices).all()
    if expected.scores is not None:
        assert (query.scores == expected.scores).all()
    assert (query.companion_rows == np.arange(10)).all()
    query.check(60, 10)


def test_adversarial_companions_are_those_of_dfal(lenet5, digits):
    expected = ask(strategies.DFAL(), lenet5, digits)
    strategy = WithCompanions(strategies.DFAL(adversarial=False), "adversarial")
    query = ask(strategy, lenet5, digits)
    assert query.companions == pytest.approx(expected.companions, abs=1e-4)


def test_copies_are_the_queried_images(blobs, lenet5, digits):
    query = ask(WithCompanions("random", "copies"), lenet5, digits)
    assert (query.companions == digits[query.indices]).all()
    query = ask(WithCompanions("random", "copies"), models.dense(), blobs[0])
    assert query.companions.dtype == np.float32  # of a pool of bytes
    assert (query.companions == blobs[0][query.indices]).all()


def test_noise_has_the_norm_of_the_adversarial_perturbation(lenet5, digits):
    query = ask(WithCompanions("random", "noise"), lenet5, digits)
    attack = dfal.deepfool(lenet5, digits[query.indices])
    noise = query.companions - digits[query.indices]
    norms = np.linalg.norm(noise.reshape(10, -1), axis=1)
    assert norms == pytest.approx(attack.norms, rel=1e-4)
    cosines = (noise * attack.perturbations).reshape(10, -1).sum(axis=1) / norms**2
    assert np.abs(cosines).max() < 0.3  # it is in no direction of the attack
    assert (lenet5.predict(query.companions, verbose=0).argmax(axis=1)).tolist() != (
        lenet5.predict(digits[query.indices] + attack.perturbations, verbose=0)
        .argmax(axis=1)
        .tolist()
    )


def test_noise_is_gaussian_in_direction():
    r = np.tile(np.array([[3.0, 4.0, 0.0, 0.0]]), (20_000, 1))
    noise = companions.noise_like(r, np.random.default_rng(0))
    assert np.linalg.norm(noise, axis=1) == pytest.approx(5.0)
    assert noise.mean(axis=0) == pytest.approx(0, abs=0.1)
    assert np.cov(noise.T) == pytest.approx(25 / 4 * np.eye(4), abs=0.2)


@pytest.mark.parametrize("kind", KINDS)
def test_samples_that_cannot_be_fooled_have_copies_only(kind, halves):
    query = ask(WithCompanions("random", kind), models.half_flat, halves)
    fooled = np.flatnonzero(halves[query.indices, 0] > 0)
    assert 0 < len(fooled) < 10
    expected = np.arange(10) if kind == "copies" else fooled
    assert (query.companion_rows == expected).all()
    query.check(20, 10)


@pytest.mark.parametrize("kind", KINDS)
def test_a_label_adds_two_samples_with_one_label(kind, shared_train, blobs):
    plain = dfal.ActiveLearner(shared_train, "random", num_queries=5, seed=3)
    plain.fit(*blobs, budget=30)
    strategy = WithCompanions("random", kind)
    learner = dfal.ActiveLearner(shared_train, strategy, num_queries=5, seed=3)
    learner.fit(*blobs, budget=30)
    labeled = learner.labeled
    assert (labeled.indices == plain.labeled.indices).all()
    assert len(labeled) == 50
    x, y = labeled.arrays(blobs[0])
    assert (labeled.groups[:30] == np.arange(30)).all()
    assert (labeled.groups[30:] == np.arange(10, 30)).all()
    for group in range(10, 30):
        assert len(set(y[labeled.groups == group])) == 1
    if kind == "copies":
        assert (x[30:] == x[10:30]).all()


def test_pseudo_labels_and_candidates_of_the_strategy_are_kept(blobs, shared_train):
    strategy = WithCompanions(strategies.CEAL(threshold=10.0), "copies")
    assert strategy.num_candidates is None
    assert WithCompanions("dfal").num_candidates == 300
    query = ask(strategy, shared_train.model, blobs[0], x_labeled=blobs[0][:5])
    assert len(query.pseudo_indices) == 290


def test_a_strategy_of_ones_own(blobs):
    class First(Strategy):
        num_candidates = 40

        def select(self, model, x_unlabeled, num_queries, x_labeled, rng):
            return strategies.Query(np.arange(num_queries))

    strategy = WithCompanions(First(), "copies")
    assert strategy.num_candidates == 40
    query = ask(strategy, models.dense(), blobs[0])
    assert (query.companions == blobs[0][:10]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_config_builds_an_equal_strategy(kind):
    strategy = WithCompanions(
        strategies.BALD(num_samples=7), kind, ord=np.inf, bounds=(0, 255)
    )
    again = strategies.get(strategies.serialize(strategy))
    assert isinstance(again, WithCompanions)
    assert again.get_config() == strategy.get_config()
    assert again.strategy.num_samples == 7


def test_a_saved_learner_keeps_the_companions(shared_train, blobs, tmp_path):
    learner = dfal.ActiveLearner(
        shared_train, WithCompanions("random", "noise"), num_queries=5, pool=blobs[0]
    )
    learner.fit(*blobs, budget=20)
    query = learner.ask()
    learner.save(tmp_path / "learner.npz")
    again = dfal.ActiveLearner.load(
        tmp_path / "learner.npz", shared_train, pool=blobs[0]
    )
    assert again.strategy.companions == "noise"
    assert (again.labeled.companions == learner.labeled.companions).all()
    assert (again.open_query.companions == query.companions).all()


@pytest.mark.parametrize(
    ("arguments", "options", "name"),
    [
        (("badge!",), {}, "strategy"),
        (("random", "twins"), {}, "companions"),
        (("random", None), {}, "companions"),
        (("random",), {"ord": 0.5}, "ord"),
        (("random",), {"bounds": (1, 0)}, "bounds"),
    ],
)
def test_bad_arguments_are_named(arguments, options, name):
    with pytest.raises(ValueError, match=f"Argument `{name}`.*Received"):
        WithCompanions(*arguments, **options)


def test_integer_inputs_have_copies_only():
    tokens = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            keras.layers.Embedding(9, 4),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    with pytest.raises(ValueError, match="Received"):
        WithCompanions("random", "noise").check_model(tokens)
    WithCompanions("random", "copies").check_model(tokens)


def test_bounds_that_are_set_later_clip(lenet5, digits):
    """As for the images of a folder, whose pixels lie in 0 to 255."""
    strategy = WithCompanions("random", "adversarial")
    assert ask(strategy, lenet5, digits).companions.min() < 0
    strategy.bounds = (0, 255)
    companions = ask(strategy, lenet5, digits).companions
    assert 0 <= companions.min() <= companions.max() <= 255
