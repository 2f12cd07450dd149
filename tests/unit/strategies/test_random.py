import numpy as np

from dfal_keras import strategies


def test_random_is_uniform():
    rng = np.random.default_rng(0)
    x = np.zeros((20, 1), "float32")
    counts = np.zeros(20)
    for _ in range(1000):
        query = strategies.Random().query(lambda x: x, x, 5, rng=rng)
        counts[query.indices] += 1
    assert (np.abs(counts - 250) < 5 * np.sqrt(250 * 0.75)).all()
