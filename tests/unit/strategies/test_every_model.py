"""Strategies by distance and by features, for every model of the table.

Each equals a literal computation from what the model says, or is refused by name.
"""

import numpy as np
import pytest
from helpers import every_model
from helpers.every_model import TYPICAL, USABLE, made, named, said, tolerance
from helpers.model_table import TABLE
from skactiveml import pool
from skactiveml.base import SkactivemlClassifier

import dfal_keras as dfal
from dfal_keras import strategies
from dfal_keras.backend import inference

# Their features are others than those of the layer "features".
OTHER_FEATURES = (
    "subclassed with methods",
    "logits after normalization",
    "confusion matrix after a softmax",
    "wrong labels after a sigmoid",
    "sigmoid in a layer of one's own",
)
NO_FEATURES = [
    name
    for name, entry in USABLE.items()
    if not entry.features and name not in OTHER_FEATURES
]


@pytest.fixture(scope="module")
def x(blobs):
    return blobs[0][:40]


def ask(strategy, name, x, num_queries=6):
    """Query by a strategy, which must leave the weights of the model."""
    before = made(name).get_weights()
    query = strategy.query(
        made(name),
        x[5:],
        num_queries,
        x_labeled=x[:5],
        rng=np.random.default_rng(0),
    )
    after = made(name).get_weights()
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    assert len(set(query.indices.tolist())) == num_queries
    return query


def is_refused_without_logits(strategy, name, x):
    """Check that a model without logits is refused; return whether it is."""
    if TABLE[name].has_logits:
        return False
    with pytest.raises(ValueError, match="`model` must return logits"):
        strategy.query(made(name), x, 6)
    return True


def check_is_farthest_first(points, chosen, centers, rel):
    """Check that each chosen point is, but for rounding, the farthest from all others.

    Several points may be equally far.
    """
    centers = list(centers)
    for row in chosen:
        gaps = np.linalg.norm(points[:, None] - points[centers], axis=-1).min(axis=1)
        assert gaps[row] >= gaps.max() - rel * np.abs(points).max()
        centers.append(row)


@pytest.mark.parametrize("name", named(USABLE, TYPICAL))
def test_adversarial_examples_change_what_the_model_says(name, x):
    """And those that are shorter by more than the overshoot do not, mostly."""
    if not TABLE[name].has_logits:
        with pytest.raises(ValueError, match="`model` must return logits"):
            dfal.deepfool(made(name), x[:8])
        return
    found = dfal.deepfool(made(name), x[:8])
    before = said(name, x[:8])
    after = said(name, x[:8] + found.perturbations)
    classes = before.argmax(axis=1)
    for row in np.flatnonzero(found.success):
        others = np.delete(after[row], classes[row])
        margin = after[row, classes[row]] - others.max()
        assert margin <= tolerance(name)
    assert not np.isfinite(found.norms[~found.success]).any()
    if found.success.any():
        shorter = said(name, x[:8] + 0.9 * found.perturbations)
        is_same = shorter.argmax(axis=1) == classes
        assert is_same[found.success].mean() >= 0.5


@pytest.mark.parametrize("name", named(USABLE))
def test_the_last_layer_leads_from_features_to_what_the_model_says(name, x):
    model = made(name)
    has_methods = hasattr(model, "logits") or hasattr(model, "features")
    if not TABLE[name].features or has_methods:
        return
    features = inference.predict_features(model, x)
    inference.check_features(model, x, features)
    found = inference.predict_probabilities_of_features(model, features)
    assert found == pytest.approx(said(name, x), abs=tolerance(name))


@pytest.mark.parametrize("name", named(USABLE))
def test_features_are_the_input_of_the_last_layer(name, x):
    if not TABLE[name].features:
        return
    found = inference.predict_features(made(name), x)
    expected = every_model.recorded_features(name, x)
    np.testing.assert_allclose(found, expected, rtol=1e-2, atol=tolerance(name))


@pytest.mark.parametrize("name", NO_FEATURES)
def test_features_of_no_last_layer_are_refused(name, x):
    with pytest.raises(ValueError, match=r"`features\(inputs\)`"):
        inference.predict_features(made(name), x)


@pytest.mark.parametrize("name", named(USABLE, TYPICAL))
def test_core_set_takes_the_farthest_of_what_the_model_says(name, x):
    strategy = strategies.CoreSet(features="probabilities", method="greedy")
    query = ask(strategy, name, x)
    points = np.roll(said(name, x), -5, axis=0)  # the labeled ones last
    check_is_farthest_first(points, query.indices, range(35, 40), 4 * tolerance(name))
    if TABLE[name].outputs in ("logits", "logit"):
        query = ask(strategies.CoreSet(features="outputs", method="greedy"), name, x)
        points = made(name).predict(np.concatenate([x[5:], x[:5]]), verbose=0)
        check_is_farthest_first(
            points.astype("float64"), query.indices, range(35, 40), 4 * tolerance(name)
        )


@pytest.mark.parametrize("name", named(USABLE, TYPICAL))
def test_core_set_takes_the_farthest_features(name, x):
    if not TABLE[name].features:
        return
    query = ask(strategies.CoreSet(method="greedy"), name, x)
    points = every_model.recorded_features(name, np.concatenate([x[5:], x[:5]]))
    check_is_farthest_first(points, query.indices, range(35, 40), 4 * tolerance(name))


@pytest.mark.parametrize("name", NO_FEATURES)
def test_strategies_of_features_are_refused_before_any_training(name):
    of_features = [strategies.CoreSet(), *map(strategies.get, ("badge", "typiclust"))]
    if TABLE[name].has_logits:
        of_features.append(strategies.DiverseDFAL())
    for strategy in of_features:
        with pytest.raises(ValueError, match=r"`model`.*`features\(inputs\)`"):
            strategy.check_model(made(name))


