"""DFAL, also on models that DeepFool can't fool on some or all candidates."""

import inspect
import logging

import numpy as np
import pytest
import tensorflow as tf
from helpers.models import half_flat

import dfal_keras as dfal
from dfal_keras import attacks, strategies
from dfal_keras.backend import deepfool_step
from dfal_keras.strategies import DFAL


def constant(images):
    """Logits that do not depend on the image, so gradients are zero."""
    return images[:, :3] * 0 + tf.constant([3.0, 2.0, 1.0])


def out_of_reach(images):
    """Logits whose margin decreases with each step but stays positive."""
    lead = tf.exp(-tf.reduce_sum(images, axis=1))
    return tf.stack([lead, tf.zeros_like(lead)], axis=1)


def far_away(images):
    """Logits whose boundary takes DeepFool more than three steps."""
    logits = out_of_reach(images)
    return logits - tf.constant([1e-3, 0.0])


def near_ones_in_reach(images):
    """Logits of `far_away` where the first pixel is positive, else `out_of_reach`."""
    lead = tf.exp(-tf.reduce_sum(images[:, 1:], axis=1))
    lead = tf.where(images[:, 0] > 0, 0.5 * lead - 1e-3, lead)
    return tf.stack([lead, tf.zeros_like(lead)], axis=1)


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(0, 0.1, (300, 6)).astype("float32")


def ask(model, x, num_queries=10, seed=0, **options):
    rng = np.random.default_rng(seed)
    return DFAL(**options).query(model, x, num_queries, rng=rng)


def warnings(caplog):
    return [
        record
        for record in caplog.records
        if record.levelno == logging.WARNING and record.name.startswith("dfal_keras")
    ]


def test_queries_the_smallest_perturbations_and_returns_their_adversarial_examples(
    lenet5, digits
):
    attack = dfal.deepfool(lenet5, digits[:50])
    query = DFAL().query(lenet5, digits[:50], num_queries=10)
    closest = np.argsort(attack.norms)[:10]
    assert (query.indices == closest).all()
    assert query.scores == pytest.approx(np.sort(attack.norms)[:10], rel=1e-4)
    expected = digits[closest] + attack.perturbations[closest]
    assert query.companions == pytest.approx(expected, abs=1e-4)
    ablation = DFAL(adversarial=False).query(lenet5, digits[:50], 10)
    assert (ablation.indices == query.indices).all()
    assert ablation.companions is None


def test_never_queries_an_unfooled_sample_before_a_fooled_one(lenet5, digits):
    one_step = dfal.deepfool(lenet5, digits[:50], max_steps=1)
    num_fooled = int(one_step.success.sum())
    query = DFAL(max_steps=1).query(lenet5, digits[:50], num_fooled)
    assert 0 < num_fooled < 50
    assert one_step.success[query.indices].all()


def test_a_small_num_closest_has_no_effect(lenet5, digits):
    expected = DFAL(num_closest=None).query(lenet5, digits[:50], 10)
    for num_closest in (1, 9, 10, 20):
        strategy = DFAL(num_closest=num_closest)
        query = strategy.query(lenet5, digits[:50], 10)
        assert (query.indices == expected.indices).all()
        # Batches of other sizes round differently, which depends on the threads.
        np.testing.assert_allclose(query.scores, expected.scores, rtol=1e-6)


def test_passes_every_option_to_deepfool(lenet5, digits, monkeypatch):
    """Each option has another value than its default and `deepfool`'s."""
    options = {
        "ord": np.inf,
        "max_steps": 30,
        "overshoot": 0.1,
        "bounds": (0, 1),
        "num_classes": 4,
        "step_offset": 1e-4,
        "num_closest": 12,
        "first_look": 5,
        "batch_size": 7,
    }
    signature = inspect.signature(dfal.deepfool).parameters
    keywords = [p.name for p in signature.values() if p.kind == p.KEYWORD_ONLY]
    assert sorted(options) == sorted(keywords)
    passed, attack = [], attacks.attack

    def record(model, x, given, **more):
        passed.append(vars(given))
        return attack(model, x, given, **more)

    monkeypatch.setattr(attacks, "attack", record)
    DFAL(**options).query(lenet5, digits[:20], 10)
    assert passed == [options]
    DFAL().query(lenet5, digits[:20], 10)
    defaults = {name: signature[name].default for name in keywords}
    assert passed[1] == {**defaults, "num_closest": 10, "first_look": 8}


