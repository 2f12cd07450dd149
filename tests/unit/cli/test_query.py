import csv
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

from dfal_keras.cli.main import main


def query(folder, *arguments, model="model.keras", pool="images.npy", out="out.csv"):
    return main(
        [
            "query",
            *("--model", str(folder / model)),
            *("--pool", str(folder / pool)),
            *("--out", str(out)),
            *arguments,
        ]
    )


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("pool", ["images", "images.npy", "images.npz"])
def test_a_query_writes_a_ranking_and_a_picture(folder, tmp_path, pool):
    out = tmp_path / "queries.csv"
    assert query(folder, "--num-queries", "12", pool=pool, out=out) == 0
    rows = read(out)
    assert [row["rank"] for row in rows] == [str(i + 1) for i in range(12)]
    assert len({row["index"] for row in rows}) == 12
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores)
    assert {row["label"] for row in rows} == {""}
    for row in rows:
        if pool == "images":
            assert (folder / "images" / row["file"]).is_file()
        else:
            assert row["file"] == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "queries.csv",
        "queries.png",
    ]
    picture = keras.utils.load_img(tmp_path / "queries.png")
    assert picture.size[0] > picture.size[1] / 3 > 100


def test_a_folder_and_an_array_give_the_same_query(folder, tmp_path):
    """Keras reads a folder's files in the order of their names, subfolders last."""
    for pool in ("images", "images.npy"):
        query(folder, "--no-sheet", pool=pool, out=tmp_path / f"{pool}.csv")
    from_folder, from_array = (
        read(tmp_path / f"{pool}.csv") for pool in ("images", "images.npy")
    )
    names = [int(row["file"].split("/")[-1][:2]) for row in from_folder]
    assert names == [int(row["index"]) for row in from_array]


@pytest.mark.parametrize("strategy", ["uncertainty", "random", "core_set"])
def test_other_strategies(folder, tmp_path, strategy):
    out = tmp_path / "out.csv"
    assert query(folder, "--strategy", strategy, out=out) == 0
    assert len(read(out)) == 10
    assert (tmp_path / "out.png").is_file()


def test_excluded_rankings_are_not_queried_again(folder, tmp_path):
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    query(folder, "--no-sheet", out=first)
    query(folder, "--no-sheet", "--exclude", str(first), out=second)
    indices = [row["index"] for row in read(first) + read(second)]
    assert len(set(indices)) == 20


def test_samples_that_are_not_images_have_no_picture(folder, tmp_path, capsys):
    out = tmp_path / "out.csv"
    assert query(folder, model="rows.keras", pool="rows.npy", out=out) == 0
    assert "no picture" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_an_existing_file_is_not_overwritten(folder, tmp_path, capsys):
    out = tmp_path / "out.csv"
    out.write_text("labels")
    assert query(folder, out=out) == 2
    assert out.read_text() == "labels"
    assert "`--out` must name a new" in capsys.readouterr().err


def test_lambda_layers_are_loaded_with_allow_lambda(folder, tmp_path):
    out = tmp_path / "out.csv"
    lines = ("--allow-lambda", "--strategy", "random")
    assert query(folder, *lines, model="lambda.keras", pool="rows.npy", out=out) == 0


def test_as_a_command(folder, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "dfal_keras", "query", "--strategy", "random"]
        + ["--model", str(folder / "model.keras"), "--pool", str(folder / "images")]
        + ["--out", "out.csv"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert "out.csv" in done.stdout


def test_a_new_file_that_sorts_first_does_not_shift_what_is_excluded(folder, tmp_path):
    images = tmp_path / "images"
    shutil.copytree(folder / "images", images)
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    options = ("--no-sheet", "--num-queries", "30")
    assert query(folder, *options, pool=images, out=first) == 0
    keras.utils.save_img(images / "0.png", np.zeros((64, 64, 3)), scale=False)
    assert (
        query(folder, *options, "--exclude", str(first), pool=images, out=second) == 0
    )
    asked, asked_then = (
        {row["file"] for row in read(path)} for path in (first, second)
    )
    assert len(asked | asked_then) == 60
