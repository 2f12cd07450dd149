"""What the commands of a session print."""

import io
import json
import os
import shutil
import sys

import pytest
from helpers import image_folders, sessions
from helpers.parameters import slow_after

from dfal_keras import Training
from dfal_keras.cli.main import main
from dfal_keras.labeling import few_labels
from dfal_keras.labeling.session import Session


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with images, a model and a session. Do not change it."""
    folder = tmp_path_factory.mktemp("made")
    sessions.create(folder)
    return folder


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"


def write_labels(folder, labels, name="labels.csv"):
    rows = "".join(f"{file},{label}\n" for file, label in labels.items())
    (folder / name).write_text("file,label\n" + rows)


def truth(folder):
    return image_folders.write(folder / "other", 40)


def run(capsys, *arguments, code=0):
    assert main(list(map(str, arguments))) == code
    captured = capsys.readouterr()
    return captured.out if code == 0 else captured.err


def test_a_round_with_the_commands(folder, capsys):
    (folder / "images" / "notes.txt").write_text("not an image")
    (folder / "images" / "broken.png").write_bytes(b"not an image, either")
    labels = truth(folder)
    write_labels(folder, dict(list(labels.items())[:20]))
    assert "20 labels added" in run(capsys, "import", "session", "labels.csv")
    output = run(capsys, "ask", "session", "--num-queries", 3, "--label-studio")
    for name in ("queries.csv", "queries.html", "queries.png", "queries_label_studio"):
        assert name in output
    queried = (folder / "session" / "queries.csv").read_text().splitlines()[1:]
    names = [line.split(",")[1] for line in queried]
    write_labels(
        folder, {**{name: labels[name] for name in names[:2]}, "no.png": "cat"}
    )
    output = run(capsys, "tell", "session", "labels.csv", "--who", "Ada")
    assert "2 labels added" in output
    assert "1 images are not in the folder: no.png" in output
    assert "1 queried images are not labeled yet" in output
    assert ",Ada," in (folder / "session" / "labels.csv").read_text()
    output = run(capsys, "ask", "session", "--num-queries", 2)
    assert "1 images of the last query are not labeled yet, and come last" in output
    rows = (folder / "session" / "queries.csv").read_text().splitlines()[1:]
    assert [line.split(",")[1] for line in rows][2:] == [names[2]]
    assert len(rows) == 3
    output = run(capsys, "ask", "session", "--num-queries", 2)  # none is answered
    assert "3 images of the last query are not labeled yet\n" in output
    options = ("--restarts", 1, "--epochs", 2, "--allow-missing-classes")
    output = run(capsys, "train", "session", *options)
    assert "model.keras" in output
    assert not {"\r", "\b", "\x1b"} & set(output)
    for escaped in (r"\r", r"\x08", r"\x1b"):
        assert escaped not in output
    output = run(capsys, "status", "session")
    assert "40 images in ../images" in output
    assert "broken.png" in output
    assert "notes.txt" in output
    told = [*list(labels.values())[:20], *(labels[name] for name in names[:2])]
    assert f"{told.count('cat'):8} cat\n" in output
    assert "trainings" in output
    assert "3 queried, not labeled yet" in output


@pytest.mark.parametrize(
    ("options", "expected"),
    [((), (40, 8)), (("--batch-size", 3, "--patience", 2), (2, 1))],
)
def test_options_of_a_training(folder, capsys, monkeypatch, options, expected):
    made = []

    def make(model, **options):
        made.append(Training(model, **{**options, "epochs": 1, "num_restarts": 1}))
        return made[0]

    monkeypatch.setattr(few_labels, "Training", make)
    write_labels(folder, dict(list(truth(folder).items())[:20]))
    run(capsys, "import", "session", "labels.csv")
    run(capsys, "train", "session", "--allow-missing-classes", *options)
    assert [(each.patience, each.min_batch_size) for each in made] == [expected]


@pytest.mark.parametrize("is_terminal", [False, True])
def test_a_training_shows_its_progress_on_a_terminal(
    folder, capsys, monkeypatch, is_terminal
):
    class Stream(io.StringIO):
        def isatty(self):
            return is_terminal

    write_labels(folder, dict(list(truth(folder).items())[:20]))
    run(capsys, "import", "session", "labels.csv")
    monkeypatch.setattr(sys, "stderr", Stream())
    options = ("--restarts", 2, "--epochs", 2, "--allow-missing-classes")
    run(capsys, "train", "session", *options)
    assert ("4/4" in sys.stderr.getvalue()) is is_terminal


def test_a_bad_batch_size_is_named(folder, capsys):
    write_labels(folder, dict(list(truth(folder).items())[:20]))
    run(capsys, "import", "session", "labels.csv")
    options = ("--allow-missing-classes", "--batch-size", 0)
    error = run(capsys, "train", "session", *options, code=2)
    assert "--batch-size" in error
    assert "must be an integer of at least 1" in error


def test_ties_are_asked_again(folder, capsys):
    run(capsys, "ask", "session", "--num-queries", 2, "--sheets", "none")
    queried = (folder / "session" / "queries.csv").read_text().splitlines()[1:]
    first, second = (line.split(",")[1] for line in queried)
    (folder / "two.csv").write_text(
        "file,label,who\n"
        f"{first},cat,Ada\n{first},dog,Bob\n{second},cat,Ada\n{second},cat,Bob\n"
    )
    output = run(capsys, "tell", "session", "two.csv")
    assert f"1 images without a majority, asked again: {first}" in output
    run(capsys, "ask", "session", "--sheets", "none")
    assert first in (folder / "session" / "queries.csv").read_text()


def test_files_of_the_last_query_are_removed(folder, capsys):
    run(capsys, "ask", "session", "--num-queries", 2, "--cvat", "--sheets", "pdf")
    names = {path.name for path in (folder / "session").glob("queries*")}
    assert names == {
        *("queries.csv", "queries.html", "queries.pdf"),
        *("queries_cvat.json", "queries_cvat.zip"),
    }
    run(capsys, "ask", "session", "--sheets", "none")
    names = {path.name for path in (folder / "session").glob("queries*")}
    assert names == {"queries.csv", "queries.html"}


def test_a_smaller_query_is_explained(folder, capsys):
    output = run(capsys, "ask", "session", "--num-queries", 30, "--sheets", "none")
    assert "20 images in place of 30: the strategy chooses from 20" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["status", "none"], "Argument `session` must be a folder that the command"),
        (["tell", "session", "none.csv"], "none.csv"),
        (["tell", "session", "cow.csv"], "cat, dog, owl"),
        (["tell", "session", "cow.csv", "--new-class", "hen", "hen"], "distinct"),
        (["ask", "session", "--num-queries", "0"], "Argument `--num-queries`"),
        (["train", "session"], "0 of cat, 0 of dog, 0 of owl"),
        (["train", "session", "--held-out", "2"], "Argument `--held-out`"),
        (
            [
                "init",
                "new",
                "--pool",
                "none",
                "--model",
                "model.keras",
                "--classes",
                "a",
            ],
            "Argument `--classes`",
        ),
        (
            ["init", "new", "--pool", "none", "--model", "model.keras", "--classes"]
            + list(image_folders.CLASSES),
            "none",
        ),
    ],
)
def test_errors_are_one_line(folder, capsys, arguments, message):
    write_labels(folder, {min(truth(folder)): "cow"}, "cow.csv")
    error = run(capsys, *arguments, code=2)
    assert message in error
    assert error.startswith("Stopped: ")
    assert error.count("\n") == 1
    assert not (folder / "new").exists()


def test_settings_are_for_people(folder):
    settings = json.loads((folder / "session" / "settings.json").read_text())
    assert settings["classes"] == list(image_folders.CLASSES)
    assert settings["strategy"]["class_name"] == "DFAL"


def fill_in(folder, label, rank=0):
    """Write a label into queries.csv, and return the image."""
    path = folder / "session" / "queries.csv"
    lines = path.read_text().splitlines()
    lines[1 + rank] += label
    path.write_text("\n".join(lines) + "\n")
    return lines[1 + rank].split(",")[1]


@pytest.mark.parametrize("is_answered", [False, True])
def test_labels_in_queries_csv_are_told_before_it_is_written_anew(
    folder, capsys, is_answered
):
    options = ("--sheets", "none", "--num-queries", 2)
    run(capsys, "ask", "session", *options)
    names = [fill_in(folder, "owl"), fill_in(folder, "dog", 1)]
    if is_answered:  # a correction that was told since stays
        run(capsys, "tell", "session", "session/queries.csv")
        write_labels(folder, {names[0]: "cat"})
        run(capsys, "tell", "session", "labels.csv")
    output = run(capsys, "ask", "session", *options)
    assert ("2 labels added" in output) != is_answered
    with Session(folder / "session") as session:
        found = sessions.labels_by_name(session)
    assert found == {names[0]: "cat" if is_answered else "owl", names[1]: "dog"}


@pytest.mark.parametrize(
    ("table", "command"),
    [
        ("check_queries.csv", ["check", "session", "--num", "3"]),
        ("review.csv", ["predict", "session", "--review", "2"]),
    ],
)
def test_labels_in_other_tables_are_told_before_they_are_written_anew(
    folder, capsys, table, command
):
    run(capsys, *command)
    path = folder / "session" / table
    lines = path.read_text().splitlines()
    name = lines[1].split(",")[1]
    path.write_text("\n".join([lines[0], lines[1] + "owl", *lines[2:]]) + "\n")
    assert "1 labels added" in run(capsys, *command)
    with Session(folder / "session") as session:
        assert sessions.labels_by_name(session) == {name: "owl"}
    assert name not in path.read_text()


def test_a_queries_csv_that_can_not_be_read_stays(folder, capsys):
    options = ("--sheets", "none", "--num-queries", 2)
    run(capsys, "ask", "session", *options)
    for text in ("label\ncat\n", "file,label\na.png,cow\n"):
        (folder / "session" / "queries.csv").write_text(text)
        run(capsys, "ask", "session", *options, code=2)
        assert (folder / "session" / "queries.csv").read_text() == text


@pytest.mark.parametrize("name", [None, "Téléchargements", "other folder/Downloads"])
def test_tell_takes_the_newest_file_of_this_session(folder, capsys, monkeypatch, name):
    home = folder / "home"
    downloads = home / (name or "Downloads")
    downloads.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    for variable in ("XDG_CONFIG_HOME", "XDG_DOWNLOAD_DIR"):
        monkeypatch.delenv(variable, raising=False)
    if name:  # as the desktops of Linux write it
        (home / ".config").mkdir()
        (home / ".config" / "user-dirs.dirs").write_text(
            f'# a comment\nXDG_MUSIC_DIR="$HOME/x"\nXDG_DOWNLOAD_DIR="$HOME/{name}"\n',
            encoding="utf-8",
        )
    options = ("--sheets", "none", "--num-queries", 2)
    run(capsys, "ask", "session", *options)
    assert "file" in run(capsys, "tell", "session", code=2)  # nothing is filled in
    table = folder / "session" / "queries.csv"
    rows = table.read_text().splitlines()
    saved = downloads / "queries (1).csv"
    saved.write_text("\n".join([rows[0], rows[1] + "owl", rows[2] + "owl"]))
    other = downloads / "queries (2).csv"  # of another session
    other.write_text(f"file,sha256,label\na.png,{'0' * 64},cat\n")
    output = run(capsys, "tell", "session")
    assert "queries (1).csv" in output
    assert "2 labels added" in output


def download(folder, monkeypatch, name, labels):
    """Save labels as the page does, in the order of queries.csv."""
    downloads = folder / "home" / "Downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("HOME", str(folder / "home"))
    header, *rows = (folder / "session" / "queries.csv").read_text().splitlines()
    made = [row + label for row, label in zip(rows, labels, strict=False)]
    path = downloads / name
    path.write_text("\n".join([header, *made]) + "\n")
    return path, [row.split(",")[1] for row in made]


def change_time(path, seconds):
    """Let a file be older or newer."""
    time = path.stat().st_mtime + seconds
    os.utime(path, (time, time))


def current_labels(folder):
    with Session(folder / "session") as session:
        return sessions.labels_by_name(session)


@pytest.mark.parametrize("is_named", [False, True])
@pytest.mark.parametrize("is_asked", slow_after(1, [False, True]))
def test_a_download_that_was_told_does_not_undo_a_correction(
    folder, capsys, monkeypatch, is_named, is_asked
):
    options = ("--sheets", "none", "--num-queries", 2)
    run(capsys, "ask", "session", *options)
    path, (name,) = download(folder, monkeypatch, "queries.csv", ["cat"])
    run(capsys, "tell", "session", *([path] if is_named else []))
    write_labels(folder, {name: "dog"})
    run(capsys, "tell", "session", "labels.csv")
    if is_asked:
        run(capsys, "ask", "session", *options)
    error = run(capsys, "tell", "session", code=2)
    assert error.count("\n") == 1
    assert current_labels(folder) == {name: "dog"}


def test_an_older_file_with_labels_that_were_not_told_is_found(
    folder, capsys, monkeypatch
):
    run(capsys, "ask", "session", "--sheets", "none", "--num-queries", 2)
    old, names = download(folder, monkeypatch, "queries.csv", ["cat", "owl"])
    change_time(old, -100)
    download(folder, monkeypatch, "queries (1).csv", ["dog"])
    assert "(1)" in run(capsys, "tell", "session")
    assert "queries.csv" in run(capsys, "tell", "session")
    # The older label of the first image does not replace the newer one.
    assert current_labels(folder) == {names[0]: "dog", names[1]: "owl"}
    run(capsys, "tell", "session", code=2)


def test_only_the_changed_rows_of_a_file_are_told_again(folder, capsys, monkeypatch):
    run(capsys, "ask", "session", "--sheets", "none", "--num-queries", 2)
    path, names = download(folder, monkeypatch, "queries.csv", ["cat", ""])
    run(capsys, "tell", "session")
    write_labels(folder, {names[0]: "dog"})
    run(capsys, "tell", "session", "labels.csv")
    download(folder, monkeypatch, "queries.csv", ["cat", "owl"])
    change_time(path, 100)
    output = run(capsys, "tell", "session")
    assert "1 labels added" in output
    assert "corrected" not in output
    assert current_labels(folder) == {names[0]: "dog", names[1]: "owl"}


def set_labels(folder, *labels):
    path = folder / "session" / "queries.csv"
    header, *rows = path.read_text().splitlines()
    made = [
        row.rpartition(",")[0] + "," + label
        for row, label in zip(rows, labels, strict=True)
    ]
    path.write_text("\n".join([header, *made]) + "\n")
    return [row.split(",")[1] for row in made]


@pytest.mark.parametrize("command", ["ask", "tell"])
def test_a_label_that_is_typed_again_counts(folder, capsys, monkeypatch, command):
    monkeypatch.setenv("HOME", str(folder))
    options = ("--sheets", "none", "--num-queries", 2)
    run(capsys, "ask", "session", *options)
    for label in ("cat", "dog"):
        names = set_labels(folder, label, "")
        run(capsys, "tell", "session", "session/queries.csv")
    set_labels(folder, "cat", "?")
    more = options if command == "ask" else ()
    assert "1 labels corrected" in run(capsys, command, "session", *more)
    assert current_labels(folder) == {names[0]: "cat", names[1]: "?"}


def test_a_table_that_is_not_filled_in_is_an_error_for_tell_only(folder, capsys):
    options = ("--sheets", "none", "--num-queries", 2)
    run(capsys, "ask", "session", *options)
    error = run(capsys, "tell", "session", "session/queries.csv", code=2)
    assert "rank, file, sha256, score, predicted, probability, label" in error
    assert error.count("\n") == 1
    run(capsys, "ask", "session", *options)


def test_a_row_that_was_not_changed_does_not_undo_a_correction(folder, capsys):
    """Also if other rows were filled in later."""
    options = ("--sheets", "none", "--num-queries", 2)
    run(capsys, "ask", "session", *options)
    names = set_labels(folder, "cat", "")
    run(capsys, "tell", "session", "session/queries.csv")
    write_labels(folder, {names[0]: "dog"})
    run(capsys, "tell", "session", "labels.csv")
    set_labels(folder, "cat", "owl")
    change_time(folder / "session" / "queries.csv", 100)
    output = run(capsys, "ask", "session", *options)
    assert "1 labels added" in output
    assert "corrected" not in output
    assert current_labels(folder) == {names[0]: "dog", names[1]: "owl"}


@pytest.mark.parametrize(
    "content", slow_after(2, ["", "[]", "{", '{"queries.csv": 3}', "[" * 9999])
)
def test_without_a_record_of_told_tables_newer_labels_count(folder, capsys, content):
    options = ("--sheets", "none", "--num-queries", 2)
    run(capsys, "ask", "session", *options)
    names = set_labels(folder, "cat", "owl")
    run(capsys, "tell", "session", "session/queries.csv")
    write_labels(folder, {names[0]: "dog"})
    run(capsys, "tell", "session", "labels.csv")
    (folder / "session" / "told_tables.json").write_text(content)
    change_time(folder / "session" / "queries.csv", -100)
    run(capsys, "ask", "session", *options)
    assert current_labels(folder) == {names[0]: "dog", names[1]: "owl"}


@pytest.mark.parametrize("copied", [False, True])
def test_labels_in_class_folders_are_imported(folder, capsys, copied):
    classes = truth(folder)
    for name, label in list(classes.items())[:10]:
        target = folder / "sorted" / label / "sub"
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "images" / name, target / ("x" + name if copied else name))
    arguments = ["session", "--by-folder", "sorted"]
    if copied:  # the flag stands anywhere
        arguments = ["session", "sorted", "--by-folder"]
    output = run(capsys, "import", *arguments)
    assert "10 labels added" in output
    with Session(folder / "session") as session:
        assert sessions.labels_by_name(session) == dict(list(classes.items())[:10])
    assert "file" in run(capsys, "import", "session", "none", "--by-folder", code=2)


def test_adversarial_examples_stay_within_the_range_of_pixels(folder, capsys):
    options = ("--sheets", "none", "--num-queries", 5)
    run(capsys, "ask", "session", *options)
    settings = json.loads((folder / "session" / "settings.json").read_text())
    assert settings["strategy"]["config"]["bounds"] == [0, 255]
    with Session(folder / "session") as session:
        examples = session.learner.open_query.companions
    assert len(examples)
    assert examples.min() >= 0
    assert examples.max() <= 255
