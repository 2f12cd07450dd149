import contextlib
import dataclasses
import functools
import os
import pathlib
import resource
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from helpers.kcenter_checks import KINDS, brute_force, check, points_of
from skactiveml.pool import k_greedy_center

from dfal_keras import kcenter
from dfal_keras.kcenter import farthest_first


@pytest.mark.parametrize("seed", range(5))
def test_greedy_equals_scikit_activeml(seed):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(200, 12))
    selected = rng.choice(200, 15, replace=False)
    labels = np.full(200, np.nan)
    labels[selected] = 0
    expected, _ = k_greedy_center(features, labels, batch_size=20)

    result = kcenter.greedy(features, selected, 20)

    np.testing.assert_array_equal(result.centers, expected)
    check(features, selected, 20, 0, result)


def test_greedy_without_selected_starts_closest_to_the_mean():
    features = np.array([[0.0], [4.0], [5.0], [11.0]])
    result = kcenter.greedy(features, [], 3)
    np.testing.assert_array_equal(result.centers, [2, 3, 0])
    assert result.radius == 1


def test_greedy_gives_ties_to_the_lowest_index():
    features = np.array([[0.0], [-1.0], [1.0], [-1.0], [1.0]])
    np.testing.assert_array_equal(kcenter.greedy(features, [0], 3).centers, [1, 2, 3])


@pytest.mark.parametrize("selected", [[], [0, 2]])
def test_greedy_never_chooses_a_point_twice(selected):
    features = np.ones((6, 2))
    result = kcenter.greedy(features, selected, 4)
    check(features, selected, 4, 0, result)
    assert result.radius == 0
    assert result.proven


@pytest.mark.parametrize("max_outliers", [0, 1, 2.9])
@pytest.mark.parametrize("kind", KINDS)
def test_robust_equals_brute_force_beside_tensorflow(kind, max_outliers):
    assert "tensorflow" in sys.modules
    for seed in range(2):
        for selected, num_centers in ([], 3), ([7, 0, 3], 2):
            features = points_of(kind, 9 + 3 * seed, seed)
            result = kcenter.robust(
                features,
                selected,
                num_centers,
                max_outliers=max_outliers,
            )
            check(features, selected, num_centers, max_outliers, result)
            expected = brute_force(features, selected, num_centers, int(max_outliers))
            assert result.radius == pytest.approx(expected, rel=1e-12, abs=1e-12)
            assert result.proven


def test_programs_where_no_tensorflow_is_loaded():
    """The tests of `kcenter_alone.py`: they call OR-Tools in their own process."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--noconftest", "kcenter_alone.py"],
        cwd=pathlib.Path(__file__).parents[2] / "helpers",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


@pytest.mark.parametrize("max_outliers", [0, 1])
@pytest.mark.parametrize("kind", KINDS)
def test_literal_equals_compact(kind, max_outliers):
    features = points_of(kind, 14, seed=3)
    for selected in [], [4, 9]:
        compact, literal = (
            kcenter.robust(
                features,
                selected,
                3,
                max_outliers=max_outliers,
                formulation=formulation,
            )
            for formulation in ("compact", "literal")
        )
        check(features, selected, 3, max_outliers, literal)
        assert literal.radius == compact.radius
        assert literal.proven
        assert compact.proven


@pytest.mark.parametrize("seed", range(4))
def test_radius_is_between_half_the_greedy_radius_and_it(seed):
    features = np.random.default_rng(seed).normal(size=(150, 6))
    selected = np.arange(20)
    bound = kcenter.greedy(features, selected, 5).radius
    result = kcenter.robust(features, selected, 5)
    assert result.proven
    assert bound / 2 <= result.radius <= bound
    # On these points the program does better: returning greedy's answer would not do.
    assert result.radius < bound


def test_points_that_join_later_count():
    """More points than the compact program starts with, and outliers among them."""
    features = np.random.default_rng(0).normal(size=(60, 2))
    for max_outliers in 0, 3:
        compact = kcenter.robust(features, [5], 2, max_outliers=max_outliers)
        check(features, [5], 2, max_outliers, compact)
        expected = brute_force(features, [5], 2, max_outliers)
        assert compact.radius == pytest.approx(expected, rel=1e-12)


def test_outliers_may_push_the_radius_below_half_of_greedys():
    features = np.array([[0.0], [1.0], [2.0], [100.0]])
    assert kcenter.greedy(features, [0], 1).radius == 2
    result = kcenter.robust(features, [0], 1, max_outliers=2)
    assert (result.radius, result.lower_bound, result.proven) == (0, 0, True)
    result = kcenter.robust(features, [1], 1, max_outliers=1)
    assert result.radius == 1
    assert result.proven


def test_everything_may_be_an_outlier():
    features = np.array([[0.0], [1.0], [5.0]])
    result = kcenter.robust(features, [], 1, max_outliers=1000)
    assert result.radius == 0
    assert result.proven


def cpu_seconds_of(search):
    """What a search costs its process: no wall-clock, so other load does not count."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = search()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, result


