"""Cost-effective DFAL: its pseudo-labels against whole attacks."""

import numpy as np
import pytest
from helpers.models import half_flat

import dfal_keras as dfal
from dfal_keras.strategies import DFAL, CostEffectiveDFAL


@pytest.mark.parametrize(
    ("options", "num_labeled", "num_pseudo"),
    [
        ({}, 20, 20),  # one for each labeled image
        ({}, 50, 30),  # half of the candidates
        ({"max_ratio": 0.5}, 25, 12),  # rounded down
        ({"max_share": 0.1}, 50, 6),
        ({"max_ratio": np.inf}, 5, 30),
        ({"max_share": 1, "max_ratio": 9}, 50, 50),  # all that are not queried
    ],
)
def test_pseudo_labels_are_of_the_farthest(
    lenet5, digits, options, num_labeled, num_pseudo
):
    x = digits[:60]
    attack = dfal.deepfool(lenet5, x)
    assert attack.success.all()
    query = CostEffectiveDFAL(**options).query(
        lenet5, x, 10, x_labeled=digits[60 : 60 + num_labeled]
    )
    farthest = np.argsort(-attack.norms)[:num_pseudo]
    assert list(query.pseudo_indices) == list(farthest)
    predicted = lenet5.predict(x, verbose=0).argmax(axis=1)
    assert list(query.pseudo_labels) == list(predicted[farthest])
    expected = DFAL().query(lenet5, x, 10)
    assert (query.indices == expected.indices).all()
    assert query.companions == pytest.approx(expected.companions, abs=1e-4)


@pytest.mark.parametrize("max_ratio", [1, np.inf])
def test_without_labeled_images_there_are_no_pseudo_labels(lenet5, digits, max_ratio):
    strategy = CostEffectiveDFAL(max_ratio=max_ratio)
    assert not len(strategy.query(lenet5, digits[:60], 10).pseudo_indices)


def test_the_norm_of_an_unfooled_sample_is_not_known(halves):
    """7 of 20 can be fooled."""
    query = CostEffectiveDFAL(max_ratio=9, max_share=1).query(
        half_flat, halves, 3, x_labeled=halves
    )
    assert len(query.pseudo_indices) == 4
    assert (halves[query.pseudo_indices, 0] > 0).all()


def test_a_learner_trains_on_pseudo_labels_without_adversarial_examples(
    tiny_train, blobs
):
    learner = dfal.ActiveLearner(tiny_train, "cost_effective_dfal", num_queries=5)
    history = learner.fit(*blobs, budget=20)
    sizes = [row.num_labeled for row in history]
    assert sizes[0] == 10
    # Two for each query after the initial set, and up to one for each label before it.
    assert sizes[1] == pytest.approx(20 + 10, abs=3)
    assert sizes[2] == pytest.approx(30 + 15, abs=3)
