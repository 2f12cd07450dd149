"""Stochastic batches, against the closed form of drawing without replacement."""

import itertools
import logging
import sys

import numpy as np
import pytest
from helpers import bad_calls, models
from helpers.parameters import slow_after, slow_but

import dfal_keras as dfal
from dfal_keras import strategies
from dfal_keras.strategies import stochastic_batch
from dfal_keras.strategies.bald import mutual_information

SCORES = np.array([0.2, 1.5, 0.05, 0.9])
WEIGHTS = {
    "power": SCORES,
    "softmax": np.exp(SCORES),
    "softrank": 1 / np.array([3, 1, 4, 2]),
}
NUM_DRAWS = 20_000
# Strategies that rank by scores. Each takes the option.
RANKED = [
    *("dfal", "bald", "ceal", "egl", "uncertainty"),
    *("margin", "least_confidence", "contrastive"),
]


def draw(scores, kind, num_queries, num_draws=NUM_DRAWS, seed=0):
    rng = np.random.default_rng(seed)
    return np.array(
        [
            stochastic_batch.choose(scores, num_queries, kind, rng)
            for _ in range(num_draws)
        ]
    )


def check_frequencies(found, probabilities):
    """Check frequencies within five standard errors, which no seed misses by chance."""
    errors = np.sqrt(probabilities * (1 - probabilities) / NUM_DRAWS)
    assert (np.abs(found - probabilities) <= 5 * errors + 1e-12).all()


@pytest.mark.parametrize("kind", stochastic_batch.KINDS)
def test_the_first_is_drawn_in_proportion_to_its_weight(kind):
    first = draw(SCORES, kind, 1)[:, 0]
    weights = WEIGHTS[kind]
    check_frequencies(np.bincount(first) / NUM_DRAWS, weights / weights.sum())


@pytest.mark.parametrize("kind", stochastic_batch.KINDS)
def test_ordered_pairs_are_drawn_without_replacement(kind):
    drawn = draw(SCORES, kind, 2)
    w = WEIGHTS[kind]
    total = 0
    for i, j in itertools.permutations(range(4), 2):
        probability = w[i] / w.sum() * w[j] / (w.sum() - w[i])
        total += probability
        check_frequencies((drawn == [i, j]).all(axis=1).mean(), probability)
    assert total == pytest.approx(1)


@pytest.mark.parametrize("kind", stochastic_batch.KINDS)
def test_all_orders_of_all_samples(kind):
    drawn = draw(SCORES, kind, 4)
    for order in itertools.permutations(range(4)):
        left, probability = WEIGHTS[kind].sum(), 1.0
        for i in order:
            probability *= WEIGHTS[kind][i] / left
            left -= WEIGHTS[kind][i]
        check_frequencies((drawn == order).all(axis=1).mean(), probability)


def test_power_does_not_depend_on_the_unit():
    assert (draw(SCORES, "power", 3, 50) == draw(1e6 * SCORES, "power", 3, 50)).all()


def test_softmax_does_not_depend_on_the_origin():
    drawn = draw(SCORES, "softmax", 3, 50)
    assert (drawn == draw(SCORES - 7, "softmax", 3, 50)).all()


def test_softrank_depends_on_the_order_only():
    drawn = draw(SCORES, "softrank", 3, 50)
    assert (drawn == draw(np.exp(9 * SCORES) - 3, "softrank", 3, 50)).all()


@pytest.mark.parametrize("kind", stochastic_batch.KINDS)
def test_equal_scores_are_drawn_uniformly(kind):
    for scores in (np.zeros(4), np.full(4, 3.0)):
        first = draw(scores, kind, 1)[:, 0]
        check_frequencies(np.bincount(first, minlength=4) / NUM_DRAWS, np.full(4, 0.25))


