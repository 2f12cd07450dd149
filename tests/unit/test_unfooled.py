"""DFAL where DeepFool can't fool the model: random queries, and no twins of these."""

import logging

import keras
import numpy as np
import pytest
import tensorflow as tf

import dfal_keras as dfal
from dfal_keras.__main__ import main
from dfal_keras.backend import deepfool_step
from dfal_keras.labeled_set import LabeledSet
from dfal_keras.strategies import DFAL, Query


def constant(images):
    """Logits that do not depend on the image: gradients are zero."""
    return images[:, :3] * 0 + tf.constant([3.0, 2.0, 1.0])


def out_of_reach(images):
    """A rival that gains on the first class at every step, and never passes it."""
    lead = tf.exp(-tf.reduce_sum(images, axis=1))
    return tf.stack([lead, tf.zeros_like(lead)], axis=1)


def far_away(images):
    """A boundary that takes DeepFool more than three steps."""
    logits = out_of_reach(images)
    return logits - tf.constant([1e-3, 0.0])


def half_flat(images):
    """Linear where the first pixel is positive, constant elsewhere."""
    score = images[:, 1] - 3 * images[:, 2]
    logits = tf.stack([score, -score], axis=1)
    return tf.where(images[:, :1] > 0, logits, [[0.1, 0.0]])


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(0, 0.1, (300, 6)).astype("float32")


@pytest.fixture
def halves():
    """Twenty images; `half_flat` is constant on all but seven of them."""
    x = np.random.default_rng(1).normal(size=(20, 6)).astype("float32")
    x[:, 0] = -1
    x[[1, 4, 6, 11, 12, 17, 19], 0] = 1
    return x


def ask(model, x, num_queries=10, seed=0, **options):
    rng = np.random.default_rng(seed)
    return DFAL(**options).query(model, x, num_queries, rng=rng)


def warnings(caplog):
    return [r for r in caplog.records if r.levelno == logging.WARNING]


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


def test_its_queries_are_uniform(halves):
    rng = np.random.default_rng(0)
    counts = np.zeros(20)
    for _ in range(400):
        counts[DFAL().query(constant, halves, 5, rng=rng).indices] += 1
    assert (np.abs(counts - 100) < 5 * np.sqrt(100 * 0.75)).all()


def count_rows(monkeypatch):
    """Return a list to which each step of DeepFool adds how many images it moves."""
    rows, original = [], deepfool_step.compiled_step

    def counting(*options):
        step = original(*options)

        def counted(images, *others):
            rows.append(len(images))
            return step(images, *others)

        return counted

    monkeypatch.setattr(deepfool_step, "compiled_step", counting)
    return rows


def test_it_is_found_out_after_a_first_look(images, monkeypatch):
    rows = count_rows(monkeypatch)
    ask(out_of_reach, images)
    assert sum(rows) == 3 * 128 + 50 * 8
    rows.clear()
    ask(out_of_reach, images, first_look=None)
    assert sum(rows) == 50 * 300
    rows.clear()
    ask(out_of_reach, images[:8], num_queries=5)  # no fewer than the look has
    assert sum(rows) == 50 * 8


def test_the_first_look_changes_nothing_where_a_model_can_be_fooled(
    images, lenet5, digits, monkeypatch
):
    rows = count_rows(monkeypatch)
    for model, x, num_queries, is_looked_at in (
        (lenet5, digits, 10, False),
        (lenet5, digits, 100, False),  # many images are left after three steps
        (far_away, images, 10, True),
        (far_away, images[:60], 10, True),
    ):
        work = []
        for options in ({"first_look": None}, {}):
            rows.clear()
            work.append((ask(model, x, num_queries, **options), sum(rows)))
        (expected, steps), (query, steps_with_look) = work
        assert np.isfinite(expected.scores).all()
        assert (query.indices == expected.indices).all()
        assert (query.scores == expected.scores).all()
        assert (query.adversarial_examples == expected.adversarial_examples).all()
        assert steps < steps_with_look if is_looked_at else steps == steps_with_look


