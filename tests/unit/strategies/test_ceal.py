import numpy as np
import pytest

from dfal_keras import strategies
from dfal_keras.backend import inference, output_kinds
from dfal_keras.strategies.uncertainty import entropy


def test_ceal_pseudo_labels_the_confident_samples(lenet5, digits):
    query = strategies.CEAL(threshold=0.05).query(lenet5, digits, 10)
    plain = strategies.Uncertainty().query(lenet5, digits, 10)
    probabilities = inference.predict_probabilities(lenet5, digits)
    confident = entropy(probabilities) < 0.05
    assert (query.indices == plain.indices).all()
    assert set(query.pseudo_indices) == set(np.flatnonzero(confident)) - set(
        query.indices
    )
    assert 0 < len(query.pseudo_indices) < len(digits) - 10
    predicted = probabilities.argmax(axis=1)[query.pseudo_indices]
    assert (query.pseudo_labels == predicted).all()


def test_ceal_never_pseudo_labels_its_queries(lenet5, digits):
    query = strategies.CEAL(threshold=10).query(lenet5, digits, 10)
    assert len(query.pseudo_indices) == len(digits) - 10
    assert not set(query.indices) & set(query.pseudo_indices)
    assert not len(strategies.CEAL(threshold=0).query(lenet5, digits, 10).pseudo_labels)


def test_ceal_pseudo_labels_below_the_threshold_not_at_it():
    def identity(images):
        return images

    logits = np.array([[0, 0], [0, 0.5], [0, 1], [0, 2]], "float32")
    entropies = entropy(output_kinds.softmax(logits))
    for threshold, expected in (
        (entropies[2], [3]),
        (np.nextafter(entropies[2], np.float32(1)), [2, 3]),
        (entropies[2] + 5e-4, [2, 3]),
        (entropies[2] - 5e-4, [3]),
    ):
        strategy = strategies.CEAL(threshold=float(threshold))
        query = strategy.query(identity, logits, 1)
        assert query.pseudo_indices.tolist() == expected


def test_ceal_draws_at_most_max_ratio_pseudo_labels_at_random(lenet5, digits):
    strategy = strategies.CEAL(threshold=10, max_ratio=0.5)
    drawn = [
        strategy.query(
            lenet5, digits, 10, x_labeled=digits[:15], rng=np.random.default_rng(seed)
        )
        for seed in (0, 0, 1)
    ]
    assert [len(set(query.pseudo_indices)) for query in drawn] == [7, 7, 7]
    assert set(drawn[0].pseudo_indices) == set(drawn[1].pseudo_indices)
    assert set(drawn[0].pseudo_indices) != set(drawn[2].pseudo_indices)
    with pytest.raises(ValueError, match="`x_labeled` must be given"):
        strategy.query(lenet5, digits, 10)


def test_ceal_pseudo_labels_in_a_random_subset(lenet5, digits):
    everywhere = strategies.CEAL(threshold=0.3).query(lenet5, digits, 10)
    strategy = strategies.CEAL(threshold=0.3, num_pseudo_candidates=100)
    drawn = [
        strategy.query(lenet5, digits, 10, rng=np.random.default_rng(seed))
        for seed in (0, 0, 1)
    ]
    confident = dict(
        zip(everywhere.pseudo_indices, everywhere.pseudo_labels, strict=True)
    )
    for query in drawn:
        assert (query.indices == everywhere.indices).all()
        assert set(query.pseudo_indices) < confident.keys()
        labels = [confident[index] for index in query.pseudo_indices]
        assert (query.pseudo_labels == labels).all()
        share = len(query.pseudo_indices) / len(confident)
        assert 0.25 < share < 0.55  # 100 of 256
    assert (drawn[0].pseudo_indices == drawn[1].pseudo_indices).all()
    assert set(drawn[0].pseudo_indices) != set(drawn[2].pseudo_indices)
    for size in (256, 1000):
        strategy = strategies.CEAL(threshold=0.3, num_pseudo_candidates=size)
        query = strategy.query(lenet5, digits, 10)
        assert (query.pseudo_indices == everywhere.pseudo_indices).all()


def test_ceal_never_pseudo_labels_more_than_its_subset(lenet5, digits):
    """With all samples below the threshold; queried samples count in the subset."""
    x_labeled = digits[:40]
    strategy = strategies.CEAL(threshold=10, num_pseudo_candidates=50)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        query = strategy.query(lenet5, digits, 100, rng=rng)
        assert 10 < len(query.pseudo_indices) < 50
    strategy = strategies.CEAL(threshold=10, num_pseudo_candidates=50, max_ratio=0.5)
    query = strategy.query(lenet5, digits, 10, x_labeled=x_labeled)
    assert len(query.pseudo_indices) == 20