@pytest.mark.parametrize("model", [constant, out_of_reach])
def test_a_model_that_can_not_be_fooled_gets_a_random_query(model, images, caplog):
    query = ask(model, images)
    assert len(set(query.indices.tolist())) == 10
    assert np.isinf(query.scores).all()
    assert query.companions.shape == (0, 6)
    assert query.companion_rows.shape == (0,)
    query.check(300, 10)
    (warning,) = warnings(caplog)
    assert "0 of 300 candidates, so 10 of the queries" in warning.getMessage()
    assert "`max_steps`" in warning.getMessage()
    assert (ask(model, images).indices == query.indices).all()
    assert set(ask(model, images, seed=1).indices) != set(query.indices)
    assert max(query.indices) >= 10  # not in the order of the pool


def test_random_queries_are_uniform(halves):
    rng = np.random.default_rng(0)
    counts = np.zeros(20)
    for _ in range(400):
        counts[DFAL().query(constant, halves, 5, rng=rng).indices] += 1
    assert (np.abs(counts - 100) < 5 * np.sqrt(100 * 0.75)).all()


@pytest.fixture
def batch_sizes(monkeypatch):
    """The list of the number of images of each DeepFool step during the test."""
    sizes, original = [], deepfool_step.traced_step

    def counting(*options):
        step = original(*options)

        def counted(images, *others):
            sizes.append(len(images))
            return step(images, *others)

        return counted

    monkeypatch.setattr(deepfool_step, "traced_step", counting)
    return sizes


def test_a_failed_first_look_stops_the_attack(images, batch_sizes):
    ask(out_of_reach, images)
    assert sum(batch_sizes) == 3 * 128 + 50 * 8
    batch_sizes.clear()
    ask(out_of_reach, images, first_look=None)
    assert sum(batch_sizes) == 50 * 300
    batch_sizes.clear()
    ask(out_of_reach, images[:8], num_queries=5)  # as few as the first look
    assert sum(batch_sizes) == 50 * 8


def test_the_first_look_changes_nothing_where_a_model_can_be_fooled(
    images, lenet5, digits, batch_sizes
):
    for model, x, num_queries, has_look in (
        (lenet5, digits, 10, False),
        (lenet5, digits, 100, False),  # many images are left after three steps
        (far_away, images, 10, True),
        (far_away, images[:60], 10, True),
    ):
        results = []
        for options in ({"first_look": None}, {}):
            batch_sizes.clear()
            query = ask(model, x, num_queries, **options)
            results.append((query, sum(batch_sizes)))
        (expected, steps), (query, steps_with_look) = results
        assert np.isfinite(expected.scores).all()
        assert (query.indices == expected.indices).all()
        assert (query.scores == expected.scores).all()
        assert (query.companions == expected.companions).all()
        assert steps < steps_with_look if has_look else steps == steps_with_look


def test_the_first_look_is_at_the_closest(images):
    images[:, 0] = -1
    images[::20, 0] = 1
    query = ask(near_ones_in_reach, images, bounds=(-100, 100))
    assert len(query.companion_rows) == 10
    assert set(query.indices % 20) == {0}


def test_unfooled_samples_come_last_without_adversarial_examples(halves, caplog):
    query = ask(half_flat, halves)
    attack = dfal.deepfool(half_flat, halves)
    fooled = np.argsort(attack.norms)[:7]
    assert set(fooled) == set(np.flatnonzero(halves[:, 0] > 0))
    assert (query.indices[:7] == fooled).all()
    assert (query.companion_rows == np.arange(7)).all()
    expected = halves[fooled] + attack.perturbations[fooled]
    assert query.companions == pytest.approx(expected)
    assert np.isfinite(query.scores[:7]).all()
    assert np.isinf(query.scores[7:]).all()
    assert set(query.indices[7:]) <= set(np.flatnonzero(halves[:, 0] < 0))
    assert len(set(query.indices.tolist())) == 10
    (warning,) = warnings(caplog)
    assert "7 of 20 candidates, so 3 of the queries" in warning.getMessage()
    assert set(ask(half_flat, halves, seed=1).indices[7:]) != set(query.indices[7:])
    ablation = ask(half_flat, halves, adversarial=False)
    assert (ablation.indices == query.indices).all()
    assert ablation.companions is None
    assert len(ablation.companion_rows) == 0