@pytest.mark.parametrize("formulation", ["compact", "literal"])
def test_time_out_keeps_the_best_and_says_so(formulation):
    n, time_limit = (2000, 1.0) if formulation == "compact" else (120, 0.3)
    features = np.random.default_rng(0).random((n, 2))
    greedy = kcenter.greedy(features, [], 30)
    search = functools.partial(
        kcenter.robust, features, [], 30, formulation=formulation
    )
    around, _ = cpu_seconds_of(lambda: search(time_limit=1e-9))
    spent, result = cpu_seconds_of(lambda: search(time_limit=time_limit))
    assert spent < time_limit + 2 * around + 2
    assert not result.proven
    assert 0 < result.lower_bound < result.radius <= greedy.radius
    check(features, [], 30, 0, result)


def test_time_out_before_the_first_program_returns_greedys_centers():
    features = np.random.default_rng(0).random((300, 2))
    greedy = kcenter.greedy(features, [3], 10)
    result = kcenter.robust(features, [3], 10, time_limit=1e-9)
    np.testing.assert_array_equal(result.centers, np.sort(greedy.centers))
    assert result.radius == greedy.radius
    assert not result.proven


def test_a_search_that_does_not_stop_is_stopped(monkeypatch):
    monkeypatch.setattr(kcenter.search, "_GRACE", 0)
    features = np.random.default_rng(0).random((300, 2))
    result = kcenter.robust(features, [3], 10, time_limit=0.01)
    greedy = kcenter.greedy(features, [3], 10)
    np.testing.assert_array_equal(result.centers, np.sort(greedy.centers))
    assert not result.proven


def test_a_search_that_crashes_says_so(monkeypatch):
    monkeypatch.setattr(kcenter.solver_process, "_CODE", "import os; os.abort()")
    with pytest.raises(RuntimeError, match="ended with status -6"):
        kcenter.robust(np.eye(5), [0], 2)


def test_a_process_that_never_reads_is_stopped(monkeypatch):
    """The arguments are more than a pipe holds."""
    monkeypatch.setattr(kcenter.solver_process, "_CODE", "import time; time.sleep(600)")
    arguments = {"features": np.zeros(10**6)}
    with pytest.raises(TimeoutError, match="No answer within 0.5 s"):
        kcenter.solver_process.run(arguments, timeout=0.5)
    assert not psutil.Process().children()


def test_a_process_without_answer_says_so(monkeypatch):
    monkeypatch.setattr(kcenter.solver_process, "_CODE", "import os; os._exit(0)")
    with pytest.raises(RuntimeError, match="ended with status 0"):
        kcenter.robust(np.eye(5), [0], 2)


_IN_THE_SEARCH = """
import os, pathlib
from dfal_keras.kcenter import solver_process, radius_search
search = radius_search.bisect
def bisect(**arguments):
    {do}
    return search(**arguments)
radius_search.bisect = bisect
solver_process.main()
"""


def test_what_a_solver_prints_is_no_answer(monkeypatch):
    code = _IN_THE_SEARCH.format(do="os.write(1, b'x' * 10**6)")
    monkeypatch.setattr(kcenter.solver_process, "_CODE", code)
    assert kcenter.robust([[0.0], [1.0], [2.0]], [], 1).radius == 1


def test_a_search_ends_with_its_parent(tmp_path):
    """As after kill -9, when nobody cleans up: no process, no file is left."""
    number = tmp_path / "number"
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    note = f"pathlib.Path({str(number)!r}).write_text(str(os.getpid()))"
    code = (
        "import numpy as np\n"
        "from dfal_keras import kcenter\n"
        f"kcenter.solver_process._CODE = {_IN_THE_SEARCH.format(do=note)!r}\n"
        "features = np.random.default_rng(0).random((2000, 2))\n"
        "kcenter.robust(features, [], 30, time_limit=600)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(temporary)}
    )
    try:
        while not (number.exists() and number.read_text()):
            assert parent.poll() is None
            time.sleep(0.1)
        search = psutil.Process(int(number.read_text()))
    finally:
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 20
    with contextlib.suppress(psutil.NoSuchProcess):
        while search.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                search.kill()
                pytest.fail("the search goes on without its parent")
            time.sleep(0.1)
    assert not list(temporary.iterdir())


def test_neighboring_floats_are_told_apart():
    """The mean of the last two bounds rounds up to the upper one."""
    epsilon = np.finfo(float).eps
    features = np.array([[0.0], [1 + 2 * epsilon], [-1 - epsilon]])
    # It takes milliseconds. One that stalls would use up the limit and prove nothing.
    result = kcenter.robust(features, [], 1, time_limit=60)
    assert result.proven
    assert result.radius == 1 + 2 * epsilon


