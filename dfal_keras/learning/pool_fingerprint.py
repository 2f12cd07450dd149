"""The fingerprint of a pool, by which a saved learner refuses another pool."""

import dataclasses
import hashlib

import numpy as np

from dfal_keras import _validation

_NUM_SPREAD = 1024
_BATCH_SIZE = 64
_DIGEST_SIZE = 16  # bytes: the first half of SHA-256


@dataclasses.dataclass(frozen=True)
class PoolFingerprint:
    """The shape and dtype of a pool, and checksums of some of its rows.

    A pool that has grown at its end has the same fingerprint.

    Attributes:
        shape: The shape of the pool.
        dtype: Its dtype as a string, such as `"|u1"`; `""` if it is not known.
        rows: Sorted int array, the rows with a checksum.
        digests: Uint8 array of shape `(len(rows), 16)`, their checksums.
    """

    shape: tuple[int, ...]
    dtype: str
    rows: np.ndarray
    digests: np.ndarray

    @classmethod
    def of_shape(cls, shape: tuple) -> "PoolFingerprint":
        """Return the fingerprint of all pools of a shape."""
        empty = np.empty((0, _DIGEST_SIZE), np.uint8)
        return cls(tuple(map(int, shape)), "", np.empty(0, np.int64), empty)

    @classmethod
    def of(
        cls, pool, labeled: np.ndarray, known: "PoolFingerprint | None" = None
    ) -> "PoolFingerprint":
        """Return the fingerprint of a pool.

        It includes the labeled rows, and 1,024 rows spread evenly over the pool.

        Args:
            pool: The pool, of shape `(num_samples, ...)`.
            labeled: Int array, the labeled rows.
            known: A fingerprint of the same pool. The rows that it includes are not
                read again. Defaults to `None`.

        Example:
            >>> pool = np.zeros((5000, 28, 28, 1), "uint8")
            >>> fingerprint = PoolFingerprint.of(pool, np.array([6, 7, 8]))
            >>> len(fingerprint.rows)
            1027
            >>> fingerprint.check("pool", np.concatenate([pool, pool]))  # it has grown
        """
        num_spread = min(len(pool), _NUM_SPREAD)
        spread = np.linspace(0, len(pool) - 1, num_spread, dtype=np.int64)
        rows = np.union1d(spread, labeled)
        digests = np.empty((len(rows), _DIGEST_SIZE), np.uint8)
        is_new = np.ones(len(rows), bool)
        if known is not None:
            is_new = ~np.isin(rows, known.rows)
            digests[~is_new] = known.digests[np.isin(known.rows, rows)]
        digests[is_new] = _digests(pool, rows[is_new])
        return cls(_shape(pool), _dtype(pool), rows, digests)

    def check(self, name: str, pool) -> None:
        """Raise ValueError unless a pool is this one, possibly grown at its end.

        Args:
            name: Name of the argument in the message.
            pool: The pool to check.
        """
        shape = _shape(pool)
        dtype = _dtype(pool) if self.dtype else ""
        if shape[1:] != self.shape[1:] or len(pool) < len(self) or dtype != self.dtype:
            expected = f"of shape {self.shape}"
            received = f"a pool of shape {shape}"
            if self.dtype:
                expected += f" and dtype {np.dtype(self.dtype)}"
                received += f" and dtype {np.dtype(dtype)}"
            raise _validation.ArgumentError(
                name,
                f"must be the pool of the saved learner, {expected} "
                f"or with more rows. Received: {received}",
            )
        is_other = (_digests(pool, self.rows) != self.digests).any(axis=1)
        if is_other.any():
            raise _validation.ArgumentError(
                name,
                f"must be the pool of the saved learner. Only rows "
                f"at its end may be new. Received: a pool whose row "
                f"{self.rows[is_other.argmax()]} differs",
            )

    def __len__(self) -> int:
        """Number of rows of the pool."""
        return self.shape[0]


def _shape(pool):
    return tuple(map(int, pool.shape))


def _dtype(pool):
    return np.dtype(pool.dtype).str


def _digests(pool, rows):
    """Return the checksum of each row, read in small batches."""
    digests = [
        hashlib.sha256(row.tobytes()).digest()[:_DIGEST_SIZE]
        for start in range(0, len(rows), _BATCH_SIZE)
        for row in np.asarray(pool[rows[start : start + _BATCH_SIZE]])
    ]
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, _DIGEST_SIZE)
