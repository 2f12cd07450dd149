"""Views of a pool of images that copy nothing until a batch is asked for."""

import numpy as np


class Subset:
    """Some rows of a pool, as if they were an array of their own.

    Indexed like the first axis of an array, by a slice or an array of positions, it
    reads just those rows from the pool, which may be memory-mapped.

    Args:
        pool: Array of shape `(num_samples, ...)`.
        indices: Int array, the pool's rows that this view shows, in this order.

    Example:
        >>> pool = np.arange(10)[:, None]
        >>> Subset(pool, np.array([7, 3, 5]))[:2].ravel()
        array([7, 3])
    """

    def __init__(self, pool, indices: np.ndarray):
        self._pool = pool
        self._indices = indices
        self.shape = (len(indices), *pool.shape[1:])
        self.dtype = pool.dtype

    def __len__(self):
        return len(self._indices)

    def __getitem__(self, rows):
        return self._pool[self._indices[rows]]
