"""Commands of a session that are killed at random moments."""

import csv
import json

import numpy as np
import pytest
from helpers import image_folders, killed_commands

from dfal_keras.labeling.label_history import LabelHistory
from dfal_keras.labeling.model_files import load_model

TRAINING = ("--restarts", 1, "--epochs", 2, "--allow-missing-classes")


def fill_in(session, truth, part, name="queries.csv"):
    """Answer a part of a table, and return the file with these answers."""
    path = session.parent / "answers.csv"
    with (session / name).open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows[part]:
        row["label"] = truth[row["file"]]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def scenario(folder, truth, run):
    """Run a session with `run(command, *arguments)`, which ends with success."""
    session = folder / "session"
    names = sorted(truth)
    (folder / "given.csv").write_text(
        "file,label\n" + "".join(f"{name},{truth[name]}\n" for name in names[:3])
    )
    (folder / "corrected.csv").write_text(f"file;label\n{names[0]};owl\n{names[1]};?\n")
    run(
        *("init", session, "--pool", folder / "images", "--strategy", "dfal"),
        *("--model", folder / "model.keras", "--classes", *image_folders.CLASSES),
    )
    run("import", session, folder / "given.csv")
    run("ask", session, "--num-queries", 4, "--sheets", "none")
    run("tell", session, fill_in(session, truth, slice(0, 3)))
    run("tell", session, folder / "corrected.csv")
    run("tell", session, fill_in(session, truth, slice(None)))
    run("train", session, *TRAINING)
    run("ask", session, "--num-queries", 4, "--sheets", "none")
    run("tell", session, fill_in(session, truth, slice(1, None)))
    run("ask", session, "--num-queries", 2, "--sheets", "none")  # one was skipped
    run("check", session, "--num", 3)
    run("tell", session, fill_in(session, truth, slice(None), "check_queries.csv"))
    run("predict", session, "--out", folder / "predictions.csv")
    return session


def state(session):
    """Return what a session holds, but for times, seconds and checksums of models."""
    log = LabelHistory(session / "labels.csv")
    with np.load(session / "learner.npz") as stored:
        learner = {name: stored[name].tolist() for name in sorted(stored.files)}
    with (session / "history.csv").open(newline="") as file:
        history = [
            {k: v for k, v in row.items() if k not in ("time", "seconds", "model")}
            for row in csv.DictReader(file)
        ]
    weights = load_model(session / "model.keras").get_weights()
    return {
        "answers": [(entry.file, entry.label) for entry in log.entries],
        "learner": json.dumps(learner),
        "history": history,
        "sample": (session / "check.csv").read_text(),
        "predictions": (session.parent / "predictions.csv").read_text(),
        "classes": json.loads((session / "metrics.json").read_text())["classes"],
        "weights": [array.tolist() for array in weights],
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The state of an undisturbed session, and the seconds of each command."""
    folder = tmp_path_factory.mktemp("undisturbed")
    truth = image_folders.write(folder / "images", 24)
    image_folders.write_model(folder / "model.keras")
    durations = {}

    def run(*arguments):
        code, seconds = killed_commands.run(arguments, folder / "log.txt")
        assert code == 0, (folder / "log.txt").read_text()[-2000:]
        durations[arguments[0]] = seconds

    return state(scenario(folder, truth, run)), durations


def check(folder, undisturbed, seed, num_kills):
    expected, durations = undisturbed
    truth = image_folders.write(folder / "images", 24)
    image_folders.write_model(folder / "model.keras")
    killer = killed_commands.Killer(folder / "log.txt", seed, num_kills)
    session = scenario(
        folder, truth, lambda *arguments: killer.run(arguments, durations[arguments[0]])
    )
    assert state(session) == expected
    assert not list(session.glob("*.tmp"))
    return killer.num_kills


@pytest.mark.slow
def test_killed_commands_lose_nothing(tmp_path, undisturbed):
    assert check(tmp_path, undisturbed, seed=0, num_kills=1) > 0


@pytest.mark.slow
def test_two_hundred_kills_lose_nothing(tmp_path, undisturbed):
    num_kills, seed = 0, 0
    while num_kills < 200:
        seed += 1
        (tmp_path / str(seed)).mkdir()
        num_kills += check(tmp_path / str(seed), undisturbed, seed, num_kills=6)