def near_ones_in_reach(images):
    """Like `far_away` and closer where the first pixel is positive, else beyond."""
    lead = tf.exp(-tf.reduce_sum(images[:, 1:], axis=1))
    lead = tf.where(images[:, 0] > 0, 0.5 * lead - 1e-3, lead)
    return tf.stack([lead, tf.zeros_like(lead)], axis=1)


def test_the_first_look_is_at_the_closest(images):
    images[:, 0] = -1
    images[::20, 0] = 1
    query = ask(near_ones_in_reach, images)
    assert len(query.adversarial_rows) == 10
    assert set(query.indices % 20) == {0}


def test_those_that_can_not_be_fooled_come_last_and_bring_no_twin(halves, caplog):
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
    # Candidates that are given up for closer ones are not taken for unfooled.
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


def samples_of(labeled, pool):
    """The training set as a sorted list of (label, pixels)."""
    x, y = labeled.arrays(pool)
    return [(int(label), image.tolist()) for image, label in zip(x, y, strict=True)]


def test_first_equals_a_brute_force_account():
    """Random queries with twins of some, in any order; the account is a list."""
    rng = np.random.default_rng(0)
    pool = rng.normal(size=(60, 2)).astype("float32")
    labeled, account = LabeledSet.empty(), []
    for start in range(0, 60, 6):
        labels = rng.integers(3, size=6)
        rows = rng.permutation(6)[: rng.integers(0, 7)]
        twins = rng.normal(size=(len(rows), 2)).astype("float32")
        query = Query(np.arange(start, start + 6), None, twins, rows)
        query.check(60, 6)
        labeled.add(query, labels)
        for i in range(6):
            own = [twins[j] for j in np.flatnonzero(rows == i)]
            account.append((labels[i], pool[start + i], own))
    assert 10 < len(labeled.adversarial_rows) < 50
    for number in range(1, 61):
        known = account[:number]
        expected = [(int(label), image.tolist()) for label, image, _ in known]
        twins = [(int(y), twin.tolist()) for y, _, own in known for twin in own]
        first = labeled.first(number)
        assert len(first) == len(expected) + len(twins)
        found = samples_of(first, pool)
        assert found[:number] == expected
        assert sorted(found[number:]) == sorted(twins)


def half_flat_learner(x, **options):
    def train(x, y, seed):
        return half_flat

    return dfal.ActiveLearner(
        train, "dfal", num_queries=5, num_initial=2, seed=0, pool=x, **options
    )


LABELS = np.arange(20) % 2


def test_rounds_count_the_twins_that_there_are(halves):
    learner = half_flat_learner(halves)
    history = learner.fit(halves, LABELS, budget=17)
    labeled = learner.labeled
    positions = np.flatnonzero(halves[labeled.indices, 0] > 0)
    positions = positions[positions >= 2]  # the initial set has no twins
    assert sorted(labeled.adversarial_rows) == positions.tolist()
    assert 5 <= len(positions) <= 7
    for finished in history:
        num_adversarial = int((positions < finished.num_annotations).sum())
        assert finished.num_labeled == finished.num_annotations + num_adversarial
        short = half_flat_learner(halves)
        short.fit(halves, LABELS, budget=finished.num_annotations)
        first = labeled.first(finished.num_annotations)
        assert samples_of(first, halves) == samples_of(short.labeled, halves)
    originals = halves[labeled.indices[labeled.adversarial_rows]]
    distances = np.linalg.norm(labeled.adversarial_examples - originals, axis=1)
    assert (distances > 0).all()
    assert (
        labeled.adversarial_labels == LABELS[labeled.indices[labeled.adversarial_rows]]
    ).all()


