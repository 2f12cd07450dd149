"""Paired comparisons of a study, against closed forms and simulated trials."""

import math

import numpy as np
import pandas as pd
import pytest
from experiments.analysis import comparisons
from experiments.methods import DFAL, EGL
from experiments.problems import PROBLEMS
from helpers.made_up_rows import LENET5, made_up
from scipy import stats


def table(*trials, step=10):
    """Accuracies of trials at step, 2 step, ... annotations."""
    index = step * np.arange(1, len(trials[0]) + 1)
    return pd.DataFrame(dict(enumerate(trials)), index=index, dtype=float)


def test_curves_are_of_the_trials_that_reached_the_budget():
    rows = pd.concat(
        [
            made_up("dfal", [[50, 60, 70, 80], [55, 65, 75, 85]], step=10),
            made_up("dfal", [[1, 2, 3]], step=10).assign(trial=2),
        ]
    )
    found = comparisons.curves(rows, PROBLEMS[LENET5], DFAL, 40)
    assert list(found) == [0, 1]
    assert found[1].tolist() == pytest.approx([55, 65, 75, 85])
    found = comparisons.curves(rows, PROBLEMS[LENET5], DFAL, 30)
    assert list(found) == [0, 1, 2]
    assert list(found.index) == [10, 20, 30]
    assert comparisons.curves(rows, PROBLEMS[LENET5], DFAL, 50).empty
    assert comparisons.curves(rows, PROBLEMS[LENET5], EGL, 30).empty


def test_the_area_of_a_straight_line_is_its_middle():
    assert comparisons.area(table([40, 50, 60, 70]))[0] == pytest.approx(55)
    bent = table([0, 0, 100], step=5)  # 5 of 10 annotations at a mean of 50
    assert comparisons.area(bent)[0] == pytest.approx(25)
    assert comparisons.area(table([40, 70])[:1])[0] == 40


def test_differences_are_paired_and_on_shared_annotations():
    one = pd.DataFrame({0: [10, 40], 2: [20, 60]}, index=[10, 110], dtype=float)
    other = pd.DataFrame(
        {2: [18, 90, 50], 1: [0, 0, 0]}, index=[10, 60, 110], dtype=float
    )
    found = comparisons.differences(one, other, [60, 110, 210])
    assert list(found.index) == [2]
    assert list(found) == ["area", 110]
    assert found[110].tolist() == [10]
    assert found["area"].tolist() == [(2 + 10) / 2]  # not the 90 at 60 annotations
    assert comparisons.differences(one, other[[1]], [110])["area"].empty


def test_the_interval_is_student_s():
    """The quantile of four degrees of freedom is 2.776."""
    values = pd.Series([1.0, 2.0, 3.0, 4.0, 5.0])
    half = 2.7764451 * math.sqrt(2.5) / math.sqrt(5)
    assert comparisons.interval(values) == pytest.approx((3 - half, 3 + half))
    shown = f"+3.00 [{3 - half:+.2f}, {3 + half:+.2f}]"
    assert comparisons.format_difference(values) == shown
    assert comparisons.verdict(values) == "higher"
    assert comparisons.verdict(-values) == "lower"
    assert comparisons.verdict(values - 3) == "no difference shown"
    assert comparisons.verdict(pd.Series([2.0, 2.0, 2.0])) == "higher"


def test_p_is_student_s():
    values = pd.Series([1.0, 2.0, 3.0, 4.0, 5.0])
    t = 3 / math.sqrt(2.5 / 5)
    assert comparisons.p_value(values) == pytest.approx(2 * stats.t.sf(t, 4))
    assert comparisons.p_value(-values) == comparisons.p_value(values)
    assert math.isnan(comparisons.p_value(values[:2]))
    # p is below 0.05 where the interval excludes zero.
    assert comparisons.p_value(values - 1.03) < 0.05 < comparisons.p_value(values - 1.1)


@pytest.mark.filterwarnings("error")  # such as of scipy
@pytest.mark.parametrize(("value", "p", "shown"), [(2, 0, "higher"), (-2, 0, "lower")])
def test_equal_trials_have_no_spread(value, p, shown):
    values = pd.Series([value] * 4, dtype=float)
    assert comparisons.p_value(values) == p
    assert comparisons.verdict(values) == shown
    assert comparisons.verdict_by_p(values, p, 4) == shown
    assert comparisons.verdict_by_p(values, p, 5) == "4 of 5 trials"
    assert comparisons.verdict_by_p(values[:0], math.nan, 5) == ""
    assert comparisons.smallest_shown(values) == 0
    assert comparisons.interval(values) == (value, value)
    text = f"{value:+.2f} [{value:+.2f}, {value:+.2f}]"
    assert comparisons.format_difference(values) == text
    none = pd.Series([0.0] * 4)
    assert comparisons.interval(none) == (0, 0)
    assert comparisons.p_value(none) == 1
    assert comparisons.verdict(none) == "no difference shown"


@pytest.mark.parametrize("spread", [1e-12, 1e-3])
def test_a_small_spread_is_a_spread(spread):
    """Student's t does not depend on the scale."""
    values = pd.Series([-1.0, 0.5, 1.0, 1.5, 3.0])
    found = comparisons.interval(spread * values)
    expected = [spread * end for end in comparisons.interval(values)]
    assert found == pytest.approx(expected, rel=1e-9, abs=0)
    assert comparisons.verdict(spread * values) == "no difference shown"
    p = comparisons.p_value(spread * values)
    assert p == pytest.approx(comparisons.p_value(values))
    assert 0.1 < p < 0.2


def test_holm_s_adjustment():
    """The example of Holm's method in many textbooks, in another order."""
    found = comparisons.holm([0.04, 0.01, 0.03, 0.005])
    assert found == pytest.approx([0.06, 0.03, 0.06, 0.02])
    assert comparisons.holm([0.9, 0.8]) == [1, 1]
    assert comparisons.holm([]) == []
    found = comparisons.holm([0.01, math.nan, 0.02])  # of three registered
    assert found[0] == pytest.approx(0.03)
    assert math.isnan(found[1])
    assert found[2] == pytest.approx(0.04)


def test_holm_rejects_what_the_literal_procedure_does():
    rng = np.random.default_rng(0)
    for _ in range(200):
        p = rng.uniform(0, 0.08, size=6) ** rng.integers(1, 3)
        rejected = set()
        for rank, place in enumerate(np.argsort(p)):
            if p[place] >= 0.05 / (6 - rank):
                break
            rejected.add(place)
        found = {i for i, adjusted in enumerate(comparisons.holm(p)) if adjusted < 0.05}
        assert found == rejected


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0123, "0.012"), (1.0, "1"), (0.00001, "< 0.0001"), (math.nan, "")],
)
def test_p_as_text(p, text):
    assert comparisons.format_p(p) == text


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_trials_decide_nothing(n):
    values = pd.Series([5.0] * n, dtype=float)
    assert comparisons.verdict(values) == ""
    assert comparisons.format_difference(values) == ("+5.00" if n else "")


@pytest.mark.slow
def test_the_interval_misses_as_often_as_it_says():
    """Without a difference, 5 % of 2,000 intervals of five trials exclude zero."""
    rng = np.random.default_rng(0)
    missed = [
        comparisons.verdict(pd.Series(rng.normal(size=5))) != "no difference shown"
        for _ in range(2000)
    ]
    assert np.mean(missed) == pytest.approx(0.05, abs=0.015)
