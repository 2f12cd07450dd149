"""Samples of Quick, Draw!: the files, the download, the split of each trial."""

import dataclasses
import functools
import http.server
import io
import threading

import drawings as script
import numpy as np
import pytest
from experiments import download_drawings, problem_data, problems, results, runs
from experiments.analysis import tables
from experiments.drawings import Drawings
from experiments.methods import RANDOM
from experiments.running import problem_training

CLASSES = ("ant", "bee", "cow")
FEW = Drawings("few", "few.npz", CLASSES, num_train=4, num_test=2)
SMALL = problems.get("quick_draw_small-lenet5")


def bitmaps(label, count=9):
    """Return images of one class, all different and known by their first pixels."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = label, np.arange(count)
    return images


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DFAL_KERAS_DATA", str(tmp_path))
    return tmp_path


def write(folder, **arrays):
    np.savez_compressed(folder / "few.npz", **arrays)


def by_class(flat=False):
    images = {name: bitmaps(label) for label, name in enumerate(CLASSES)}
    return {n: x.reshape(len(x), -1) if flat else x for n, x in images.items()}


@pytest.mark.parametrize("flat", [False, True])
def test_the_first_images_of_each_class_are_taken(folder, flat):
    write(folder, **by_class(flat), dog=bitmaps(7))
    (x, y), (x_test, y_test) = FEW.load()
    assert x.shape == (12, 28, 28, 1)
    assert x_test.shape == (6, 28, 28, 1)
    np.testing.assert_array_equal(y, np.repeat([0, 1, 2], 4))
    np.testing.assert_array_equal(y_test, np.repeat([0, 1, 2], 2))
    np.testing.assert_array_equal(x[:, 0, 0, 0], y)
    np.testing.assert_array_equal(x[:, 0, 1, 0], [0, 1, 2, 3] * 3)
    np.testing.assert_array_equal(x_test[:, 0, 1, 0], [4, 5] * 3)


def test_four_arrays_are_read_in_any_order_of_the_labels(folder):
    write(folder, **by_class())
    expected = FEW.load()
    order, order_test = np.random.default_rng(0).permutation(12), [5, 0, 3, 1, 4, 2]
    (x, y), (x_test, y_test) = expected
    write(
        folder,
        x_train=x[order],
        y_train=y[order].astype(np.int64),
        x_test=x_test[order_test],
        y_test=y_test[order_test],
    )
    (x_read, y_read), _ = FEW.load()
    np.testing.assert_array_equal(y_read, y)
    # Within a class, the order is that of the file.
    np.testing.assert_array_equal(x_read[:4], x[order][y[order] == 0])
    assert {image.tobytes() for image in x_read} == {image.tobytes() for image in x}


def test_a_changed_file_is_read_again_and_has_another_fingerprint(folder):
    write(folder, **by_class())
    before = FEW.fingerprint()
    assert before["class_names"] == list(CLASSES)
    assert before["x_test"] == {"shape": [6, 28, 28, 1], "dtype": "uint8"}
    assert FEW.fingerprint() == before
    images = by_class()
    images["bee"][5, 9, 9] = 1
    write(folder, **images)
    assert FEW.fingerprint()["sha256"] != before["sha256"]


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.pop("bee"),
        lambda a: a.update(bee=bitmaps(1, 5)),
        lambda a: a.update(bee=bitmaps(1).astype(float)),
        lambda a: a.update(bee=np.zeros((9, 14, 14), np.uint8)),
        lambda a: a.update(x_train=bitmaps(0), y_train=np.zeros(9)),
        lambda a: a.update(
            x_train=np.concatenate([bitmaps(0, 5), bitmaps(1, 7)]),
            y_train=np.repeat([0, 1], [5, 7]),
            x_test=bitmaps(0, 6),
            y_test=np.zeros(6),
        ),
    ],
)
def test_a_file_with_other_arrays_is_refused_by_name(folder, change):
    arrays = by_class()
    change(arrays)
    write(folder, **arrays)
    with pytest.raises(ValueError, match=r"few\.npz must hold 6 drawings of each of"):
        FEW.load()


def test_a_damaged_file_is_refused_by_name(folder):
    (folder / "few.npz").write_bytes(b"PK\3\4 and no more")
    with pytest.raises(ValueError, match=r"few\.npz must hold 6 drawings"):
        FEW.load()


@pytest.fixture
def address():
    """A server with the files of three classes, as Google's bucket has them."""
    files = {}
    for label, name in enumerate(CLASSES):
        content = io.BytesIO()
        np.save(content, bitmaps(label, 40).reshape(40, -1))
        files[f"/{name}.npy"] = content.getvalue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            found = files.get(self.path)
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(found or b"")))
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, *arguments):
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", files
        server.shutdown()


