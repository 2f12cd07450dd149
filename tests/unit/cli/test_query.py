import csv
import subprocess
import sys

import keras
import numpy as np
import pytest

from dfal_keras.__main__ import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A trained model of 64x64 color images, and pools of them in several forms."""
    folder = tmp_path_factory.mktemp("query")
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    x = rng.uniform(0, 120, size=(60, 64, 64, 3))
    x[labels == 1, 16:48, 16:48, 0] += 80  # a red square
    x = x.astype("uint8")
    (folder / "images" / "more").mkdir(parents=True)
    for i, image in enumerate(x):
        place = folder / "images" / ("more" if i % 2 else "")
        keras.utils.save_img(place / f"{i:02}.png", image, scale=False)
    np.save(folder / "images.npy", x)
    np.savez(folder / "images.npz", x=x, y=labels)
    np.save(folder / "rows.npy", x.reshape(60, -1)[:, :12])
    (folder / "broken").mkdir()
    (folder / "broken" / "image.png").write_bytes(b"no image")
    (folder / "short.csv").write_text("rank,index\n1\n")
    (folder / "empty.csv").write_text("")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((64, 64, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 5, strides=3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, labels, epochs=3, verbose=0)
    model.save(folder / "model.keras")
    keras.Sequential([keras.Input((12,)), keras.layers.Dense(2)]).save(
        folder / "rows.keras"
    )
    keras.Sequential([keras.Input((12,)), keras.layers.Lambda(lambda x: x * 2)]).save(
        folder / "lambda.keras"
    )
    return folder


FILES = ("short.csv", "empty.csv")


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
def test_ranks_and_draws(folder, tmp_path, pool):
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


def test_folder_and_array_ask_for_the_same_images(folder, tmp_path):
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


def test_what_was_asked_before_is_not_asked_again(folder, tmp_path):
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    query(folder, "--no-sheet", out=first)
    query(folder, "--no-sheet", "--exclude", str(first), out=second)
    indices = [row["index"] for row in read(first) + read(second)]
    assert len(set(indices)) == 20


def test_samples_that_are_no_images_have_no_picture(folder, tmp_path, capsys):
    out = tmp_path / "out.csv"
    assert query(folder, model="rows.keras", pool="rows.npy", out=out) == 0
    assert "no picture" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "images.npy"}, "`model` must be a file that ends in .keras"),
        ({"model": "missing.keras"}, "which is not there"),
        ({"model": "lambda.keras", "pool": "rows.npy"}, "Python code"),
        ({"model": "rows.keras"}, "`pool` must have samples of shape"),
        ({"model": "rows.keras", "pool": "images"}, "`pool` may be a folder only"),
        ({"pool": "missing"}, "which is not there"),
        ({"pool": "model.keras"}, "`pool` must be a folder"),
        ({"arguments": ["--num-queries", "0"]}, "`num_queries`"),
        ({"arguments": ["--num-queries", "61"]}, "`num_queries`"),
        ({"arguments": ["--num-candidates", "5"]}, "`num_candidates`"),
        ({"arguments": ["--strategy", "dfla"]}, "`identifier`"),
        ({"arguments": ["--strategy", "nowhere:Strategy"]}, "`identifier`"),
        ({"arguments": ["--exclude", "missing.csv"]}, "`exclude`"),
        ({"arguments": ["--sheet", "no/such/folder.png"]}, "`sheet` must name a new"),
        ({"arguments": ["--sheet", "out.csv"]}, "`sheet` must name a new .png file"),
        ({"out": "out.png"}, "`out` must name a new .csv file"),
        ({"out": ""}, "`out` must name a new .csv file"),
        ({"pool": "broken"}, "images that can be decoded"),
        ({"pool": "images", "arguments": ["--image-size", "0", "0"]}, "`pool` may be"),
        ({"arguments": ["--exclude", "short.csv"]}, "`exclude`"),
        ({"arguments": ["--exclude", "empty.csv"]}, "`exclude`"),
    ],
)
def test_bad_input(folder, tmp_path, monkeypatch, capsys, change, message):
    monkeypatch.chdir(tmp_path)
    given = change.get("arguments", [])
    arguments = [str(folder / name) if name in FILES else name for name in given]
    change = {name: value for name, value in change.items() if name != "arguments"}
    assert query(folder, *arguments, **change) == 2
    error = capsys.readouterr().err
    assert error.startswith("Stopped: ")
    assert message in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(folder, tmp_path, capsys):
    out = tmp_path / "out.csv"
    out.write_text("labels that took a week")
    assert query(folder, out=out) == 2
    assert out.read_text() == "labels that took a week"
    assert "`out` must name a new" in capsys.readouterr().err


def test_lambda_layers_only_if_the_user_says_so(folder, tmp_path):
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
