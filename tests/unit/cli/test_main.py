"""Errors of the command line: one line that names the flag, and no file is written."""

import logging

import pytest
from helpers import bad_calls

from dfal_keras.cli import main as command_line
from dfal_keras.cli.main import main

FILES = ("--model", "--pool", "--exclude")  # their values are in the folder of files


def query(folder, out, **changed):
    """Run the command with valid flags but those that are changed."""
    flags = {
        "--model": "model.keras",
        "--pool": "images.npy",
        "--strategy": "uncertainty",
        "--out": str(out),
        **changed,
    }
    words = []
    for flag, value in flags.items():
        values = [str(folder / value)] if flag in FILES else value.split(" ")
        words += [flag, *values]
    return main(["query", *words])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"--model": "images.npy"}, "`--model` must be a file that ends in .keras"),
        ({"--model": "missing.keras"}, "which does not exist"),
        ({"--model": "empty"}, "`--model` must be a file that ends in .keras"),
        ({"--model": "text.keras"}, "`--model` must be a .keras file"),
        ({"--model": "two.keras"}, "`--model` must have a single input"),
        (
            {"--model": "sigmoids.keras", "--pool": "pool.npy"},
            "`--model` must choose one class",
        ),
        ({"--model": "lambda.keras", "--pool": "rows.npy"}, "contains Python code"),
        ({"--strategy": "bald"}, "`--model` must have layers of noise"),
        ({"--model": "rows.keras"}, "`--pool` must have samples of shape"),
        (
            {"--model": "rows.keras", "--pool": "images"},
            "`--pool` may be a folder only",
        ),
        ({"--image-size": "0 0"}, "`--image-size` must be a size of images"),
        (
            {"--pool": "images", "--image-size": "64 32"},
            "`--image-size` must be a size",
        ),
        (
            {"--model": "any_size.keras", "--pool": "images"},
            "`--pool` may be a folder only",
        ),
        *(
            (
                {"--model": "any_size.keras", "--pool": "images", "--image-size": size},
                "`--image-size` must be (height, width, channels)",
            )
            for size in ("0 0", "-1 5", "1000000 1000000")
        ),
        ({"--cache": "cache"}, "`--cache` must name a folder"),
        (
            {"--pool": "images", "--cache": "no/such/folder"},
            "`--cache` must name a folder",
        ),
        ({"--pool": "missing"}, "which does not exist"),
        ({"--pool": "model.keras"}, "`--pool` must be a folder"),
        ({"--pool": "nan.npy"}, "`--pool`"),
        ({"--pool": "two.npz"}, "`--pool`"),
        ({"--pool": "cut.npy"}, "`--pool`"),
        ({"--pool": "objects.npy"}, "`--pool`"),
        ({"--pool": "nothing.npy"}, "`--pool`"),
        ({"--pool": "empty"}, "`--pool` must be a folder with images"),
        ({"--pool": "broken"}, "which holds 'image.png' (not an image of the formats"),
        ({"--out": "out.png"}, "`--out` must name a new .csv file"),
        ({"--out": ""}, "`--out` must be a valid path"),
        ({"--out": "no/such/folder.csv"}, "`--out` must name a new .csv file"),
        ({"--sheet": "no/such/folder.png"}, "`--sheet` must name a new .png or .pdf"),
        ({"--sheet": "out.csv"}, "`--sheet` must name a new .png or .pdf"),
        ({"--strategy": "dfla"}, "`--strategy` must be one of"),
        ({"--strategy": ":"}, "`--strategy` must name a class"),
        ({"--strategy": "os:path"}, "`--strategy` must name a class"),
        ({"--strategy": "nowhere:Strategy"}, "`--strategy` must name a class"),
        ({"--strategy": "dfal_keras.strategies:Strategy"}, "`--strategy` must name"),
        ({"--num-queries": "0"}, "`--num-queries` must be an integer"),
        ({"--num-queries": "-1"}, "`--num-queries` must be an integer"),
        ({"--num-queries": "61"}, "`--num-queries` must be at most"),
        ({"--num-candidates": "0"}, "`--num-candidates` must be an integer"),
        (
            {"--num-candidates": "5"},
            "`--num-candidates` must be an integer of at least",
        ),
        ({"--exclude": "outside.csv"}, "`--exclude` must be a list of rows"),
        ({"--exclude": "negative.csv"}, "`--exclude` must be a list of rows"),
        ({"--exclude": "fraction.csv"}, "`--exclude` must name rankings"),
        ({"--exclude": "other.csv"}, "`--exclude` must name rankings"),
        ({"--exclude": "binary.csv"}, "`--exclude` must name rankings"),
        ({"--exclude": "short.csv"}, "`--exclude` must name rankings"),
        ({"--exclude": "blank.csv"}, "`--exclude` must name rankings"),
        ({"--exclude": "missing.csv"}, "`--exclude` must name rankings"),
        ({"--exclude": "empty"}, "`--exclude` must name rankings"),
        ({"--exclude": "of_folder.csv"}, "`--exclude` must name rankings of an array"),
        (
            {"--exclude": "of_array.csv", "--pool": "images"},
            "`--exclude` must name rankings of a folder",
        ),
        ({"--seed": "-1"}, "`--seed` must be an integer"),
    ],
    ids=lambda value: (
        " ".join(sum(value.items(), ())) if isinstance(value, dict) else ""
    ),
)
def test_an_error_is_one_line_that_names_the_flag(
    folder, tmp_path, monkeypatch, capsys, changed, message
):
    monkeypatch.chdir(tmp_path)
    before = bad_calls.contents(folder)
    capsys.readouterr()
    assert query(folder, "out.csv", **changed) == 2
    shown = capsys.readouterr()
    assert shown.out.count("\n") <= 1
    assert shown.err.count("\n") == 1
    assert shown.err.startswith("Stopped: Argument ")
    assert message in shown.err
    assert "Received: " in shown.err
    assert list(tmp_path.iterdir()) == []
    assert bad_calls.contents(folder) == before


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "command"),
        (["ask"], "session"),
        (["annotate"], "command"),
        (["label"], "session"),
        (["query", "--pool", "p.npy", "--out", "o.csv"], "--model"),
        (["query", "--num-queries", "ten"], "--num-queries"),
        (["query", "--seed", "0.5"], "--seed"),
        (["query", "--image-size", "4"], "--image-size"),
        (["query", "--exclude"], "--exclude"),
    ],
)
def test_a_command_line_that_can_not_be_parsed(
    arguments, named, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert named in capsys.readouterr().err.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_only_warnings_of_many_graphs_are_hidden(monkeypatch, caplog, tmp_path):
    """TensorFlow warns of the graphs of each model that a command loads."""
    logger = logging.getLogger("tensorflow")
    sent = "6 out of the last 7 calls to <function f> triggered tf.function retracing"

    def warn(*_):
        logger.warning(sent)
        logger.warning("something else")

    monkeypatch.setattr(logger, "propagate", True)
    monkeypatch.setattr(command_line, "_run", warn)
    assert main(["status", str(tmp_path)]) == 0
    assert [record.getMessage() for record in caplog.records] == ["something else"]
    logger.warning(sent)
    assert caplog.records[-1].getMessage() == sent
