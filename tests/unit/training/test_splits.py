import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfal_keras.training import splits


def split(y, num_held_out, *, stratify=True, seed=0):
    rng = np.random.default_rng(seed)
    parts = splits.split(np.array(y), num_held_out, stratify=stratify, rng=rng)
    assert sorted(np.concatenate(parts)) == list(range(len(y)))
    return parts


def test_the_plain_split_is_a_permutation():
    """The paper's tables were made with it."""
    train, held_out = split([0] * 9, 3, stratify=False, seed=5)
    rows = np.random.default_rng(5).permutation(9)
    assert [*held_out, *train] == list(rows)
    assert train.dtype == held_out.dtype == np.int32


@given(
    counts=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    fraction=st.floats(0.05, 0.6),
    seed=st.integers(0, 99),
)
def test_no_class_is_missing_where_the_sizes_allow_it(counts, fraction, seed):
    y = np.repeat(np.arange(len(counts)), counts)
    num_held_out = max(1, round(len(y) * fraction))
    train, held_out = split(y, num_held_out, seed=seed)
    assert len(held_out) == num_held_out
    if num_held_out <= len(y) - len(counts):
        assert set(y[train]) == set(y)
    pairs = {label for label, count in enumerate(counts) if count > 1}
    if len(pairs) <= num_held_out <= len(y) - len(counts):
        assert set(y[held_out]) == pairs


@pytest.mark.parametrize("seed", range(5))
def test_large_classes_are_split_in_proportion(seed):
    y = np.repeat([0, 1, 2], [100, 50, 10])
    _, held_out = split(y, 32, seed=seed)
    counts = np.bincount(y[held_out])
    assert counts == pytest.approx([20, 10, 2], abs=1)


def test_stratified_rows_are_random():
    y = np.repeat([0, 1], 50)
    held_out = [tuple(split(y, 20, seed=seed)[1]) for seed in range(3)]
    assert len(set(held_out)) == 3
    assert held_out[0] == tuple(split(y, 20, seed=0)[1])


@given(
    sizes=st.lists(st.integers(1, 4), min_size=2, max_size=30),
    fraction=st.floats(0.05, 0.9),
    stratify=st.booleans(),
    seed=st.integers(0, 99),
)
def test_no_group_is_cut(sizes, fraction, stratify, seed):
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(rng.permutation(100)[: len(sizes)], sizes))
    y = groups % 3
    num_held_out = min(max(1, round(len(sizes) * fraction)), len(sizes) - 1)
    train, held_out = splits.split_groups(
        y, groups, num_held_out, stratify=stratify, rng=rng
    )
    assert sorted([*train, *held_out]) == list(range(len(y)))
    assert not set(groups[train]) & set(groups[held_out])
    assert len(set(groups[held_out])) == num_held_out
    assert train.dtype == held_out.dtype == np.int32


@pytest.mark.parametrize("stratify", [True, False])
def test_groups_of_one_sample_are_split_as_samples(stratify):
    y = np.arange(20) % 3
    expected = split(y, 4, stratify=stratify, seed=3)
    found = splits.split_groups(
        y,
        np.random.default_rng(0).permutation(20),
        4,
        stratify=stratify,
        rng=np.random.default_rng(3),
    )
    same = splits.split_groups(
        y, np.arange(20), 4, stratify=stratify, rng=np.random.default_rng(3)
    )
    assert [part.tolist() for part in same] == [part.tolist() for part in expected]
    assert len(found[1]) == 4