@pytest.mark.parametrize("name", named(USABLE, TYPICAL))
def test_margins_are_those_of_the_model(name, x):
    strategy = strategies.get("margin")
    if name in NO_FEATURES or hasattr(made(name), "logits"):
        with pytest.raises(ValueError, match="`model` must"):
            strategy.query(made(name), x, 6)
        return
    query = ask(strategy, name, x)
    ranked = np.sort(said(name, x)[5:], axis=1)
    expected = 1 - (ranked[:, -1] - ranked[:, -2])
    error = 4 * tolerance(name)
    np.testing.assert_allclose(query.scores, np.sort(expected)[:-7:-1], atol=error)
    np.testing.assert_allclose(query.scores, expected[query.indices], atol=error)


class Said(SkactivemlClassifier):
    """What a model says about five labeled samples, 35 candidates, or both."""

    def __init__(self, probabilities):
        super().__init__(missing_label=np.nan)
        self.probabilities = probabilities
        self.classes_ = np.arange(probabilities.shape[1])

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        raise NotImplementedError

    def predict_proba(self, X):  # noqa: N803
        rows = {5: np.s_[:5], 35: np.s_[5:], 40: np.s_[:]}[len(X)]
        rows = self.probabilities[rows]
        return rows / rows.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("strategy", "make"),
    [
        ("badge", pool.Badge),
        ("falcun", pool.Falcun),
        ("max_herding", pool.MaxHerding),
        ("contrastive", pool.ContrastiveAL),
    ],
)
@pytest.mark.parametrize("name", named(USABLE, TYPICAL))
def test_scikit_activeml_by_hand_queries_the_same(name, strategy, make, x):
    if not TABLE[name].features or tolerance(name) > 1e-3:
        return
    query = ask(strategies.get(strategy), name, x)
    features = every_model.recorded_features(name, x)
    y = np.append(np.zeros(5), np.full(35, np.nan))
    seed = int(np.random.default_rng(0).integers(2**31))
    given = {}
    if strategy != "max_herding":
        given = {"clf": Said(said(name, x)), "fit_clf": False}
    chosen = make(random_state=seed).query(features, y, batch_size=6, **given)
    assert query.indices.tolist() == (np.array(chosen) - 5).tolist()


@pytest.mark.parametrize("name", named(USABLE, TYPICAL))
def test_diverse_dfal_takes_the_farthest_of_the_smallest_perturbations(name, x):
    strategy = strategies.DiverseDFAL(oversampling=2)
    if name in NO_FEATURES or is_refused_without_logits(strategy, name, x):
        return
    query = ask(strategy, name, x)
    found = dfal.deepfool(made(name), x[5:])
    if not found.success.any():  # as nothing has a gradient
        assert query.companions.shape == (0, *x.shape[1:])
        return
    closest = np.argsort(found.norms)[:12]
    assert set(query.indices) <= set(closest)
    np.testing.assert_allclose(query.scores, found.norms[query.indices], rtol=1e-4)
    assert query.scores[0] == query.scores.min()
    examples = x[5:] + found.perturbations
    rows = query.indices[query.companion_rows]
    np.testing.assert_allclose(query.companions, examples[rows], atol=1e-2)
    if TABLE[name].features:
        points = every_model.recorded_features(name, examples[closest])
        rows = [closest.tolist().index(row) for row in query.indices]
        check_is_farthest_first(points, rows[1:], rows[:1], 4 * tolerance(name))


@pytest.mark.parametrize("name", named(USABLE, TYPICAL))
def test_cost_effective_dfal_labels_the_farthest_as_the_model_does(name, x):
    strategy = strategies.CostEffectiveDFAL(max_ratio=2)
    if is_refused_without_logits(strategy, name, x):
        return
    query = ask(strategy, name, x)
    norms = dfal.deepfool(made(name), x[5:]).norms
    ranked = np.sort(norms)
    np.testing.assert_allclose(query.scores, ranked[:6], rtol=1e-4)
    farthest = ranked[6:][np.isfinite(ranked[6:])][::-1][:10]
    assert len(query.pseudo_indices) == len(farthest)
    np.testing.assert_allclose(norms[query.pseudo_indices], farthest, rtol=1e-4)
    rows = said(name, x)[5:][query.pseudo_indices]
    chosen = rows[np.arange(len(rows)), query.pseudo_labels]
    assert (chosen >= rows.max(axis=1) - tolerance(name)).all()


@pytest.mark.parametrize("name", named(USABLE, TYPICAL))
def test_companions_are_as_the_model_says(name, x):
    copies = ask(strategies.WithCompanions("uncertainty", "copies"), name, x)
    np.testing.assert_array_equal(copies.companions, x[5:][copies.indices])
    strategy = strategies.WithCompanions("uncertainty")
    if is_refused_without_logits(strategy, name, x):
        return
    query = ask(strategy, name, x)
    np.testing.assert_array_equal(query.indices, copies.indices)
    if not len(query.companions):  # as nothing has a gradient
        assert not dfal.deepfool(made(name), x[5:]).success.any()
        return
    before = said(name, x[5:][query.indices[query.companion_rows]]).argmax(axis=1)
    after = said(name, query.companions)
    others = after.copy()
    others[np.arange(len(after)), before] = -1
    margins = after[np.arange(len(after)), before] - others.max(axis=1)
    assert (margins <= tolerance(name)).all()
