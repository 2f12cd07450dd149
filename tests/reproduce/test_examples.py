"""The labels of adversarial examples, by a network that has not seen them."""

import examples as script
import numpy as np
import pandas as pd
import pytest
from experiments import runs, store
from experiments.running import example_labels, execution, problem_training

RUN = runs.Run.named("mnist-lenet5", "dfal", 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("examples")
    execution.perform(RUN, (30,), path / "runs", lambda row: None)
    return path


class LinearTraining:
    """A stand-in that learns from a few digits, and records what it is given."""

    def __init__(self, train):
        self.model, self._train, self.received = train.model, train, []

    def __call__(self, x, y, *, seed):
        self.received.append((np.asarray(x), y))
        return self._train(x[:300], y[:300], seed=seed)


@pytest.mark.slow
def test_examples_keep_the_labels_of_their_originals(folder, monkeypatch):
    original = problem_training.make_training
    made = []

    def make(problem, **recipe):
        made.append(LinearTraining(original(problem, **recipe)))
        return made[-1]

    monkeypatch.setattr(problem_training, "make_training", make)
    (found,) = example_labels.check([RUN], store.Store(folder / "runs"))
    assert found.num_examples == 20
    ((x, y),) = made[0].received
    assert len(x) == len(y) == 60_000 - 30  # without what was queried
    assert 0 < found.median_norm < 2550
    with np.load(folder / "runs/mnist-lenet5_dfal_0.npz") as stored:
        rows = stored["indices"][stored["adversarial_rows"]]
        r = stored["adversarial_examples"]
    (digits, labels), _ = problem_training.load_data("mnist")
    r = r - digits[rows].astype("float32")
    norms = np.sqrt((r**2).sum(axis=(1, 2, 3)))
    assert found.median_norm == pytest.approx(np.median(norms), rel=1e-4)
    predicted = made[0].model.predict(digits[rows], verbose=0).argmax(axis=1)
    assert found.originals == pytest.approx((predicted == labels[rows]).mean())


def test_a_run_without_a_labeled_set(tmp_path):
    with pytest.raises(ValueError, match="has no labeled set"):
        list(example_labels.check([RUN], store.Store(tmp_path)))


@pytest.mark.slow
def test_the_script(folder, monkeypatch, capsys):
    rows = [example_labels.Labels(0, 20, 15.0, 0.01, 0.95, 1.0)]
    monkeypatch.setattr(example_labels, "check", lambda *_: iter(rows))
    assert script.main(["--output", str(folder)]) == 0
    table = pd.read_csv(folder / "tables/examples.csv", index_col=0)
    assert table.loc[0, "examples"] == 0.95
    assert script.main(["--output", str(folder), "--stored"]) == 0
    assert "0.95" in capsys.readouterr().out


def test_without_a_stored_run(tmp_path, capsys):
    assert script.main(["--output", str(tmp_path)]) == 2
    assert "--problem mnist-lenet5" in capsys.readouterr().err
