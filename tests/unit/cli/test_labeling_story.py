"""From a folder of images to a trained model, as notebooks/label_a_folder.md tells it.

Five rounds: three through the page in a browser, two through Label Studio's JSON; a
label is corrected, a file is added and a command is killed. The result equals that of
an undisturbed session whose labels come from CSV files.
"""

import csv
import json
import pathlib
import re
import shlex
import shutil
import time

import numpy as np
import pytest
from helpers import browser, image_folders, killed_commands

from dfal_keras.cli import main
from dfal_keras.labeling.model_files import load_model
from dfal_keras.labeling.serving import Desk
from dfal_keras.labeling.session import Session

ROOT = pathlib.Path(__file__).parents[3]

BY_LABEL_STUDIO = (2, 4)  # rounds
OPTIONS = ("--restarts", 1, "--epochs", 4, "--allow-missing-classes")


def run(folder, *arguments, kill=False):
    """Run a command; with `kill`, in processes: the first is killed in the middle."""
    if not kill:
        assert main.main(list(map(str, arguments))) == 0, arguments
        return
    _, seconds = killed_commands.run(["status", arguments[1]], folder / "log.txt")
    killed_commands.run(arguments, folder / "log.txt", kill_after=1.1 * seconds)
    code, _ = killed_commands.run(arguments, folder / "log.txt")
    assert code == 0, (folder / "log.txt").read_text()[-3000:]


def annotate(tasks, truth):
    """Return tasks as Label Studio exports them, after two annotators."""
    for number, task in enumerate(tasks, 1):
        choice = {
            "type": "choices",
            "from_name": "label",
            "to_name": "image",
            "value": {"choices": [truth[task["data"]["file"]]]},
        }
        task["id"] = number
        task["annotations"] = [
            {"id": 2 * number + i, "completed_by": i, "result": [choice]}
            for i in (1, 2)
        ]
    return tasks


def by_label_studio(folder, session, truth):
    """Answer a query with Label Studio, and return its export."""
    run(folder, "ask", session, "--label-studio")
    tasks = json.loads((session / "queries_label_studio.json").read_text())
    path = folder / "export.json"
    path.write_text(json.dumps(annotate(tasks, truth)))
    return path


def by_page(folder, session, truth):
    """Answer a query in a browser, and return the file that it saves."""
    downloads = folder / "downloads"
    shutil.rmtree(downloads, ignore_errors=True)
    downloads.mkdir()
    answers = {row["file"]: truth[row["file"]] for row in read(session)}
    return browser.label_in_browser(session / "queries.html", answers, downloads)


def by_hand(folder, session, truth):
    """Answer a query in a spreadsheet, and return its file."""
    rows = [{**row, "label": truth[row["file"]]} for row in read(session)]
    path = folder / "queries.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def read(session):
    with (session / "queries.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def label(folder, *, size, num_images, num_queries, is_disturbed):
    """Run a session of five rounds, and return its folder."""
    truth = image_folders.write(folder / "images", num_images, size=size)
    image_folders.write_model(folder / "model.keras", size=size)
    session = folder / "session"
    run(
        *(folder, "init", session, "--pool", folder / "images", "--untrained"),
        *("--model", folder / "model.keras", "--classes", *image_folders.CLASSES),
    )
    for number in range(1, 6):
        is_killed = is_disturbed and number == 3
        run(folder, "ask", session, "--num-queries", num_queries, kill=is_killed)
        if is_disturbed:
            by_tool = by_label_studio if number in BY_LABEL_STUDIO else by_page
        else:
            by_tool = by_hand
        first = read(session)[0]["file"]
        if is_disturbed and number == 1:
            wrong = {**truth, first: "owl" if truth[first] == "cat" else "cat"}
            run(folder, "tell", session, by_tool(folder, session, wrong))
            correction = folder / "correction.csv"
            correction.write_text(f"file,label\n{first},{truth[first]}\n")
            run(folder, "tell", session, correction)
        else:
            answers = by_tool(folder, session, truth)
            run(folder, "tell", session, answers, kill=is_killed)
        run(folder, "train", session, *OPTIONS, kill=is_killed)
        if number == 2:
            truth |= image_folders.write(
                folder / "images", 1, size=size, first=num_images
            )
    run(folder, "status", session)
    return session


def check(folder, **sizes):
    sessions = []
    for is_disturbed in (False, True):
        own = folder / ("disturbed" if is_disturbed else "undisturbed")
        own.mkdir()
        sessions.append(label(own, is_disturbed=is_disturbed, **sizes))
    undisturbed, disturbed = sessions
    weights = [load_model(s / "model.keras").get_weights() for s in sessions]
    for ours, expected in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, expected)
    names = ("indices", "labels", "adversarial_examples", "adversarial_rows")
    with (
        np.load(undisturbed / "learner.npz") as expected,
        np.load(disturbed / "learner.npz") as ours,
    ):
        assert len(expected["indices"]) == 5 * sizes["num_queries"]
        for name in names:
            np.testing.assert_array_equal(ours[name], expected[name])


@pytest.mark.slow
def test_a_disturbed_session_ends_as_an_undisturbed_one(tmp_path):
    check(tmp_path, size=16, num_images=40, num_queries=4)


@pytest.mark.slow
def test_two_thousand_images(tmp_path):
    check(tmp_path, size=64, num_images=2000, num_queries=20)


def documented_commands():
    """Return the commands of the walkthrough and of the README, in order."""
    pages = ("notebooks/label_a_folder.md", "README.md")
    blocks = [
        block
        for page in pages
        for block in re.findall(r"```bash\n(.*?)```", (ROOT / page).read_text(), re.S)
    ]
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("dfal-keras")]


def fill_in(path, truth):
    """Write the true classes into a table of queries."""
    with path.open(newline="") as file:
        rows = [{**row, "label": truth[row["file"]]} for row in csv.DictReader(file)]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def label_on_the_served_page(folder, truth):
    """Answer a query as the served page does, and train."""
    with Session(folder / "session") as session:
        desk = Desk(session, 20, {"num_restarts": 1, "epochs": 2})
        for image in desk.queried:
            desk.answer(image.sha256, truth[image.file], "Ada")
        assert desk.start_training()
        while desk.is_training:
            time.sleep(0.1)
        desk.close()


def test_the_documented_commands_as_typed(tmp_path, monkeypatch, capsys):
    """The lines of both pages, one after the other, in two folders.

    The network of `init` is one of the test, as its weights would be downloaded.
    """
    monkeypatch.chdir(tmp_path)
    for command in documented_commands():
        if command[0] == "init":
            folder = tmp_path / str(len(list(tmp_path.iterdir())))
            truth = image_folders.write(folder / "images", 220)
            image_folders.write_model(folder / "model.keras")
            # Some of each class, the rarest first.
            names = sorted(truth, key=lambda name: truth[name], reverse=True)[:50]
            rows = "".join(f"{name},{truth[name]}\n" for name in names)
            (folder / "labels.csv").write_text("file,label\n" + rows)
            monkeypatch.chdir(folder)
            command += ["--model", "model.keras"]
        if command[0] == "tell":
            fill_in(folder / command[2], truth)
        if command[0] == "label":
            label_on_the_served_page(folder, truth)
        else:
            assert main.main(command) == 0, (command, capsys.readouterr())
    assert len(list(tmp_path.iterdir())) == 2