def test_answers_in_parts_and_in_any_order(halves, tmp_path):
    path = tmp_path / "learner.npz"
    learner = half_flat_learner(halves, model=half_flat)
    twins, told = {}, []
    while learner.round < 3:
        query = learner.ask()
        for row, twin in zip(
            query.adversarial_rows, query.adversarial_examples, strict=True
        ):
            twins[int(query.indices[row])] = twin.tolist()
        part = query.indices[::-1][:2]
        labels = [None if i in (4, 5) else int(LABELS[i]) for i in part]
        told += [i for i in part.tolist() if i not in (4, 5)]
        learner.tell(part, labels)
        learner.save(path)
        learner = dfal.ActiveLearner.load(path, learner.train, "dfal", pool=halves)
        learner.model = half_flat
    assert len(twins) == 7
    assert learner.labeled.indices.tolist() == told
    kept = [i for i in told if i in twins]
    assert learner.labeled.indices[learner.labeled.adversarial_rows].tolist() == kept
    assert learner.labeled.adversarial_examples.tolist() == [twins[i] for i in kept]
    assert (learner.labeled.adversarial_labels == LABELS[kept]).all()


def test_taking_rows_takes_their_twins():
    query = Query(np.arange(4) + 10, None, np.array([[2.0], [0.0], [3.0]]), [2, 0, 3])
    for rows, twins, adversarial_rows in (
        ([0, 1, 2, 3], [0, 2, 3], [0, 2, 3]),
        ([3, 1, 0], [3, 0], [0, 2]),
        ([1], [], []),
        ([], [], []),
    ):
        taken = query.take(np.array(rows, int))
        assert taken.indices.tolist() == [10 + row for row in rows]
        assert taken.adversarial_examples[:, 0].tolist() == twins
        assert taken.adversarial_rows.tolist() == adversarial_rows


def test_a_file_from_before_twins_had_rows_is_refused(tmp_path):
    old = {**vars(LabeledSet.empty()), "adversarial_labels": np.empty(0, np.int64)}
    del old["adversarial_rows"]
    np.savez(tmp_path / "old.npz", **old)
    with pytest.raises(
        ValueError, match="`path` must be.*Received: .*adversarial_rows"
    ):
        LabeledSet.load(tmp_path / "old.npz")


OWN = """
import numpy as np
from dfal_keras.strategies import Query, Strategy

class OneTwin(Strategy):
    def select(self, model, x_unlabeled, num_queries, x_labeled, rng):
        twins = np.asarray(x_unlabeled[1:2], np.float32) + 50
        rows = np.array([1])
        return Query(np.arange(2), adversarial_examples=twins, adversarial_rows=rows)

class NoTwin(Strategy):
    def select(self, model, x_unlabeled, num_queries, x_labeled, rng):
        return Query(np.arange(2), None, np.empty((0, 8, 8, 1)), np.empty(0, int))
"""


def test_the_picture_leaves_the_places_of_missing_twins_blank(tmp_path, monkeypatch):
    (tmp_path / "own_twins.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    keras.Sequential(layers).save(tmp_path / "model.keras")
    np.save(tmp_path / "pool.npy", np.full((5, 8, 8, 1), 100, "uint8"))

    def draw(name):
        arguments = ["--model", tmp_path / "model.keras", "--pool"]
        arguments += [tmp_path / "pool.npy", "--out", tmp_path / f"{name}.csv"]
        arguments += ["--num-queries", 2, "--strategy", f"own_twins:{name}"]
        assert main(["query", *map(str, arguments)]) == 0
        return keras.utils.load_img(tmp_path / f"{name}.png")

    picture = np.asarray(draw("OneTwin"))
    cells = [np.array_split(row, 3, axis=1) for row in np.array_split(picture, 2)]
    is_blank = [[bool((cell == 255).all()) for cell in row] for row in cells]
    assert is_blank == [[False, True, True], [False, False, False]]
    assert draw("NoTwin").size[0] < picture.shape[1] / 2
