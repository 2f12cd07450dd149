import concurrent.futures
import copy
import functools
import gc
import pickle

import numpy as np
import psutil
import pytest
from helpers import bad_calls
from skactiveml.pool import k_greedy_center

from dfal_keras import strategies
from dfal_keras.backend import inference


def covering_radius(features, centers):
    distances = np.linalg.norm(features[:, None] - features[centers], axis=2)
    return distances.min(axis=1).max()


def identity(images):
    """A model whose outputs are its inputs."""
    return images


@pytest.mark.slow
def test_core_set_covers_best(lenet5, digits):
    x, x_labeled = digits[:100], digits[100:120]
    features = inference.predict_features(lenet5, digits[:120])
    assert features.shape == (120, 10)
    labeled = np.arange(100, 120)

    def radius(**options):
        strategy = strategies.CoreSet(**options)
        query = strategy.query(lenet5, x, 10, x_labeled=x_labeled)
        return covering_radius(features, np.append(query.indices, labeled))

    labels = np.where(np.arange(120) < 100, np.nan, 0)
    greedy, _ = k_greedy_center(features, labels, batch_size=10)
    expected = covering_radius(features, np.append(greedy, labeled))
    assert radius(method="greedy") == pytest.approx(expected, rel=1e-5)
    best = radius()
    assert expected / 2 <= best < expected
    assert radius(formulation="literal", time_limit=30) <= expected
    order = np.random.default_rng(0).permutation(100)
    permuted = strategies.CoreSet().query(lenet5, x[order], 10, x_labeled=x_labeled)
    centers = np.append(order[permuted.indices], labeled)
    assert covering_radius(features, centers) == pytest.approx(best, rel=1e-4)


@pytest.mark.parametrize(
    ("features", "describe"),
    [
        ("penultimate", inference.predict_features),
        ("outputs", inference.predict_logits),
        ("probabilities", inference.predict_probabilities),
    ],
)
def test_core_set_covers_the_features_that_are_selected(
    lenet5, digits, features, describe
):
    expected, _ = k_greedy_center(
        describe(lenet5, digits[:120]),
        np.where(np.arange(120) < 100, np.nan, 0),
        batch_size=10,
    )
    strategy = strategies.CoreSet(features=features, method="greedy")
    query = strategy.query(lenet5, digits[:100], 10, x_labeled=digits[100:120])
    assert query.indices.tolist() == expected.tolist()
    assert strategies.CoreSet().features == "penultimate"


def test_core_set_keeps_away_from_the_labeled():
    x = np.array([[0.0, 0], [10, 0], [0, 10], [10, 10]], "float32")
    strategy = strategies.CoreSet(features="outputs")
    for corner in range(4):
        query = strategy.query(identity, x, 1, x_labeled=np.delete(x, corner, axis=0))
        assert query.indices == [corner]


def test_core_set_allows_a_share_of_outliers():
    x = np.array([[0.0, 0], [1, 0], [2, 0], [100, 0]], "float32")
    chosen = {
        share: strategies.CoreSet(features="outputs", outlier_share=share)
        .query(lambda images: images, x, 1)
        .indices.tolist()
        for share in (0.0, 0.25)
    }
    assert chosen == {0.0: [2], 0.25: [1]}


def test_core_set_counts_the_labeled_among_what_it_covers():
    """An outlier share of 1/8 is one of eight points, but none of four candidates."""
    x = np.array([[0.0, 0], [1, 0], [2, 0], [100, 0]], "float32")
    x_labeled = np.full((4, 2), [30, 0], "float32")
    for share, chosen in ((0.125, 1), (0.124, 3)):
        strategy = strategies.CoreSet(features="outputs", outlier_share=share)
        query = strategy.query(lambda images: images, x, 1, x_labeled=x_labeled)
        assert query.indices == [chosen]


def test_the_cover_holds_the_centers_and_their_radius(lenet5, digits):
    x, x_labeled = digits[:100], digits[100:120]
    features = inference.predict_features(lenet5, digits[:120])
    for method in ("greedy", "robust"):
        strategy = strategies.CoreSet(method=method)
        cover = strategy.cover(lenet5, x, 10, x_labeled=x_labeled)
        query = strategy.query(lenet5, x, 10, x_labeled=x_labeled)
        assert (cover.centers == query.indices).all()
        centers = np.append(cover.centers, np.arange(100, 120))
        expected = covering_radius(features, centers)
        assert cover.radius == pytest.approx(expected, rel=1e-5)
        assert cover.lower_bound <= cover.radius
    assert cover.proven


def test_a_cover_rejects_the_arguments_that_a_query_rejects(lenet5, digits):
    strategy = strategies.CoreSet(method="greedy")
    for named, arguments in {
        "num_queries": (lenet5, digits[:5], 6),
        "x_unlabeled": (lenet5, digits[:5, :3], 2),
        "model": (None, digits[:5], 2),
    }.items():
        call = functools.partial(strategy.cover, *arguments)
        bad_calls.check_rejected(named, call)


def test_a_time_out_is_logged_with_the_bounds(lenet5, digits, caplog):
    strategy = strategies.CoreSet(time_limit=1e-9)
    strategy.query(lenet5, digits[:100], 10)
    (record,) = caplog.records
    assert "time limit of 1e-09 s at radius" in record.getMessage()


CORNERS = np.array([[0.0, 0], [10, 0], [0, 10], [10, 10]], "float32")


@pytest.fixture
def children():
    """Return the processes that the test has started and that still run."""
    before = set(psutil.Process().children())
    return lambda: set(psutil.Process().children()) - before


def test_a_strategy_has_one_process_for_its_life(children):
    strategy = strategies.CoreSet(features="outputs")
    assert not children()
    started = set()
    for corner in range(4):
        x_labeled = np.delete(CORNERS, corner, axis=0)
        query = strategy.query(identity, CORNERS, 1, x_labeled=x_labeled)
        assert query.indices == [corner]
        started |= children()
    assert len(started) == 1
    del strategy
    gc.collect()
    assert not children()


def test_greedy_needs_no_process(children):
    strategy = strategies.CoreSet(features="outputs", method="greedy")
    strategy.query(identity, CORNERS, 1)
    assert not children()


def test_a_strategy_with_a_process_is_copied_pickled_and_printed(children):
    strategy = strategies.CoreSet(features="outputs", num_candidates=7)
    expected = strategy.query(identity, CORNERS, 2).indices.tolist()
    assert repr(strategy) == (
        "CoreSet(num_candidates=7, features='outputs', method='robust', "
        "outlier_share=0.0001, formulation='compact', time_limit=60.0, batch_size=None)"
    )
    copies = [
        copy.copy(strategy),
        copy.deepcopy(strategy),
        pickle.loads(pickle.dumps(strategy)),
    ]
    assert len(children()) == 1
    del strategy
    for other in copies:
        assert repr(other) == repr(copies[0])
        assert other.query(identity, CORNERS, 2).indices.tolist() == expected
    del copies, other
    gc.collect()
    assert not children()


def test_two_threads_use_one_strategy(children):
    strategy = strategies.CoreSet(features="outputs")

    def missing(corner):
        x_labeled = np.delete(CORNERS, corner, axis=0)
        return strategy.query(identity, CORNERS, 1, x_labeled=x_labeled).indices[0]

    corners = [0, 1, 2, 3] * 3
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        assert list(threads.map(missing, corners)) == corners
    assert len(children()) == 1