def test_a_weight_of_zero_or_infinity_is_last_or_first():
    drawn = draw(np.array([0, 1, 0, np.inf]), "power", 4, 100)
    assert (drawn[:, :2] == [3, 1]).all()
    assert set(drawn[:, 2]) == {0, 2}
    drawn = draw(np.array([-np.inf, 1, 0, np.inf]), "softmax", 4, 100)
    assert (drawn[:, 0] == 3).all()
    assert (drawn[:, 3] == 0).all()


def test_without_the_option_the_best_come_first_and_nothing_is_drawn():
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    assert stochastic_batch.choose(SCORES, 3, None, rng).tolist() == [1, 3, 0]
    assert rng.bit_generator.state == before


def test_a_negative_score_has_no_power():
    def call():
        stochastic_batch.choose(-SCORES, 2, "power", np.random.default_rng(0))

    bad_calls.check_rejected("stochastic", call)


def ask(strategy, model, x, num_queries, seed=0):
    rng = np.random.default_rng(seed)
    return strategy.query(model, x, num_queries, rng=rng, x_labeled=x[:5])


@pytest.mark.parametrize("kind", slow_after(1, stochastic_batch.KINDS))
@pytest.mark.parametrize("name", [name for name in RANKED if name != "bald"])
def test_every_strategy_that_ranks_draws_by_its_scores(name, kind, lenet5, digits):
    x = digits[:40]
    ranked = ask(strategies.get(name), lenet5, x, 40)
    scores = np.empty(40)
    scores[ranked.indices] = ranked.scores
    larger_is_better = scores
    if name == "dfal":
        larger_is_better = 1 / scores if kind == "power" else -scores
    strategy = strategies.get(name, stochastic=kind)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        if isinstance(strategy, strategies.SkActiveML):
            rng.integers(2**31)  # the seed for scikit-activeml
        query = ask(strategy, lenet5, x, 10, seed)
        if name == "dfal":  # which ranks the samples before it draws
            order = np.argsort(scores)
            drawn = stochastic_batch.choose(larger_is_better[order], 40, kind, rng)
            expected = order[drawn[:10]]
        else:
            expected = stochastic_batch.choose(larger_is_better, 10, kind, rng)
        assert query.indices.tolist() == expected.tolist()
        assert query.scores == pytest.approx(scores[expected], rel=1e-3, abs=1e-6)
        query.check(40, 10)


def test_bald_draws_by_the_mutual_information(lenet5, digits):
    from dfal_keras.backend import mc_dropout, output_kinds

    x = digits[:60]
    rng = np.random.default_rng(0)
    passes = mc_dropout.predict_scores(lenet5, x, num_samples=10, rng=rng)
    scores = mutual_information(output_kinds.softmax(passes))
    expected = stochastic_batch.choose(scores, 10, "power", rng)
    query = ask(strategies.BALD(stochastic="power"), lenet5, x, 10)
    assert (query.indices == expected).all()
    assert query.scores == pytest.approx(scores[expected], abs=1e-6)


@pytest.mark.parametrize("kind", slow_but(["power"], stochastic_batch.KINDS))
def test_dfal_draws_small_perturbations_more_often(kind, lenet5, digits):
    x = digits[:60]
    norms = dfal.deepfool(lenet5, x).norms
    strategy = strategies.DFAL(stochastic=kind)
    queries = [ask(strategy, lenet5, x, 10, seed) for seed in range(20)]
    drawn = np.concatenate([norms[query.indices] for query in queries])
    assert np.sort(norms)[:10].mean() < drawn.mean() < norms.mean()
    for query in queries:
        said, fooled = (
            lenet5(images).numpy().argmax(axis=1)
            for images in (x[query.indices], query.companions)
        )
        assert (said != fooled).all()