def test_the_first_drawings_are_downloaded(folder, address):
    write(folder, **by_class())
    expected = FEW.fingerprint()
    FEW.path.unlink()
    assert not FEW.is_complete()
    assert FEW.status().startswith("missing: ")
    download_drawings.fetch(FEW, address[0])
    assert FEW.is_complete()
    assert FEW.status().startswith("complete: ")
    assert FEW.fingerprint() == expected


@pytest.mark.parametrize("content", [None, b"<html>", "short", "float"])
def test_a_failed_download_writes_nothing(folder, address, content):
    server, files = address
    if content in ("short", "float"):
        images = bitmaps(2, 5 if content == "short" else 40)
        written = io.BytesIO()
        np.save(written, images.astype("uint8" if content == "short" else "float32"))
        content = written.getvalue()
    files["/cow.npy"] = content
    with pytest.raises(ValueError, match=r"cow\.npy"):
        download_drawings.fetch(FEW, server)
    assert not list(folder.iterdir())


def test_the_script_ends_in_one_line_without_a_connection(folder, monkeypatch, capsys):
    def fail(url, **_):
        raise OSError("no route")

    monkeypatch.setattr(download_drawings.urllib.request, "urlopen", fail)
    assert script.main([]) == 2
    *_, line = capsys.readouterr().err.splitlines()
    assert line.endswith("dolphin.npy can't be downloaded: no route")
    assert not list(folder.iterdir())


def test_the_script_downloads_only_what_is_missing(folder, address, monkeypatch):
    write(folder, **by_class())
    monkeypatch.setattr(script, "DRAWINGS", [FEW])
    before = FEW.path.stat().st_mtime_ns
    assert script.main([]) == 0
    assert FEW.path.stat().st_mtime_ns == before


def test_a_split_keeps_the_numbers_of_each_class_and_depends_on_the_seed(folder):
    write(folder, **by_class())
    data = FEW.load()
    everything = {image.tobytes() for x, _ in data for image in x}
    found = []
    for seed in range(200):
        (x, y), (x_test, y_test) = problem_data.split(data, seed)
        assert np.bincount(y).tolist() == [4, 4, 4]
        assert np.bincount(y_test).tolist() == [2, 2, 2]
        np.testing.assert_array_equal(x[:, 0, 0, 0], y)
        np.testing.assert_array_equal(x_test[:, 0, 0, 0], y_test)
        assert {image.tobytes() for image in (*x, *x_test)} == everything
        found.append(tuple(x_test[y_test == 1][:, 0, 1, 0]))
    # Each of the 15 pairs of a class is tested about as often: the limit is that of
    # the 0.001 quantile of chi-squared with 14 degrees of freedom.
    counts = np.unique(found, axis=0, return_counts=True)[1]
    assert len(counts) == 15
    assert ((counts - 200 / 15) ** 2 / (200 / 15)).sum() < 36.1
    np.testing.assert_array_equal(
        problem_data.split(data, 3)[0][0], problem_data.split(data, 3)[0][0]
    )


def test_each_trial_of_a_problem_has_its_own_split(folder):
    write(folder, **by_class())
    problem = dataclasses.replace(SMALL, dataset=FEW, num_classes=3, name="few-lenet5")
    load = functools.partial(problem_training.load_problem, problem)
    fixed = dataclasses.replace(problem, splits_by_trial=False)
    for trial in range(3):
        np.testing.assert_equal(load(trial), problem_data.split(FEW.load(), trial))
        np.testing.assert_equal(problem_training.load_problem(fixed, trial), FEW.load())
        trainer = problem_training.Trainer(problem, {}, trial)
        np.testing.assert_array_equal(trainer.x, load(trial)[0][0])
    settings = runs.Run(problem, RANDOM, 1).settings
    assert settings["splits_by_trial"] is True
    assert settings["data"] == FEW.fingerprint()
    assert "splits_by_trial" not in runs.Run(fixed, RANDOM, 1).settings


def test_without_the_file_the_command_is_shown(folder):
    assert problem_data.identity(SMALL) is None
    assert "data" not in runs.Run(SMALL, RANDOM, 0).settings
    shown = results.why_not_run(SMALL)
    assert shown == "data set missing: python reproduce/drawings.py"


def test_the_papers_numbers_stand_beside_the_smaller_panels():
    panel = problems.get("quick_draw-lenet5")
    assert SMALL.panel == panel.name
    assert SMALL.is_printed
    assert not SMALL.is_own
    assert problems.get("quick_draw_small-vgg8").panel == "quick_draw-vgg8"
    assert not problems.get("quick_draw_other-lenet5").is_printed
    other = runs.other_networks(SMALL)
    assert [each.name for each in other] == ["quick_draw_small-vgg8"]
    assert "quick_draw_small-vgg8" not in map(str, runs.other_networks(panel))
    assert problems.get("quick_draw_small-lenet5-max7").panel == panel.name
    assert "424 drawings" in tables.notes("Table 1", [SMALL])
