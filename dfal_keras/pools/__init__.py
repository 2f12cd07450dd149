"""Pools of unlabeled samples, which may be larger than memory."""

from dfal_keras.pools.pool import BatchedPool, Subset, as_pool, write_pool

__all__ = ["BatchedPool", "Subset", "as_pool", "write_pool"]
