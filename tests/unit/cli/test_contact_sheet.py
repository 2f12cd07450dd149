import subprocess
import sys

import keras
import matplotlib
import numpy as np
import pytest
from helpers import models

from dfal_keras.cli import contact_sheet
from dfal_keras.cli.main import main

CODE = """
import sys
import numpy as np
from dfal_keras.cli import contact_sheet
assert "matplotlib.figure" not in sys.modules
contact_sheet.draw("sheet.png", np.zeros((1, 4, 4, 1)), ["caption"])
"""


def test_a_sheet_needs_no_other_import_of_matplotlib(tmp_path):
    subprocess.run([sys.executable, "-c", CODE], cwd=tmp_path, check=True)
    assert (tmp_path / "sheet.png").is_file()


@pytest.mark.parametrize("num_channels", [1, 3, 4])
def test_examples_and_differences_stand_beside_their_images(
    tmp_path, num_channels, monkeypatch
):
    # The figures of `reproduce` trim their margins, in the same process.
    monkeypatch.setitem(matplotlib.rcParams, "savefig.bbox", None)
    images = np.full((7, 8, 8, num_channels), 100, "uint8")
    captions = [str(i) for i in range(7)]
    contact_sheet.draw(tmp_path / "images.png", images, captions)
    examples = {1: (images[1] + 50.0, "adversarial"), 6: (images[6] - 50.0, "too")}
    contact_sheet.draw(tmp_path / "all.png", images, captions, examples)
    narrow, wide = (
        keras.utils.load_img(tmp_path / name) for name in ("images.png", "all.png")
    )
    assert wide.height == narrow.height
    assert wide.width > 2 * narrow.width


@pytest.mark.parametrize("shape", [(2, 8), (2, 8, 8), (2, 8, 8, 2)])
def test_samples_that_are_not_images_are_rejected(tmp_path, shape):
    with pytest.raises(ValueError, match=r"`images` must have shape.*Received: shape"):
        contact_sheet.draw(tmp_path / "sheet.png", np.zeros(shape), ["", ""])
    assert not list(tmp_path.iterdir())


STRATEGIES = """
import numpy as np
from dfal_keras.strategies import Query, Strategy

class OneExample(Strategy):
    def select(self, model, x_unlabeled, num_queries, x_labeled, rng):
        examples = np.asarray(x_unlabeled[1:2], np.float32) + 50
        return Query(
            np.arange(2), adversarial_examples=examples, adversarial_rows=np.array([1])
        )

class NoExamples(Strategy):
    def select(self, model, x_unlabeled, num_queries, x_labeled, rng):
        return Query(np.arange(2), None, np.empty((0, 8, 8, 1)), np.empty(0, int))
"""


def test_missing_adversarial_examples_are_left_blank(tmp_path, monkeypatch):
    (tmp_path / "own_strategies.py").write_text(STRATEGIES)
    monkeypatch.syspath_prepend(tmp_path)
    models.linear(2, input_shape=(8, 8, 1)).save(tmp_path / "model.keras")
    np.save(tmp_path / "pool.npy", np.full((5, 8, 8, 1), 100, "uint8"))

    def draw(name):
        arguments = ["--model", tmp_path / "model.keras", "--pool"]
        arguments += [tmp_path / "pool.npy", "--out", tmp_path / f"{name}.csv"]
        arguments += ["--num-queries", 2, "--strategy", f"own_strategies:{name}"]
        assert main(["query", *map(str, arguments)]) == 0
        return keras.utils.load_img(tmp_path / f"{name}.png")

    picture = np.asarray(draw("OneExample"))
    cells = [np.array_split(row, 3, axis=1) for row in np.array_split(picture, 2)]
    is_blank = [[bool((cell == 255).all()) for cell in row] for row in cells]
    assert is_blank == [[False, True, True], [False, False, False]]
    assert draw("NoExamples").size[0] < picture.shape[1] / 2
