"""Robustness: norms of retrained networks, the attack beside DeepFool, and tables."""

import keras
import numpy as np
import pandas as pd
import pytest
import robustness as script
from experiments import measured_norms, options, runs, store
from experiments.analysis import robustness as analysis
from experiments.problems import PROBLEMS
from experiments.running import execution, norms, problem_training

MNIST = PROBLEMS["mnist-lenet5"]
RUN = runs.Run.named("mnist-lenet5", "random", 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("robustness")
    execution.perform(RUN, (30,), path / "runs", lambda row: None)
    return path


@pytest.mark.slow
def test_the_network_of_a_round_is_trained_again(folder):
    found = norms.measure(RUN, 20, folder / "runs")
    rows = store.Store(folder / "runs").rows(RUN).set_index("num_annotations")
    assert found.accuracy == rows.loc[20, "accuracy"]
    assert found.num_fooled == norms.NUM_IMAGES
    assert 0 < found.median < 28  # pixels in [0, 1]
    assert np.isnan(found.ddn)


@pytest.mark.slow
def test_norms_are_in_units_of_the_pixel_range(folder):
    """Of a linear model of two classes, both attacks know the distance."""
    model = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    rng = np.random.default_rng(0)
    weights, bias = rng.normal(size=(5, 2)), rng.normal(size=2) / 10
    model.set_weights([weights, bias])
    images = rng.uniform(0, 255, size=(20, 5)).astype("float32")
    w, b = weights[:, 1] - weights[:, 0], bias[1] - bias[0]
    expected = np.abs(images / 255 @ w + b) / np.linalg.norm(w)
    found = norms.ddn_norms(model, images)
    assert found == pytest.approx(expected, rel=0.05, abs=0.01)


def measured(**means):
    """Rows of trials with these mean norms at 300 annotations."""
    return pd.DataFrame(
        {
            "strategy": strategy,
            "trial": trial,
            "num_annotations": 300,
            "accuracy": 0.9,
            "mean": mean,
            "median": mean - 0.1,
            "num_fooled": 1000,
            "deepfool": 3 * mean,
            "ddn": 2 * mean,
        }
        for strategy, values in means.items()
        for trial, mean in enumerate(values)
    )


def test_tables():
    rows = measured(dfal=[1.0, 1.2, 1.1], random=[2.0, 2.3, 2.2, 9.0])
    table = analysis.norms_table(rows)
    assert table.loc["DFAL", "300: mean"] == "1.10 ± 0.10 (n=3)"
    assert table.loc["DFAL", "300: median"] == "1.00 ± 0.10 (n=3)"
    assert table.loc["DFAL", "100: mean"] == ""
    line = analysis.difference_table(rows).loc["DFAL − RANDOM"]
    assert line["n"] == "3"  # paired
    assert line["mean norm at 300"].startswith("-1.07 [")
    # t of differences -1, -1.1, -1.1 is -32; of four comparisons, this one was run.
    assert float(line["p (Holm)"]) == pytest.approx(4 * 0.00097, rel=0.05)
    assert line["shows"] == "3 of 5 trials"
    whole = measured(dfal=[1.0, 1.2, 1.1, 1.1, 1.0], random=[2.0, 2.3, 2.2, 2.1, 2.2])
    assert analysis.difference_table(whole).loc["DFAL − RANDOM", "shows"] == "lower"
    assert analysis.ratio_table(rows).loc["DFAL", "ratio"] == "1.500 ± 0.000 (n=3)"


def test_the_script_measures_what_is_left(folder, monkeypatch, capsys):
    calls = []

    def measure(run, num_annotations, runs_folder, *, with_ddn):
        calls.append((run.method.name, num_annotations, with_ddn))
        return measured_norms.Measured(num_annotations, 0.9, 1.5, 1.4, 1000)

    monkeypatch.setattr(norms, "measure", measure)
    monkeypatch.setattr(analysis, "BUDGETS", (10, 20, 50))
    arguments = ["--output", str(folder)]
    for _ in range(2):
        assert script.main(arguments) == 0
        assert calls == [("random", 10, False), ("random", 20, False)]
    assert "RANDOM" in capsys.readouterr().out
    rows = pd.read_csv(folder / f"robustness/{RUN}.csv")
    assert rows["num_annotations"].tolist() == [10, 20]
    assert (folder / "tables/robustness.md").exists()


def test_the_script_shows_stored_files(tmp_path, capsys):
    """Numbers of files, where other runs have none, are numbers: t needs them."""
    written = measured(dfal=[1.0, 1.2, 1.1], random=[2.0, 2.3, 2.2])
    (tmp_path / "robustness").mkdir()
    for (method, trial), rows in written.groupby(["strategy", "trial"]):
        run = runs.Run.named("mnist-lenet5", method, trial)
        path = tmp_path / f"robustness/{run}.csv"
        rows[list(measured_norms.COLUMNS)].to_csv(path, index=False)
    options = ["--preset", "paper", "--stored", "--output", str(tmp_path)]
    assert script.main(options) == 0
    assert "-1.07 [-1.21, -0.92]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("preset", "num_trials", "expected"),
    [("paper", None, 6), ("paper", 3, 3), ("quick", None, 1)],
)
def test_trial_5_takes_the_place_of_trial_0(tmp_path, preset, num_trials, expected):
    asked = options.of_preset(
        preset, problems=(MNIST,), output=tmp_path, num_trials=num_trials
    )
    (tmp_path / "robustness").mkdir()
    for trial in range(7):
        run = runs.Run.named(MNIST.name, "dfal", trial)
        row = pd.DataFrame([{"num_annotations": 300, "mean": 1.0}])
        row.to_csv(tmp_path / f"robustness/{run}.csv", index=False)
    assert list(measured_norms.rows(asked)["trial"]) == list(range(expected))


def test_nothing_is_written_without_measurements(tmp_path):
    assert script.main(["--stored", "--output", str(tmp_path)]) == 0
    assert not list(tmp_path.iterdir())


def test_a_run_without_a_labeled_set(tmp_path):
    with pytest.raises(ValueError, match="has no labeled set"):
        norms.measure(RUN, 10, tmp_path)


def test_training_is_that_of_the_strategy(monkeypatch, folder):
    seen = []
    original = problem_training.make_training

    def record(problem, **recipe):
        seen.append(recipe)
        return original(problem, **recipe)

    monkeypatch.setattr(problem_training, "make_training", record)
    run = runs.Run.named("mnist-lenet5", "dfal_grouped", 0)
    with pytest.raises(ValueError, match="has no labeled set"):
        norms.measure(run, 10, folder / "runs")
    assert seen[0]["group_split"] is True
