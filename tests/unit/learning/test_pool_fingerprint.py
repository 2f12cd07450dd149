import numpy as np
import pytest
from helpers import bad_calls

from dfal_keras.learning.pool_fingerprint import PoolFingerprint

NO_ROWS = np.empty(0, np.int64)


class Counting:
    """A pool that records which rows are read, and how many at a time."""

    def __init__(self, array):
        self.array = array
        self.shape, self.dtype = array.shape, array.dtype
        self.read, self.largest = [], 0

    def __len__(self):
        return len(self.array)

    def __getitem__(self, rows):
        self.read += rows.tolist()
        self.largest = max(self.largest, len(rows))
        return self.array[rows]


@pytest.fixture
def pool():
    return np.random.default_rng(0).integers(0, 256, (3000, 5)).astype("uint8")


def test_rows_are_spread_over_the_pool_and_read_once_in_small_batches(pool):
    counting = Counting(pool)
    fingerprint = PoolFingerprint.of(counting, np.array([1, 2, 2999]))
    assert len(fingerprint.rows) == len(set(counting.read)) == len(counting.read)
    assert {0, 1, 2, 2999} <= set(counting.read)
    assert 1024 <= len(counting.read) <= 1027
    assert np.diff(fingerprint.rows).max() <= 3
    assert counting.largest <= 64
    counting.read.clear()
    more = PoolFingerprint.of(counting, np.array([1, 2, 4, 2999]), fingerprint)
    assert counting.read == [4]
    again = PoolFingerprint.of(pool, np.array([1, 2, 4, 2999]))
    assert (more.rows == again.rows).all()
    assert (more.digests == again.digests).all()


def test_every_row_of_a_small_pool_counts():
    pool = np.random.default_rng(0).normal(size=(30, 4)).astype("float32")
    fingerprint = PoolFingerprint.of(pool, NO_ROWS)
    fingerprint.check("pool", pool)
    for row in range(30):
        other = pool.copy()
        other[row, row % 4] = np.nextafter(other[row, row % 4], np.float32(9))
        message = bad_calls.check_rejected(
            "pool", lambda other=other: fingerprint.check("pool", other)
        )
        assert f"whose row {row} differs" in message


def test_labeled_rows_of_a_large_pool_count(pool):
    labeled = np.array([1, 1501])
    fingerprint = PoolFingerprint.of(pool, labeled)
    pool[1501] += 1
    with pytest.raises(ValueError, match="row 1501 differs"):
        fingerprint.check("pool", pool)


def test_a_pool_may_grow_at_its_end_only(pool, tmp_path):
    fingerprint = PoolFingerprint.of(pool[:2000], np.array([5]))
    fingerprint.check("pool", pool)
    np.save(tmp_path / "pool.npy", pool)
    fingerprint.check("pool", np.load(tmp_path / "pool.npy", mmap_mode="r"))
    grown = PoolFingerprint.of(pool, np.array([5]), fingerprint)
    assert (grown.digests == PoolFingerprint.of(pool, np.array([5])).digests).all()
    for other in (
        pool[:1999],
        pool[1:],
        np.zeros_like(pool),
        np.insert(pool, 0, 1, axis=0),
        pool[::-1],
        pool[:, :4],
        pool.astype("float32"),
        pool.astype("int8"),
    ):
        bad_calls.check_rejected("x", lambda other=other: fingerprint.check("x", other))


def test_of_a_shape_only():
    fingerprint = PoolFingerprint.of_shape((30, 4))
    fingerprint.check("pool", np.zeros((31, 4)))
    for shape in ((29, 4), (30, 5), (30, 4, 1)):
        bad_calls.check_rejected(
            "pool", lambda shape=shape: fingerprint.check("pool", np.zeros(shape))
        )
    pool = np.ones((31, 4))
    completed = PoolFingerprint.of(pool, NO_ROWS, fingerprint)
    assert (completed.digests == PoolFingerprint.of(pool, NO_ROWS).digests).all()