@pytest.mark.parametrize("kind", stochastic_batch.KINDS)
@pytest.mark.parametrize("name", ["dfal", "diverse_dfal", "cost_effective_dfal"])
def test_samples_that_cannot_be_fooled_are_still_last(name, kind, halves):
    query = ask(strategies.get(name, stochastic=kind), models.half_flat, halves, 10)
    query.check(20, 10)
    assert (halves[query.indices[:7], 0] > 0).all()
    assert (query.companion_rows == np.arange(7)).all()


def test_pseudo_labels_are_of_samples_that_are_not_drawn(lenet5, digits):
    for strategy in (
        strategies.CEAL(threshold=10.0, stochastic="softrank"),
        strategies.CostEffectiveDFAL(max_ratio=100, stochastic="softrank"),
    ):
        query = ask(strategy, lenet5, digits[:60], 10)
        query.check(60, 10)
        assert (
            len(query.pseudo_indices) == 50 if strategy.num_candidates is None else 30
        )
    farthest = np.argsort(-dfal.deepfool(lenet5, digits[:60]).norms, kind="stable")
    expected = [row for row in farthest if row not in query.indices][:30]
    assert query.pseudo_indices.tolist() == expected


def test_diverse_dfal_draws_its_candidates(lenet5, digits):
    strategy = strategies.DiverseDFAL(stochastic="softrank")
    chosen = {tuple(ask(strategy, lenet5, digits[:60], 5, s).indices) for s in range(5)}
    assert len(chosen) == 5


@pytest.mark.parametrize("name", ["badge", "typiclust", "batch_bald", "falcun"])
def test_samples_that_are_chosen_jointly_are_not_drawn(name):
    call = lambda: strategies.get(name, stochastic="power")  # noqa: E731
    bad_calls.check_rejected("stochastic", call)


@pytest.mark.parametrize("name", RANKED)
@pytest.mark.parametrize("value", ["gumbel", True, 1.0, ["power"]])
def test_a_bad_option_is_rejected(name, value):
    make = lambda **options: strategies.get(name, **options)  # noqa: E731
    bad_calls.check_option_rejected(make, "stochastic", value)


@pytest.mark.parametrize("name", [*RANKED, "diverse_dfal", "cost_effective_dfal"])
def test_the_option_is_saved(name):
    strategy = strategies.get(name, stochastic="power")
    again = strategies.get(strategies.serialize(strategy))
    assert again.stochastic == "power"
    assert strategies.WithCompanions(strategy, "copies").strategy.stochastic == "power"


def test_an_older_file_lacks_the_option(blobs, tmp_path, caplog, monkeypatch):
    def without_option(strategy):
        return {k: v for k, v in config(strategy).items() if k != "stochastic"}

    config = strategies.BALD.get_config
    path = tmp_path / "learner.npz"
    monkeypatch.setattr(strategies.BALD, "get_config", without_option)
    dfal.ActiveLearner(strategy="bald", pool=blobs[0]).save(path)
    monkeypatch.undo()
    with caplog.at_level(logging.WARNING):
        dfal.ActiveLearner.load(path, strategy="bald", pool=blobs[0])
    assert not caplog.text
    drawn = strategies.BALD(stochastic="power")
    dfal.ActiveLearner.load(path, strategy=drawn, pool=blobs[0])
    assert "BALD(stochastic=None)" in caplog.text
    assert "BALD(stochastic='power')" in caplog.text


def test_a_class_that_a_file_names_is_not_imported(blobs, tmp_path, monkeypatch):
    (tmp_path / "named_in_a_file.py").write_text(
        "from dfal_keras.strategies import Random\nclass Own(Random):\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    own = strategies.WithCompanions("named_in_a_file:Own", "copies")
    dfal.ActiveLearner(strategy=own, pool=blobs[0]).save(tmp_path / "learner.npz")
    monkeypatch.delitem(sys.modules, "named_in_a_file")
    given = strategies.WithCompanions("random", "copies")
    dfal.ActiveLearner.load(tmp_path / "learner.npz", strategy=given, pool=blobs[0])
    assert "named_in_a_file" not in sys.modules
