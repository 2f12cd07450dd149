"""Areas, penalties and label efficiency, against closed forms and stored runs."""

import compare
import numpy as np
import pandas as pd
import pytest
from experiments import options, store
from experiments.analysis import comparisons, field
from experiments.methods import BALD, DFAL, EGL, PRINTED, RANDOM
from experiments.problems import PROBLEMS
from experiments.runs import Run

BUDGETS = np.arange(10, 171, 10)


def curve(values, spread=0.0, n=5, seed=0):
    rng = np.random.default_rng(seed)
    table = np.tile(np.asarray(values, float)[:, None], n)
    return pd.DataFrame(table + spread * rng.normal(size=table.shape), index=BUDGETS)


@pytest.fixture(scope="module")
def stored():
    """The committed curves of Table 1(a)."""
    kept = store.Store(options.default_output("paper") / "runs")
    wanted = [
        Run(PROBLEMS["mnist-lenet5"], method, trial)
        for method in PRINTED
        for trial in range(5)
    ]
    rows, _ = kept.load(wanted)
    return {
        method: comparisons.curves(rows, PROBLEMS["mnist-lenet5"], method, 1000)
        for method in PRINTED
    }


def test_numbers_of_another_computation(stored):
    """They were computed from the rows independently of this code."""
    areas = field.area_table(stored)["mean accuracy"].str.split().str[0].astype(float)
    assert areas.to_dict() == {
        **{"DFAL": 93.53, "CORE-SET": 90.98, "BALD": 89.74, "RANDOM": 88.75},
        **{"CEAL": 88.42, "uncertainty": 87.35, "EGL": 53.68},
    }
    p = field.area_table(stored)["p (Holm)"].iloc[1:].astype(float)
    assert p.max() == pytest.approx(0.0034, abs=5e-5)
    means = field.penalty_matrix(stored).loc["mean"].round(2)
    assert means.to_dict() == {
        **{"DFAL": 0.0, "CORE-SET": 0.08, "BALD": 0.16, "RANDOM": 0.18},
        **{"CEAL": 0.24, "uncertainty": 0.31, "EGL": 0.59},
    }
    ratios = field.label_efficiency(stored, (100, 1000)).loc["DFAL"]
    assert ratios.tolist() == ["1.4", "3.0"]


def test_penalties_of_curves_that_cross():
    """One is above at 20, 30 and 50 annotations, the other at 90 and 170."""
    one = np.where(BUDGETS <= 50, 80.0, 70.0)
    curves = {DFAL: curve(one, 0.1), RANDOM: curve(150 - one, 0.1, seed=1)}
    found = field.penalty_matrix(curves)
    assert field.penalty_budgets(170) == [20, 30, 50, 90, 170]
    assert found.loc["DFAL", "RANDOM"] == pytest.approx(3 / 5)
    assert found.loc["RANDOM", "DFAL"] == pytest.approx(2 / 5)
    assert found.loc["mean", "RANDOM"] == pytest.approx(3 / 5 / 2)
    assert found.loc["DFAL", "DFAL"] == 0


def test_two_trials_have_no_penalties():
    curves = {method: curve(BUDGETS, 0.1, n=2) for method in (DFAL, RANDOM)}
    assert np.isnan(field.penalty_matrix(curves).loc["DFAL", "RANDOM"])


def test_label_efficiency_is_a_ratio_of_annotations():
    curves = {
        DFAL: curve(2 * BUDGETS),
        RANDOM: curve(BUDGETS),
        EGL: curve(0 * BUDGETS),
    }
    found = field.label_efficiency(curves, (100, 120))
    assert found.loc["DFAL"].tolist() == ["2.0", "2.0"]
    assert found.loc["RANDOM"].tolist() == ["1.0", "1.0"]
    assert found.loc["EGL"].tolist() == ["< 0.6", "< 0.7"]


def test_p_of_areas_is_adjusted_over_all_pairs():
    curves = {
        name: curve(BUDGETS + gain, 2.0, seed=seed)
        for seed, (name, gain) in enumerate([(DFAL, 3), (BALD, 0), (RANDOM, 1)])
    }
    areas = {name: comparisons.area(each) for name, each in curves.items()}
    pairs = [(DFAL, BALD), (DFAL, RANDOM), (BALD, RANDOM)]
    p = [comparisons.p_value(areas[a] - areas[b]) for a, b in pairs]
    expected = comparisons.format_p(comparisons.holm(p)[0])
    assert field.area_table(curves).loc["BALD", "p (Holm)"] == expected


def test_a_panel_is_compared_to_the_last_budget_of_its_runs(capsys):
    """The areas were computed from the rows independently of this code."""
    assert compare.main(["--problem", "quick_draw_small-lenet5"]) == 0
    printed = capsys.readouterr().out
    assert "to 500 annotations" in printed
    for area in (87.80, 80.34, 83.87, 84.61, 60.55, 83.62, 84.19):
        assert f"{area:.2f} ±" in printed


def test_the_script_needs_no_runs(tmp_path, capsys):
    assert compare.main(["--output", str(tmp_path)]) == 0
    assert not list(tmp_path.iterdir())
    assert "Label efficiency" in capsys.readouterr().out