def test_rounding_does_not_push_the_first_bound_above_the_optimum():
    """Halfway points whose distances, as computed, are less than half of the whole."""
    num_cases = 0
    for seed in range(500):
        left, right = np.random.default_rng(seed).normal(size=(2, 84))
        features = np.array([left, left, left, left, (left + right) / 2, right])
        pairs = farthest_first.distances_to(features, features)
        optimum = pairs[4].max()
        if optimum < pairs[0, 5] / 2:
            num_cases += 1
            result = kcenter.robust(features, [], 1)
            assert result.proven
            assert result.radius == optimum
    assert num_cases


def test_completed_centers_are_distinct():
    points, reach = np.ones((5, 1)), np.full(5, np.inf)
    centers, _ = farthest_first.complete(points, np.array([0, 2]), 4, reach)
    assert len(set(centers.tolist())) == 4


def test_order_of_the_points_does_not_matter():
    rng = np.random.default_rng(1)
    features, selected = rng.normal(size=(80, 5)), np.arange(6)
    order = rng.permutation(80)
    position = np.argsort(order)
    expected = kcenter.greedy(features, selected, 8)
    result = kcenter.greedy(features[order], position[selected], 8)
    np.testing.assert_array_equal(order[result.centers], expected.centers)
    expected = kcenter.robust(features, selected, 8, max_outliers=2)
    result = kcenter.robust(features[order], position[selected], 8, max_outliers=2)
    assert result.radius == expected.radius
    assert result.proven
    assert expected.proven


def test_same_arguments_same_centers():
    features = np.random.default_rng(2).normal(size=(120, 4))
    first, second = (kcenter.robust(features, [0, 1], 6) for _ in range(2))
    np.testing.assert_array_equal(first.centers, second.centers)


def test_distances_are_exact():
    """A pair's distance is one number, and duplicates are at zero, at any offset."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(1200, 84)).astype("float32") + np.float32(1e4)
    features[7] = features[1100]
    found = farthest_first.distances_to(features.astype("float64"), features[:300])
    np.testing.assert_array_equal(found[:, :300], found[:, :300].T)
    assert found[7, 1100] == 0
    offset = np.float32(1e4)
    expected = np.linalg.norm(
        (features - offset)[:300, None].astype("float64") - (features - offset), axis=2
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_float32_features_and_their_float64_copy_agree():
    features = np.random.default_rng(4).normal(size=(60, 3)).astype("float32") + 1e3
    single = kcenter.robust(features, [0], 4)
    double = kcenter.robust(features.astype("float64"), [0], 4)
    assert single.radius == double.radius


def test_result_is_frozen():
    result = kcenter.greedy([[0.0], [1.0]], [0], 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.radius = 0.0


GOOD = {"features": np.arange(8.0).reshape(4, 2), "selected": [0], "num_centers": 2}
BAD_POINTS = [
    ({"features": np.arange(4.0)}, "features"),
    ({"features": np.empty((0, 2))}, "features"),
    ({"features": [["a"], ["b"], ["c"]]}, "features"),
    ({"features": [[0.0], [np.nan], [1.0]]}, "features"),
    ({"features": [[0.0], [np.inf], [1.0]]}, "features"),
    ({"selected": [4]}, "selected"),
    ({"selected": [-1]}, "selected"),
    ({"selected": [1, 1]}, "selected"),
    ({"selected": [0.5]}, "selected"),
    ({"selected": [[0], [1]]}, "selected"),
    ({"selected": np.array([True, False, False, False])}, "selected"),
    ({"num_centers": 0}, "num_centers"),
    ({"num_centers": 4}, "num_centers"),
    ({"num_centers": 1.5}, "num_centers"),
]
BAD_OPTIONS = [
    ({"max_outliers": -1}, "max_outliers"),
    ({"max_outliers": np.nan}, "max_outliers"),
    ({"formulation": "loose"}, "formulation"),
    ({"solver": "gurobi"}, "solver"),
    ({"time_limit": 0}, "time_limit"),
    ({"time_limit": np.nan}, "time_limit"),
]


@pytest.mark.parametrize(("changes", "name"), BAD_POINTS)
def test_greedy_refuses_bad_arguments(changes, name):
    with pytest.raises(ValueError, match=rf"^Argument `{name}` must be .*Received: "):
        kcenter.greedy(**{**GOOD, **changes})


@pytest.mark.parametrize(("changes", "name"), BAD_POINTS + BAD_OPTIONS)
def test_robust_refuses_bad_arguments(changes, name):
    with pytest.raises(ValueError, match=rf"^Argument `{name}` must be .*Received: "):
        kcenter.robust(**{**GOOD, **changes})
