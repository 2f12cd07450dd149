import numpy as np
import pytest

import dfal_keras as dfal
from dfal_keras.learning.labeled_set import LabeledSet, stored_name
from dfal_keras.strategies import Query


def samples_of(labeled, pool):
    """Return the training set as a list of (label, pixels)."""
    x, y = labeled.arrays(pool)
    return [(int(label), image.tolist()) for image, label in zip(x, y, strict=True)]


@pytest.mark.parametrize(
    ("annotations", "labeled"),
    [(1210, 2410), (980, 1950), (1070, 2130), (530, 1050), (7470, 14930), (4810, 9610)],
)
def test_dfal_rows_of_table_2(annotations, labeled):
    """Ten initial labels and ten adversarial examples per round give these counts."""
    labeled_set = LabeledSet.empty()
    labeled_set.add(Query(np.arange(10)), np.zeros(10, int))
    while labeled_set.num_annotations < annotations:
        examples = np.zeros((10, 1), np.float32)
        query = Query(np.arange(10), companions=examples)
        labeled_set.add(query, np.zeros(10, int))
    assert labeled_set.num_annotations == annotations
    assert len(labeled_set) == labeled


def test_labels_match_their_images():
    pool = np.arange(20, dtype="float32")[:, None]
    examples = np.array([[100.5], [101.5]])
    labeled = LabeledSet.empty()
    pseudo = {"pseudo_indices": np.array([7, 8, 9]), "pseudo_labels": np.arange(7, 10)}
    query = Query(np.arange(3), None, examples, np.array([2, 0]), **pseudo)
    labeled.add(query, np.array([30, 31, 32]))
    x, y = labeled.arrays(pool)
    assert len(labeled) == len(x) == len(y) == 8
    found = dict(zip(x.ravel().tolist(), y.tolist(), strict=True))
    expected = {0: 30, 1: 31, 2: 32, 100.5: 32, 101.5: 30, 7: 7, 8: 8, 9: 9}
    assert found == expected


def test_first_equals_a_brute_force_account():
    """Random queries, some of whose samples have adversarial examples."""
    rng = np.random.default_rng(0)
    pool = rng.normal(size=(60, 2)).astype("float32")
    labeled, account = LabeledSet.empty(), []
    for start in range(0, 60, 6):
        labels = rng.integers(3, size=6)
        rows = rng.permutation(6)[: rng.integers(0, 7)]
        examples = rng.normal(size=(len(rows), 2)).astype("float32")
        query = Query(np.arange(start, start + 6), None, examples, rows)
        query.check(60, 6)
        labeled.add(query, labels)
        for i in range(6):
            own = [examples[j] for j in np.flatnonzero(rows == i)]
            account.append((labels[i], pool[start + i], own))
    assert 10 < len(labeled.companion_rows) < 50
    for number in range(1, 61):
        known = account[:number]
        expected = [(int(label), image.tolist()) for label, image, _ in known]
        adversarial = [(int(y), each.tolist()) for y, _, own in known for each in own]
        first = labeled.first(number)
        assert len(first) == len(expected) + len(adversarial)
        found = samples_of(first, pool)
        assert found[:number] == expected
        assert sorted(found[number:]) == sorted(adversarial)


def test_first_equals_a_shorter_run(shared_train, blobs):
    short, long = (dfal.ActiveLearner(shared_train, "dfal", seed=1) for _ in range(2))
    short.fit(*blobs, budget=30)
    long.fit(*blobs, budget=60)
    first = long.labeled.first(30)
    assert samples_of(first, blobs[0]) == samples_of(short.labeled, blobs[0])
    for wrong in (0, 61, -10):
        with pytest.raises(ValueError, match="`num_annotations` must be from 1 to"):
            long.labeled.first(wrong)


def test_kept_samples_keep_what_is_theirs():
    """In a new order, some of them removed, compared with an account by sample."""
    rng = np.random.default_rng(0)
    for size in (1, 7, 7, 7, 30):
        labeled = LabeledSet.empty()
        indices, labels = rng.permutation(100)[:size], rng.integers(3, size=size)
        rows = rng.permutation(size)[: size // 2]
        examples = rng.normal(size=(len(rows), 2)).astype("float32")
        labeled.add(Query(indices, None, examples, rows), labels)
        own = dict(zip(indices[rows].tolist(), examples.tolist(), strict=True))
        label_of = dict(zip(indices.tolist(), labels.tolist(), strict=True))
        kept = rng.permutation(size)[: rng.integers(1, size + 1)]
        changed = rng.permutation(kept)[:2]
        labeled.relabel(changed, labels[changed] + 3)
        label_of |= {int(i): label_of[int(i)] + 3 for i in indices[changed]}
        labeled.keep(kept)
        left = indices[kept].tolist()
        assert labeled.indices.tolist() == left
        assert labeled.labels.tolist() == [label_of[i] for i in left]
        with_example = [i for i in left if i in own]
        assert labeled.indices[labeled.companion_rows].tolist() == with_example
        assert labeled.companions.tolist() == [own[i] for i in with_example]
        assert labeled.companion_labels.tolist() == [label_of[i] for i in with_example]
        assert (labeled.indices[labeled.find(np.array(left))] == left).all()
        others = np.setdiff1d(np.arange(100), left)
        assert (labeled.find(others) == -1).all()


def test_without_samples_it_is_as_if_empty():
    labeled = LabeledSet.empty()
    labeled.add(Query(np.arange(2), None, np.ones((2, 3))), np.zeros(2, int))
    labeled.keep(np.arange(0))
    for name, array in vars(LabeledSet.empty()).items():
        assert getattr(labeled, name).shape == array.shape, name
        assert getattr(labeled, name).dtype == array.dtype, name


def test_a_file_without_rows_of_adversarial_examples_is_rejected(tmp_path):
    own = {stored_name(n): v for n, v in vars(LabeledSet.empty()).items()}
    old = {**own, "adversarial_labels": np.empty(0, np.int64)}
    del old["adversarial_rows"]
    np.savez(tmp_path / "old.npz", **old)
    with pytest.raises(
        ValueError, match="`path` must be.*Received: .*adversarial_rows"
    ):
        LabeledSet.load(tmp_path / "old.npz")
