import math

import matplotlib
import matplotlib.figure
import pytest
from scipy import stats

from dfal_keras.labeling.training_history import TrainingRecord
from dfal_keras.labeling.views import learning_curve


def test_accuracies_are_drawn_with_wilson_intervals():
    axes = matplotlib.figure.Figure().add_subplot()
    curves = {"held out": [(20, 3, 4), (40, 8, 8)], "sample": [(40, 0, 10)]}
    learning_curve.draw(axes, curves)
    assert [line.get_label() for line in axes.lines] == list(curves)
    drawn = [line.get_xydata().tolist() for line in axes.lines]
    assert drawn == [[[20, 75], [40, 100]], [[40, 0]]]
    for points, lines in zip(curves.values(), axes.collections, strict=True):
        for (labels, right, size), ends in zip(
            points, lines.get_segments(), strict=True
        ):
            limits = stats.binomtest(right, size).proportion_ci(method="wilson")
            assert ends[:, 0].tolist() == [labels] * 2
            assert ends[:, 1] / 100 == pytest.approx(tuple(limits), abs=1e-4)


@pytest.mark.parametrize("accuracy", [0.5, math.nan])
@pytest.mark.parametrize("checked", [None, (0, 0), (3, 4)])
def test_a_picture_is_written_whatever_is_known(
    tmp_path, monkeypatch, accuracy, checked
):
    monkeypatch.setitem(matplotlib.rcParams, "text.usetex", True)
    num_held_out = 0 if math.isnan(accuracy) else 4
    row = TrainingRecord("", 20, 26, num_held_out, accuracy, math.nan, 1.5, "")
    learning_curve.write_curve(tmp_path / "curve.png", [row], checked)
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
