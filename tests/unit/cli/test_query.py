import csv
import hashlib
import io
import os
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
from helpers import image_files
from helpers.parameters import slow_after

from dfal_keras import ActiveLearner
from dfal_keras.cli import pool_files
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


@pytest.mark.parametrize("pool", ["images", "images.npy"])
@pytest.mark.parametrize("strategy", slow_after(1, ["dfal", "diverse_dfal"]))
def test_adversarial_examples_of_a_folder_are_pixels(
    folder, tmp_path, pool, strategy, monkeypatch
):
    """Pixels of a folder lie in 0 to 255; the range of an array is not known."""
    found = []
    choose = ActiveLearner.choose

    def spy(learner, *arguments, **options):
        found.append(learner.strategy)
        return choose(learner, *arguments, **options)

    monkeypatch.setattr(ActiveLearner, "choose", spy)
    options = ("--strategy", strategy, "--no-sheet", "--num-queries", "5")
    assert query(folder, *options, pool=pool, out=tmp_path / "out.csv") == 0
    (used,) = found
    assert used.bounds == ((0, 255) if pool == "images" else None)


@pytest.mark.parametrize("pool", ["images", "images.npy", "images.npz"])
def test_a_query_writes_a_ranking_and_a_picture(folder, tmp_path, pool):
    out = tmp_path / "queries.csv"
    assert query(folder, "--num-queries", "12", pool=pool, out=out) == 0
    rows = read(out)
    assert [row["rank"] for row in rows] == [str(i + 1) for i in range(12)]
    assert len({row["file"] or row["index"] for row in rows}) == 12
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores)
    assert {row["label"] for row in rows} == {""}
    for row in rows:
        if pool == "images":
            content = (folder / "images" / row["file"]).read_bytes()
            assert row["sha256"] == hashlib.sha256(content).hexdigest()
            assert row["index"] == ""
        else:
            assert row["file"] == row["sha256"] == ""
            assert 0 <= int(row["index"]) < 60
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "queries.csv",
        "queries.png",
    ]
    picture = keras.utils.load_img(tmp_path / "queries.png")
    assert picture.size[0] > picture.size[1] / 3 > 100


def test_a_folder_and_an_array_give_the_same_query(folder, tmp_path):
    """Not by DFAL, as the range of pixels is known of images in files only."""
    asked = ["--no-sheet", "--strategy", "uncertainty"]
    for pool in ("images", "images.npy"):
        query(folder, *asked, pool=pool, out=tmp_path / f"{pool}.csv")
    from_folder, from_array = (
        read(tmp_path / f"{pool}.csv") for pool in ("images", "images.npy")
    )
    names = [int(row["file"].split("/")[-1][:2]) for row in from_folder]
    assert names == [int(row["index"]) for row in from_array]


@pytest.mark.parametrize("strategy", ["uncertainty", "random", "core_set", "badge"])
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
    assert "" not in indices


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


