import keras
import numpy as np
from helpers import models

from dfal_keras.__main__ import main

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
