"""DFAL on models that DeepFool can't fool on some or all candidates."""

import logging

import numpy as np
import pytest
import tensorflow as tf
from helpers.models import half_flat

import dfal_keras as dfal
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


@pytest.mark.parametrize("model", [constant, out_of_reach])
def test_a_model_that_can_not_be_fooled_gets_a_random_query(model, images, caplog):
    query = ask(model, images)
    assert len(set(query.indices.tolist())) == 10
    assert np.isinf(query.scores).all()
    assert query.adversarial_examples.shape == (0, 6)
    assert query.adversarial_rows.shape == (0,)
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
        assert (query.adversarial_examples == expected.adversarial_examples).all()
        assert steps < steps_with_look if has_look else steps == steps_with_look


def test_the_first_look_is_at_the_closest(images):
    images[:, 0] = -1
    images[::20, 0] = 1
    query = ask(near_ones_in_reach, images)
    assert len(query.adversarial_rows) == 10
    assert set(query.indices % 20) == {0}


def test_unfooled_samples_come_last_without_adversarial_examples(halves, caplog):
    query = ask(half_flat, halves)
    attack = dfal.deepfool(half_flat, halves)
    fooled = np.argsort(attack.norms)[:7]
    assert set(fooled) == set(np.flatnonzero(halves[:, 0] > 0))
    assert (query.indices[:7] == fooled).all()
    assert (query.adversarial_rows == np.arange(7)).all()
    expected = halves[fooled] + attack.perturbations[fooled]
    assert query.adversarial_examples == pytest.approx(expected)
    assert np.isfinite(query.scores[:7]).all()
    assert np.isinf(query.scores[7:]).all()
    assert set(query.indices[7:]) <= set(np.flatnonzero(halves[:, 0] < 0))
    assert len(set(query.indices.tolist())) == 10
    (warning,) = warnings(caplog)
    assert "7 of 20 candidates, so 3 of the queries" in warning.getMessage()
    assert set(ask(half_flat, halves, seed=1).indices[7:]) != set(query.indices[7:])
    ablation = ask(half_flat, halves, adversarial=False)
    assert (ablation.indices == query.indices).all()
    assert ablation.adversarial_examples is None
    assert len(ablation.adversarial_rows) == 0


def test_no_warning_where_enough_can_be_fooled(halves, caplog):
    assert len(ask(half_flat, halves, num_queries=7).adversarial_rows) == 7
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