def test_as_a_command_in_a_folder_with_modules(folder, tmp_path):
    """None of them is imported in place of what the command uses."""
    for name in ("numpy", "keras", "tensorflow", "PIL", "argparse", "csv"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('evil')")
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


def copied(folder, tmp_path):
    """Return a folder of 20 of the images."""
    (tmp_path / "images").mkdir()
    for path in (folder / "images").glob("[0-3]*.png"):
        shutil.copy2(path, tmp_path / "images")
    return tmp_path / "images"


def ask(folder, images, out, num_queries, *options):
    """Query with a fast strategy; return the names of the queried files."""
    options = (*options, "--strategy", "uncertainty", "--num-queries", str(num_queries))
    assert query(folder, *options, "--no-sheet", pool=images, out=out) == 0
    return {row["file"] for row in read(out)}


def test_files_that_are_moved_or_removed_stay_excluded(folder, tmp_path, capsys):
    images = copied(folder, tmp_path)
    first = ask(folder, images, tmp_path / "first.csv", 10)
    moved, removed, changed = sorted(first)[:3]
    (images / "more").mkdir()
    (images / moved).rename(images / "more" / moved)
    (images / removed).unlink()
    image_files.write(images / changed, (1, 2, 3))
    exclude = ("--exclude", str(tmp_path / "first.csv"))
    capsys.readouterr()
    second = ask(folder, images, tmp_path / "second.csv", 11, *exclude)
    assert second == {path.name for path in images.iterdir()} - (first - {changed}) - {
        "more"
    }
    assert "first.csv: 2 of 10 images are not in the pool" in capsys.readouterr().out


SAVED = {
    "byte-order mark": lambda text: "\ufeff" + text,
    "semicolons": lambda text: text.replace(",", ";"),
    "tabs": lambda text: text.replace(",", "\t"),
    "all at once": lambda text: "\ufeff" + text.replace(",", ";").replace("\r\n", "\n"),
    "without checksums": lambda text: "\n".join(
        ",".join(line.split(",")[:3]) for line in text.splitlines()
    ),
}


@pytest.mark.parametrize("name", SAVED)
def test_rankings_that_a_spreadsheet_saved_are_excluded(folder, tmp_path, name):
    images = copied(folder, tmp_path)
    first = ask(folder, images, tmp_path / "first.csv", 10)
    text = (tmp_path / "first.csv").read_text()
    (tmp_path / "saved.csv").write_text(SAVED[name](text), newline="")
    exclude = ("--exclude", str(tmp_path / "saved.csv"))
    second = ask(folder, images, tmp_path / "second.csv", 10, *exclude)
    assert first.isdisjoint(second)


NAMES = [
    b"=1+1,2.png",
    b"'=a.png",
    b"-1;2.png",
    b'"a".png',
    b"a\nb.png",
    b"\xff\t.png",
    b"$x$_$.png",
]


@pytest.mark.skipif(os.name == "nt", reason="names of POSIX")
@pytest.mark.filterwarnings("ignore:Glyph 9:UserWarning")
def test_names_of_any_kind(folder, tmp_path):
    images = tmp_path / "images"
    for name, color in zip(NAMES, image_files.colors(len(NAMES)), strict=True):
        image_files.write(os.fsdecode(os.fsencode(images) + b"/" + name), color)
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    options = ("--strategy", "uncertainty", "--num-queries")
    assert query(folder, *options, "7", pool=images, out=first) == 0
    cells = {row["file"] for row in read(first)}
    assert cells == {
        *("'=1+1,2.png", "''=a.png", "'-1;2.png", '"a".png'),
        *("a\nb.png", "\\xff\t.png", "$x$_$.png"),
    }
    text = first.read_bytes().decode()
    header, rest = text.split("\r\n", 1)
    first.write_text(header.replace("sha256", "other") + "\r\n" + rest, newline="")
    image_files.write(images / "new.png", (1, 2, 3))
    exclude = ("--exclude", str(first), "--no-sheet")
    assert query(folder, *options, "1", *exclude, pool=images, out=second) == 0
    assert [row["file"] for row in read(second)] == ["new.png"]


def test_files_that_are_left_out_are_named(folder, tmp_path, capsys):
    images = copied(folder, tmp_path)
    for i in range(7):
        (images / f"{i}.txt").write_text("text")
    (images / "cut.png").write_bytes((images / "00.png").read_bytes()[:100])
    (images / "line\nbreak.png").write_text("text")
    ask(folder, images, tmp_path / "out.csv", 5)
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == (
        "files that are no images, skipped: 7 ('0.txt', '1.txt', '2.txt', '3.txt', "
        "'4.txt', ...)"
    )
    assert shown[1].startswith("left out 'cut.png': ")
    assert shown[2].startswith(r"left out 'line\nbreak.png': not an image of")
    assert shown[3] == "20 images; uncertainty chooses 5"


def test_a_cache_keeps_what_was_decoded(folder, tmp_path, monkeypatch):
    images, cache = copied(folder, tmp_path), tmp_path / "cache"
    for path in images.iterdir():
        image_files.set_age(path)
    options = ("--cache", str(cache))
    first = ask(folder, images, tmp_path / "first.csv", 5, *options)
    assert np.load(cache / "pool.npy").dtype == np.uint8
    read_files = []
    load_pool = pool_files.load_pool

    def watched(path, shape, cache, progress):
        return load_pool(path, shape, cache, lambda *counts: read_files.append(counts))

    monkeypatch.setattr(pool_files, "load_pool", watched)
    assert ask(folder, images, tmp_path / "second.csv", 5, *options) == first
    assert read_files == []
    image_files.write(images / "0.png", (1, 2, 3))
    gone = min(first)
    (images / gone).unlink()
    third = ask(folder, images, tmp_path / "third.csv", 20, *options)
    assert read_files == [(1, 1)]
    assert third == {path.name for path in images.iterdir()}
    out = tmp_path / "out.csv"
    assert query(folder, *options, "--num-queries", "21", pool=images, out=out) == 2
    model = "any_size.keras"
    options = (*options, "--image-size", "32", "32")
    assert query(folder, *options, model=model, pool=images, out=out) == 2


def test_a_cache_of_images_of_another_size_is_an_error(folder, tmp_path, capsys):
    images = copied(folder, tmp_path)
    options = ("--cache", str(tmp_path / "cache"))
    ask(folder, images, tmp_path / "first.csv", 5, *options)
    options = (*options, "--image-size", "32", "32")
    out = tmp_path / "out.csv"
    assert query(folder, *options, model="any_size.keras", pool=images, out=out) == 2
    error = capsys.readouterr().err
    assert "Argument `--image-size` must be (64, 64, 3), the shape of the im" in error


def test_the_size_of_images_can_be_chosen(folder, tmp_path):
    images = copied(folder, tmp_path)
    options = ("--image-size", "20", "30", "--cache", str(tmp_path / "cache"))
    options += ("--strategy", "uncertainty")
    out = tmp_path / "out.csv"
    assert query(folder, *options, model="any_size.keras", pool=images, out=out) == 0
    assert np.load(tmp_path / "cache" / "pool.npy").shape == (20, 20, 30, 3)


def test_names_that_the_terminal_can_not_show(folder, tmp_path, monkeypatch):
    images = copied(folder, tmp_path)
    (images / "日本.txt").write_text("text")
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    ask(folder, images, tmp_path / "out.csv", 5)
    sys.stdout.seek(0)
    shown = sys.stdout.readline()
    assert shown == r"files that are no images, skipped: 1 ('\u65e5\u672c.txt')" + "\n"
