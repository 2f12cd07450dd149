import numpy as np

from dfal_keras.kcenter import farthest_first


def test_distances_are_exact():
    """A pair has one distance, and duplicates have distance 0, at any offset."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(1200, 84)).astype("float32") + np.float32(1e4)
    features[7] = features[1100]
    found = farthest_first.pairwise_distances(
        features[:300], features.astype("float64")
    )
    np.testing.assert_array_equal(found[:, :300], found[:, :300].T)
    assert found[7, 1100] == 0
    offset = np.float32(1e4)
    expected = np.linalg.norm(
        (features - offset)[:300, None].astype("float64") - (features - offset), axis=2
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_added_centers_are_distinct():
    points, nearest = np.ones((5, 1)), np.full(5, np.inf)
    centers, _ = farthest_first.add_farthest(points, np.array([0, 2]), 4, nearest)
    assert len(set(centers.tolist())) == 4
