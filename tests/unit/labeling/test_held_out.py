import hashlib

import numpy as np
import pytest

from dfal_keras.labeling import held_out

LABELS = np.array([0] * 50 + [1] * 7 + [2] * 2 + [3])
CHECKSUMS = [hashlib.sha256(bytes([i])).hexdigest() for i in range(len(LABELS))]


@pytest.mark.parametrize(
    ("fraction", "counts"),
    [(0.2, [10, 1, 1, 0]), (0.5, [25, 4, 1, 0]), (0, [0, 0, 0, 0])],
)
def test_a_part_of_each_class_is_held_out(fraction, counts):
    chosen = held_out.choose(LABELS, CHECKSUMS, fraction)
    assert np.bincount(LABELS[chosen], minlength=4).tolist() == counts


def test_the_order_of_labels_does_not_matter():
    order = np.random.default_rng(0).permutation(len(LABELS))
    chosen = held_out.choose(LABELS, CHECKSUMS, 0.2)
    shuffled = held_out.choose(LABELS[order], [CHECKSUMS[i] for i in order], 0.2)
    np.testing.assert_array_equal(shuffled, chosen[order])


def test_recalls_equal_those_counted_by_hand():
    labels, predicted = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 3])
    recalls = held_out.recalls(labels, predicted, 4)
    np.testing.assert_array_equal(recalls, [2 / 3, 1 / 2, np.nan, np.nan])
