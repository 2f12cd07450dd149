import subprocess
import sys
from pathlib import Path

import figure1
import keras
import numpy as np
import pandas as pd
import pytest
from experiments.analysis import margins, toy_figure
from experiments.running import toy_problem

FILES = {"figure1.png", "figure1.pdf", "figure1.md", "figure1.csv"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of the figure, made by `main`."""
    folder = tmp_path_factory.mktemp("figure1")
    assert figure1.main(["--output", str(folder)]) == 0
    return folder / "figures"


@pytest.fixture(scope="module", params=[0, toy_problem.SEED])
def toy(request):
    """A trained network, its boundary and the unlabeled points."""
    x, _, model = toy_problem.make(request.param)
    pool = x[toy_problem.NUM_LABELED :]
    return model, margins.boundary(model, toy_figure.VIEW)[1], pool


def test_figure_and_table_are_written(finished, tmp_path, capfd):
    assert figure1.main(["--output", str(tmp_path)]) == 0
    shown, noise = capfd.readouterr()
    assert not noise
    assert {path.name for path in finished.iterdir()} == FILES
    assert (finished / "figure1.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert (finished / "figure1.pdf").read_bytes().startswith(b"%PDF-")
    assert min(path.stat().st_size for path in finished.glob("*.p*")) > 10_000
    assert (finished / "figure1.md").read_text().strip() in shown
    for name in FILES:  # the same seed gives the same files
        again = tmp_path / "figures" / name
        assert again.read_bytes() == (finished / name).read_bytes(), name


def test_the_table_tells_the_papers_story(finished):
    table = pd.read_csv(finished / "figure1.csv", index_col="scenario")
    margin, neighbor, attack, dfal_row = (row for _, row in table.iterrows())
    assert margin["its distance"] == margin["true distance"]
    assert margin["query"] == attack["query"] != neighbor["query"]
    assert neighbor["its distance"] > neighbor["true distance"]
    pd.testing.assert_series_equal(attack, dfal_row, check_names=False)
    medians = table.filter(like="closest").iloc[:, 0]
    assert medians.iloc[0] == 1 < medians.iloc[2] < medians.iloc[1]


def test_foot_on_a_linear_boundary_is_the_closed_form():
    normal, offset = np.array([0.6, -1.7]), 0.4
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.set_weights([normal[:, None], np.array([offset])])
    points = np.random.default_rng(0).uniform(-0.9, 1.4, (50, 2))
    steps = (points @ normal + offset) / (normal @ normal)
    _, segments = margins.boundary(model, toy_figure.VIEW)
    feet = margins.nearest_on_boundary(segments, points)
    np.testing.assert_allclose(feet, points - steps[:, None] * normal, atol=1e-5)


def test_foot_on_a_circle_is_the_closed_form():
    class Circle:
        def predict(self, points, **options):
            return (points**2).sum(axis=1, keepdims=True) - 1

    points = np.random.default_rng(0).uniform(-0.9, 1.4, (50, 2))
    _, segments = margins.boundary(Circle(), toy_figure.VIEW)
    feet = margins.nearest_on_boundary(segments, points)
    lengths = np.linalg.norm(points, axis=1)
    found = np.linalg.norm(feet - points, axis=1)
    np.testing.assert_allclose(found, np.abs(lengths - 1), atol=5e-5)


def test_the_trained_boundary_is_met_at_the_foot_and_not_before(toy):
    model, segments, pool = toy
    feet = margins.nearest_on_boundary(segments, pool)
    assert np.abs(model.predict(feet, verbose=0)).max() < 0.02
    # Slightly smaller discs around the pool's points contain no other class.
    angles = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    rays = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    radii = np.linalg.norm(feet - pool, axis=1) - 1e-3
    shares = np.linspace(0.05, 1, 20)
    discs = pool[:, None, None] + (radii[:, None] * shares)[..., None, None] * rays
    sides = model.predict(discs.reshape(-1, 2), batch_size=8192, verbose=0) > 0
    own = model.predict(pool, verbose=0) > 0
    assert (sides.reshape(len(pool), -1) == own).all()


@pytest.mark.parametrize("num_classes", [2, 4])
def test_nearest_of_other_class_is_brute_forces(num_classes):
    rng = np.random.default_rng(num_classes)
    points, classes = rng.normal(size=(40, 2)), np.arange(40) % num_classes
    rows = margins.nearest_of_other_class(points, classes)
    for i, found in enumerate(rows):
        others = [j for j in range(40) if classes[j] != classes[i]]
        best = min(others, key=lambda j: np.hypot(*(points[j] - points[i])))
        assert found == best


def test_one_class_has_no_neighbor_of_another():
    with pytest.raises(ValueError, match="`classes` must have two"):
        margins.nearest_of_other_class(np.zeros((3, 2)), np.zeros(3))


def test_no_scenario_comes_closer_than_the_boundary(toy):
    model, segments, pool = toy
    scenarios = toy_problem.choose(model, segments, pool)
    true = scenarios["true margin"][1]
    own = model.predict(pool, verbose=0) > 0
    for name, (targets, distances) in scenarios.items():
        assert (distances >= true - 1e-3).all(), name
        lengths = np.linalg.norm(targets - pool, axis=1)
        np.testing.assert_allclose(lengths, distances, rtol=1e-4, atol=1e-5)
        if name != "true margin":  # its targets are on the boundary, not beyond
            assert ((model.predict(targets, verbose=0) > 0) != own).all(), name


def test_help_needs_no_tensorflow():
    script = Path(figure1.__file__)
    code = (
        "import sys, runpy; sys.argv = ['figure1.py', '--help']\n"
        f"sys.path.insert(0, {str(script.parent)!r})\n"
        f"try: runpy.run_path({str(script)!r}, run_name='__main__')\n"
        "except SystemExit: pass\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--seed" in done.stdout
