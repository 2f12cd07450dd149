"""The errors of CEAL's pseudo-labels."""

import examples
import numpy as np
import pandas as pd
import pseudo_labels as script
import pytest
import robustness
from experiments import protocol, runs
from experiments.running import pseudo_errors
from experiments.running.problem_training import Trainer

import dfal_keras as dfal

RUN = runs.Run.named("mnist-lenet5", "ceal", 0)
SHORT = {**protocol.TRAINING, "num_restarts": 1, "epochs": 3}


def test_errors_are_those_of_a_network_that_is_asked(monkeypatch):
    """By hand: a threshold on the entropy, then labels that differ from the truth."""
    monkeypatch.setattr(protocol, "TRAINING", SHORT)
    few = RUN.method.but("ceal_far", "CEAL", options={"threshold": 2.28})
    run = runs.Run(RUN.problem, few, 0)
    trainer = Trainer(run.problem, run.method.recipe)
    received = []

    def train(x, y, *, seed, groups=None):
        model = trainer.train(x, y, seed=seed, groups=groups)
        received.append(model.get_weights())
        return model

    class Stand:
        def __init__(self, *_):
            self.x, self.y, self.test_data = trainer.x[:400], trainer.y[:400], None
            self.train = train

    monkeypatch.setattr(pseudo_errors, "Trainer", Stand)
    found = list(pseudo_errors.errors(run, 30))
    assert [row["num_annotations"] for row in found] == [10, 20]
    learner = dfal.ActiveLearner(
        train, pseudo_errors.execution.make_strategy(run), num_queries=10, seed=0
    )
    x, y = trainer.x[:400], np.asarray(trainer.y[:400])
    rounds = learner.rounds(x, y, budget=30)
    for row in found:
        next(rounds)
        model = trainer.train.model
        model.set_weights(received[len(received) - 1])
        rows = learner.labeled.pseudo_indices
        p = model.predict(x[rows], verbose=0)
        entropy = -(p * np.log(p + 1e-12)).sum(axis=1)
        assert (entropy < 2.28).all()
        assert row["labels"] == len(rows) > 0
        assert row["wrong"] == (p.argmax(axis=1) != y[rows]).sum()
    assert sum(row["wrong"] for row in found) > 0


def test_sums_and_the_worst_round(monkeypatch):
    rows = [
        {"num_annotations": 10, "accuracy": 0.3, "labels": 3, "wrong": 3},
        {"num_annotations": 20, "accuracy": 0.4, "labels": 200, "wrong": 20},
        {"num_annotations": 30, "accuracy": 0.5, "labels": 400, "wrong": 4},
    ]
    monkeypatch.setattr(pseudo_errors, "errors", lambda run, budget: iter(rows))
    table = pseudo_errors.table([RUN], 40)
    assert table.loc[0].to_dict() == {
        "rounds": 3,
        "labels": 603,
        "wrong": 27,
        "worst round": 0.1,
    }


def test_the_script(tmp_path, monkeypatch, capsys):
    row = {"trial": [0], "rounds": [29], "labels": [900], "wrong": [9]}
    asked = []

    def table(wanted, budget):
        asked.append(([str(run) for run in wanted], budget))
        return pd.DataFrame(row).set_index("trial")

    monkeypatch.setattr(pseudo_errors, "table", table)
    assert script.main(["--trials", "2", "--output", str(tmp_path)]) == 0
    assert asked == [(["mnist-lenet5_ceal_0", "mnist-lenet5_ceal_1"], 300)]
    assert pd.read_csv(tmp_path / "tables/pseudo_labels.csv").loc[0, "wrong"] == 9
    assert script.main(["--stored", "--output", str(tmp_path)]) == 0
    assert "900" in capsys.readouterr().out


@pytest.mark.parametrize("about_one", [script, examples, robustness])
@pytest.mark.parametrize(
    ("option", "values"),
    [("--problem", ["mnist-lenet5", "mnist-vgg8"]), ("--strategy", ["dfal"])],
)
def test_other_problems_and_strategies_are_refused(about_one, option, values, capsys):
    with pytest.raises(SystemExit) as stopped:
        about_one.main(["--stored", option, *values])
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert f"argument {option}: must" in message
    assert f"Received: {' '.join(values)}" in message
