"""The figures of the report draw the numbers that they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from experiments.analysis import report_figures
from experiments.analysis.claims import table as claims
from experiments.methods import DFAL, RANDOM
from experiments.studies.controls import DFAL_COPIES
from scipy import stats


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def curve(values):
    return pd.DataFrame({0: values, 1: values}, index=[100, 1000], dtype=float)


def points(panel, face=None):
    """Return the coordinates of the round markers, of one face color or all."""
    return [
        tuple(line.get_xydata()[0])
        for line in panel.lines
        if line.get_marker() == "o" and face in (None, line.get_markerfacecolor())
    ]


def test_gaps_are_ours_minus_the_papers_by_both_readings():
    figure = report_figures.gaps_to_paper(
        {"A": curve([80, 95]), "B": curve([90, 85])},
        {"A": {100: 82.5, 1000: 95}, "B": {100: 60, 1000: 84}},
    )
    early, late = figure.axes
    assert points(early, "white") == [(-2.5, 0), (report_figures.MAX_GAP, 1)]
    assert [text.get_text() for text in early.texts] == ["+30", "+30"]
    assert points(late, "white") == [(0, 0), (1, 1)]
    assert points(late, "black") == [(0, 0), (6, 1)]  # its best so far is 90


def test_cells_of_the_heatmap():
    matrix = pd.DataFrame([[0, 0.25], [1, 0.5]], ["a", "b"], ["c", "d"])
    _, panel = plt.subplots()
    report_figures.heatmap(panel, matrix)
    texts = {text.get_position(): text.get_text() for text in panel.texts}
    expected = {(0, 0): "0.00", (1, 0): "0.25", (0, 1): "1.00", (1, 1): "0.50"}
    assert texts == expected


def test_means_of_companions_leave_out_what_was_not_run():
    found = {"none": pd.Series([70.0, 80.0]), "copies": pd.Series(dtype=float)}
    figure = report_figures.companions(
        {"DFAL": found, "RANDOM": {"copies": found["none"]}}
    )
    first, second = figure.axes
    assert points(first) == points(second) == [(0, 75)]
    assert [tick.get_text() for tick in first.get_xticklabels()] == ["none\nn=2"]
    assert [tick.get_text() for tick in second.get_xticklabels()] == ["copies\nn=2"]


def test_a_comparison_is_shown_only_if_it_is_complete():
    values = pd.Series([1.0, 2.0, 3.0])
    differences = {
        name: pd.DataFrame({"area": values})
        for name in ("shown", "not shown", "too few")
    }
    differences["not run"] = pd.DataFrame({"area": []})
    lines = report_figures.forest_lines(
        differences,
        {"shown": 0.01, "not shown": 0.05, "too few": 0.01, "not run": np.nan},
        {"shown": 3, "not shown": 3, "too few": 4, "not run": 3},
    )
    assert list(lines.index) == ["shown", "not shown", "too few"]
    assert list(lines["is_shown"]) == [True, False, False]
    assert list(lines["is_complete"]) == [True, True, False]
    margin = stats.t.ppf(0.975, 2) * values.std() / np.sqrt(3)
    assert list(lines["low"]) == pytest.approx([2 - margin] * 3)
    assert list(lines["high"]) == pytest.approx([2 + margin] * 3)


def test_forest_has_a_line_for_each_comparison():
    line = {"mean": 2.0, "low": 1.0, "high": 3.0, "n": 5}
    table = pd.DataFrame(
        [
            line | {"is_shown": True, "is_complete": True},
            line | {"is_shown": False, "is_complete": False, "mean": -1.0},
        ],
        index=["a − b", "a − c"],
    )
    figure = report_figures.forest({"first": table, "empty": table.iloc[:0]})
    (panel,) = figure.axes
    labels = [tick.get_text() for tick in panel.get_yticklabels()]
    assert labels == ["first", "a − b", "a − c"]
    assert points(panel) == [(2, 1), (-1, 2)]
    assert points(panel, "white") == [(-1, 2)]


def test_norms_are_means_over_trials():
    measured = pd.DataFrame(
        {
            "strategy": ["dfal", "dfal", "dfal", "random"],
            "trial": [0, 1, 0, 0],
            "num_annotations": [100, 100, 300, 100],
            "mean": [1.0, 2.0, 3.0, 5.0],
        }
    )
    _, panel = plt.subplots()
    report_figures.norms(panel, measured, [DFAL, DFAL_COPIES, RANDOM])
    drawn = [container.lines[0].get_xydata().tolist() for container in panel.containers]
    assert drawn == [[[100, 1.5], [300, 3]], [[100, 5]]]


def test_claims_by_panel():
    cases = pd.DataFrame(
        {
            "claim": ["1", "1", "3a", "24"],
            "panel": ["MNIST (LeNet5)", "MNIST (LeNet5)", "", ""],
            "verdict": ["holds", "undecided", "holds", "does not hold"],
        }
    ).set_index("claim")
    verdicts = claims.by_panel(cases)
    rows = {name.split("  ")[0]: row for name, row in verdicts.iterrows()}
    assert list(rows) == [claim.number for claim in claims.CLAIMS]
    assert rows["1"]["MNIST (LeNet5)"] == "undecided"  # one doubt is enough
    assert rows["1"]["MNIST (VGG8)"] == claims.NOT_RUN
    assert rows["1"]["no panel"] == ""
    assert rows["3a"]["no panel"] == "holds"
    assert rows["4"]["MNIST (VGG8)"] == ""  # it is about one panel
    figure = report_figures.claims_by_panel(verdicts)
    drawn = figure.axes[0].images[0].get_array()
    assert drawn.shape == verdicts.shape
    assert drawn[list(rows).index("24"), -1] == 1