@pytest.mark.parametrize("companion", [None, "adversarial", "noise"])
@pytest.mark.parametrize("name", ["dfal", "diverse_dfal", "cost_effective_dfal"])
def test_examples_far_outside_the_range_of_the_pool_are_not_added(
    name, companion, caplog
):
    """With w . x = 0 as boundary, the example of (a, b) is (-0.02 a, b)."""

    def vertical(images):
        return tf.stack([images[:, 0], tf.zeros_like(images[:, 0])], axis=1)

    vertical.features = lambda images: images

    x = np.random.default_rng(0).uniform(1, 1.5, (20, 2)).astype("float32")
    x[:4, 0] += [2, 1.5, 1.4, 1.3]  # a range of 1 to 3
    strategy = strategies.get(name)
    if companion:
        strategy = strategies.WithCompanions(strategy, companion)
    query = strategy.query(vertical, x, 20)
    assert len(query.companions) == 20  # -0.06 is above 1 - 2
    assert not warnings(caplog)
    x += 5
    query = strategy.query(vertical, x, 20)  # 6 to 8: -0.1 is below 6 - 2
    assert len(query.companions) == len(query.companion_rows) == 0
    assert len(set(query.indices.tolist())) == 20
    assert np.isfinite(query.scores).all()
    query.check(20, 20)
    warning, *others = warnings(caplog)
    assert len(others) == bool(companion)  # of the strategy's own, and of these
    assert "20 of 20 adversarial examples" in warning.getMessage()
    assert "`bounds`" in warning.getMessage()


def test_only_those_outside_are_left_out_and_bounds_clip_them(caplog):
    def vertical(images):
        lead = images[:, 0] - tf.where(images[:, 1] > 0, 0.0, 4.0)
        return tf.stack([lead, tf.zeros_like(lead)], axis=1)

    x = np.array([[5, 1], [5.5, -1], [6, 1], [7, -1]] * 5, "float32")
    x += np.random.default_rng(0).uniform(0, 0.1, x.shape).astype("float32")
    x[:, 1] *= 0.1
    query = ask(vertical, x + np.array([0, 5]) * 0, num_queries=20)
    low, high = x.min(), x.max()
    attack = dfal.deepfool(vertical, x)
    examples = x + attack.perturbations
    size = high - low
    is_near = ((examples >= low - size) & (examples <= high + size)).all(axis=1)
    left = query.indices[query.companion_rows]
    assert sorted(left) == np.flatnonzero(is_near & attack.success).tolist()
    clipped = ask(vertical, x, num_queries=20, bounds=(-10, 10))
    assert len(clipped.companions) == 20


def test_constant_candidates_have_no_range(caplog):
    def vertical(images):
        return tf.stack([images[:, 0], tf.zeros_like(images[:, 0])], axis=1)

    query = ask(vertical, np.full((5, 2), 2, "float32"), num_queries=5)
    assert len(query.companions) == 5
    assert not warnings(caplog)


def test_no_warning_where_enough_can_be_fooled(halves, caplog):
    assert len(ask(half_flat, halves, num_queries=7).companion_rows) == 7
    # Candidates whose attack stops early do not count as unfooled.
    query = ask(half_flat, halves, num_queries=7, num_closest=2)
    assert np.isfinite(query.scores).all()
    assert not warnings(caplog)


def test_a_single_output_of_nan_is_an_error(halves):
    def with_nan(images):
        return half_flat(images) / tf.where(images[:, :1] > 9, 0.0, 1.0) ** 2

    halves[3] = 10
    halves[3, 1:3] = 0  # 0 / 0
    with pytest.raises(ValueError, match="`model` must compute finite numbers"):
        ask(with_nan, halves, num_queries=3)
