import itertools

import numpy as np
import pandas as pd
import pytest
import speed
from benchmarks import attacks, networks, rounds, stopwatch, training
from benchmarks.workload import Workload


def test_races_run_in_turns_and_compare_answers(monkeypatch):
    """With a clock that advances only by what a contender adds."""
    now, order = [0.0], []
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: now[0])

    def contender(name, durations):
        durations = itertools.cycle(durations)

        def run():
            order.append(name)
            now[0] += next(durations)
            return name

        return run

    ours, theirs, slow = stopwatch.race(
        "a case",
        {
            "ours": contender("ours", [9, 1, 2, 3]),
            "theirs": contender("theirs", [9, 8, 4, 6]),
            "slow": contender("slow", [31]),
        },
        3,
        lambda a, b: f"{a}, {b}",
        limit=90,
    )
    turns = ["ours", "theirs", "slow", *["ours", "theirs"] * 3]
    assert order == turns
    assert ours == {
        "case": "a case",
        "contender": "ours",
        "seconds": 2,
        "runs": 3,
        "times ours": 1,
        "agreement": "",
    }
    assert (theirs["seconds"], theirs["times ours"], theirs["runs"]) == (6, 3, 3)
    assert (slow["seconds"], slow["runs"]) == (31, 1)
    assert theirs["agreement"] == "ours, theirs"


def test_agreement_in_words():
    same = attacks.same_norms(np.array([1.0, 2.0]), np.array([1.0, 2.2]))
    assert same == "norms: median 5.0e-02 apart, at most 1.0e-01"
    assert attacks.same_queries([3, 1], [3, 1]) == "same, in the same order"
    assert attacks.same_queries([3, 1], [1, 2]) == "1 of 2 the same"


@pytest.fixture
def small(mnist, monkeypatch):
    """A few digits, and networks trained on few samples."""
    (x, y), _ = mnist
    monkeypatch.setattr(
        networks, "digits", lambda: (x[:600], y[:600], networks.scaled(x[600:640]))
    )
    monkeypatch.setattr(attacks, "BUDGETS", {"LeNet5": [50]})


def test_sections_are_written_as_they_are_done(small, tmp_path, capsys):
    arguments = ["--repeats", "2", "--output", str(tmp_path)]
    assert speed.main(["--section", "query", "giving_up", *arguments]) == 0
    shown = capsys.readouterr().out
    folder = tmp_path / "timing"
    query = pd.read_csv(folder / "speed_query.csv")
    assert query["contender"].str.contains("Foolbox").sum() == 1
    assert (query["agreement"][1:] == "same, in the same order").all()
    spared = pd.read_csv(folder / "speed_giving_up.csv")
    assert (spared["query"] == "same, in the same order").all()
    assert (spared["spared"] > 0).all()
    for name in ("speed.md", "speed.png", "speed.pdf"):
        assert (folder / name).stat().st_size > 0
    page = (folder / "speed.md").read_text()
    assert page.strip() == shown.strip()
    assert speed.main(["--stored", *arguments]) == 0
    assert capsys.readouterr().out == shown


def test_parts_of_a_round_add_up(tiny_train, blobs, tmp_path):
    import dfal_keras as dfal

    learner = dfal.ActiveLearner(tiny_train, "dfal")
    measured = rounds.measure(learner, *blobs, 40, blobs, tmp_path)
    assert len(measured) == 3
    for parts in measured:
        assert parts["whole"] == pytest.approx(
            sum(parts[part] for part in rounds.PARTS) + parts["rest"]
        )
        assert 0 < parts["rest"] < parts["whole"]


def test_all_contenders_of_a_training_take_the_same_steps(small, monkeypatch):
    quick = {**training.RECIPE, "num_restarts": 1, "epochs": 2, "patience": 2}
    monkeypatch.setattr(training, "RECIPE", quick)
    workload = Workload({}, (), num_labeled=(40,), repeats=1)
    ours, *others = training.training(workload)
    assert ours["contender"] == "ours"
    assert [row["agreement"] for row in others] == ["2 steps a restart, ours 2"] * 2


def test_a_peer_that_is_not_installed(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(
        speed.entry_point.importlib.util, "find_spec", lambda name: None
    )
    assert speed.main(["--output", str(tmp_path)]) == 2
    assert "[benchmark]" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
