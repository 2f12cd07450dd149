"""Bad values of every option: one line that names the option, and nothing changes."""

import hashlib
import os
import socket

import pytest
from helpers import image_folders, sessions

from dfal_keras.cli.main import main

HUGE = "9" * 30
LONG = "x" * 5000
INIT = ["init", "new", "--classes", *image_folders.CLASSES, "--pool", "images"]
INIT += ["--model", "model.keras"]  # of several values, the last one counts
LENET = [*INIT, "--model", "LeNet5"]
TRAIN = ["train", "session", "--allow-missing-classes", "--epochs", "1"]
LABEL = ["label", "session", "--no-browser"]
PREDICT = ["predict", "session"]
QUERY = ["query", "--model", "model.keras", "--pool", "images", "--out", "new.csv"]


def cases(flag, command, values):
    """Return the command with each value, and the name that the error must have."""
    given = [flag] if flag.startswith("-") else []
    return [([*command, *given, *value.split(" ")], flag) for value in values]


CASES = [
    (["init", LONG, *INIT[2:]], "session"),
    (["init", "file.csv/new", *INIT[2:]], "session"),
    (["init", "file.csv", *INIT[2:]], "session"),
    *cases("--pool", INIT, [LONG, "none", "file.csv", "", "empty"]),
    *cases("--model", INIT, ["none", "none.keras", "empty", "file.csv"]),
    *cases("--image-size", LENET, ["0 0", "-1 9", "8 8", "100000 100000"]),
    *cases("--image-size", LENET, ["16 129", f"{HUGE} 3"]),
    *cases("--num-candidates", INIT, ["0", "-1"]),
    *cases("--seed", INIT, ["-1", HUGE]),
    *cases("--strategy", INIT, ["none", "os:getcwd", "none:X", ":", ""]),
    *[([command, "none"], "session") for command in ("ask", "tell", "train")],
    *[([command, "file.csv"], "session") for command in ("status", "check", "label")],
    *[([command, "empty"], "session") for command in ("predict", "import")],
    (["status", ""], "session"),
    *cases("--num-queries", ["ask", "session"], ["0", "-1", "1.5"]),
    *cases("file", ["tell", "session"], ["none", "empty", "file.csv", LONG, ""]),
    *cases("file", ["import", "--by-folder", "session"], ["none", "empty", LONG, ""]),
    *cases("--new-class", ["tell", "session", "labels.csv"], ["", "?", "a a"]),
    *cases("--new-class", ["tell", "session", "labels.csv"], ["a\x1b[2J", 3 * LONG]),
    *cases("--who", ["tell", "session", "labels.csv"], ["a\x1b[2J", 3 * LONG]),
    *cases("--held-out", TRAIN, ["nan", "-1", "1", "inf", "half"]),
    *cases("--restarts", TRAIN, ["0", "-1"]),
    *cases("--epochs", TRAIN[:3], ["0", "-1"]),
    *cases("--patience", TRAIN, ["0", "-1"]),
    *cases("--batch-size", TRAIN, ["0", "-1"]),
    *cases("--unfreeze", TRAIN, ["-1", "1"]),
    *cases("--num-queries", LABEL, ["0", "-1"]),
    *cases("--restarts", LABEL, ["0", "-1"]),
    *cases("--check", LABEL, ["-1", HUGE]),
    *cases("--review", LABEL, ["-1"]),
    *cases("--review", [*LABEL, "--check", "1"], ["1"]),
    *cases("--port", LABEL, ["-1", "65536", HUGE]),
    *cases("--num", ["check", "session"], ["0", "-1", HUGE]),
    *cases("--out", PREDICT, ["", "empty", "file.csv", "new.txt", "none/x.csv", LONG]),
    *cases("--sort-into", PREDICT, ["", "file.csv", "session", "images/new", LONG]),
    ([*PREDICT, "--link"], "--sort-into"),
    *cases("--review", PREDICT, ["-1"]),
    *cases("--num-queries", QUERY, ["0", "-1", HUGE]),
    *cases("--sheet", QUERY, ["", "file.csv", "none/x.png", "new.txt", LONG]),
    *cases("--exclude", QUERY, ["", "none", "empty", "file.csv", LONG]),
    *cases("--cache", QUERY, ["", "file.csv", "none/x", LONG]),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a session of 24 images, ten of them labeled, three asked."""
    folder = tmp_path_factory.mktemp("made")
    _, truth = sessions.create(folder, 24)
    rows = [f"{name},{truth[name]}\n" for name in sorted(truth)[:10]]
    (folder / "labels.csv").write_text("file,label\n" + "".join(rows))
    (folder / "file.csv").write_text("a,b\n1,2\n")
    (folder / "empty").mkdir()
    for path in (folder / "images").iterdir():  # new files would be read again
        os.utime(path, (0, 0))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["import", "session", "labels.csv"]) == 0
        ask = ["ask", "session", "--num-queries", "3", "--sheets", "none"]
        assert main(ask) == 0
        yield folder


def content(folder):
    """Return the checksum of each file, but for locks."""
    files = [path for path in folder.rglob("*") if path.suffix != ".lock"]
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in files
    }


def check_refused(folder, capsys, arguments, flag):
    before = content(folder)
    try:
        code, start = main(arguments), f"Stopped: Argument `{flag}` must "
    except SystemExit as error:  # of argparse, after the usage
        code, start = error.code, f"dfal-keras {arguments[0]}: error: argument {flag}: "
    message = capsys.readouterr().err.split("usage:")[-1].splitlines()
    if start.startswith("Stopped"):
        assert len(message) == 1
    assert code == 2
    assert message[-1].startswith(start)
    assert content(folder) == before


@pytest.mark.parametrize(("arguments", "flag"), CASES)
def test_a_bad_option_is_named_and_changes_nothing(folder, capsys, arguments, flag):
    check_refused(folder, capsys, arguments, flag)


def test_a_port_in_use_is_named(folder, capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        check_refused(folder, capsys, [*LABEL, "--port", port], "--port")
