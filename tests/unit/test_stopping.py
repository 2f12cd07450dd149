import math

import hypothesis.strategies as st
import numpy as np
import pytest
from helpers import bad_calls
from hypothesis import given, settings

import dfal_keras as dfal
from dfal_keras import stopping


@pytest.mark.filterwarnings("ignore::UserWarning")  # of a single class
@given(
    pairs=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40
    )
)
@settings(derandomize=True, database=None)
def test_agreement_is_the_kappa_of_scikit_learn(pairs):
    metrics = pytest.importorskip("sklearn.metrics")
    a, b = np.array(pairs).T
    with np.errstate(all="ignore"):
        expected = metrics.cohen_kappa_score(a, b)
    if len({*a.tolist(), *b.tolist()}) == 1:
        expected = 1.0  # kappa is 0 / 0
    assert stopping.agreement(a, b) == pytest.approx(expected, abs=1e-12)
    assert stopping.agreement(b, a) == stopping.agreement(a, b)


def test_agreement_by_hand():
    """Of 50 samples, 20 + 15 are equal: 0.7; by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5."""
    a = [1] * 25 + [0] * 25
    b = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert stopping.agreement(a, b) == pytest.approx((0.7 - 0.5) / (1 - 0.5))
    assert stopping.agreement(a, a) == 1
    assert stopping.agreement([0, 1], [1, 0]) == -1
    assert stopping.agreement([7, 7, 7], [7, 7, 7]) == 1
    assert stopping.agreement([0, 0], [1, 1]) == 0
    many = np.arange(10**6) % 2
    assert stopping.agreement(many, many) == 1


def test_stabilized_at_the_mean_of_the_last():
    assert not stopping.has_stabilized([])
    assert not stopping.has_stabilized([1, 1])
    assert stopping.has_stabilized([0.2, 0.99, 0.99, 0.99])
    assert stopping.has_stabilized([0.2, 1.0, 0.98, 0.99])
    assert not stopping.has_stabilized([1, 1, 1, 0.96])
    assert stopping.has_stabilized([1, 1, 1, 0.96], threshold=0.98)
    assert stopping.has_stabilized([0.2, 0.99], window=1)
    assert not stopping.has_stabilized(np.array([0.99, 0.2]), window=1)
    assert not stopping.has_stabilized([0.99] * 4, window=5)


def test_it_is_public():
    assert dfal.stopping is stopping


CALLS = {
    "no samples": ("labels_a", lambda: stopping.agreement([], [])),
    "one number": ("labels_a", lambda: stopping.agreement(3, 3)),
    "fewer samples": ("labels_b", lambda: stopping.agreement([0, 1], [0])),
    "probabilities": (
        "labels_a",
        lambda: stopping.agreement(np.ones((2, 3)), np.ones((2, 3))),
    ),
    "names": ("labels_a", lambda: stopping.agreement(["cat"], ["dog"])),
    "negative": ("labels_b", lambda: stopping.agreement([0], [-1])),
    "no list": ("agreements", lambda: stopping.has_stabilized(0.99)),
    "NaN": (r"agreements\[1\]", lambda: stopping.has_stabilized([1, math.nan])),
    "percent": (r"agreements\[0\]", lambda: stopping.has_stabilized([99])),
    "no window": ("window", lambda: stopping.has_stabilized([1], window=0)),
    "a threshold above 1": (
        "threshold",
        lambda: stopping.has_stabilized([1], threshold=99),
    ),
}


@bad_calls.each(CALLS)
def test_a_bad_call_is_rejected(named, call):
    bad_calls.check_rejected(named, call)
