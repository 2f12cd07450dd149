import builtins
import dataclasses
import io
import pathlib
import re

import numpy as np
import PIL.Image
import pytest
from helpers import noise_images, sessions

from dfal_keras.labeling.formats.reading import Answer
from dfal_keras.labeling.session import Session
from dfal_keras.labeling.views import notebook

pytest.importorskip("ipywidgets")
ROOT = pathlib.Path(__file__).parents[4]
CLASSES = ["cat", "dog", "owl"]


def labels(labeler):
    return {answer.file: answer.label for answer in labeler.answers}


def test_clicks_answer_the_images():
    queried = noise_images.make(4)
    labeler = notebook.label(queried, CLASSES)
    assert labeler.answers == []
    labeler.class_buttons["dog"].click()
    labeler.cannot_tell.click()
    labeler.next.click()
    labeler.class_buttons["owl"].click()
    assert labeler.answers == [
        Answer("images/0.png", queried[0].sha256, "dog"),
        Answer("images/1.png", queried[1].sha256, None),
        Answer("images/3.png", queried[3].sha256, "owl"),
    ]
    assert "3 of 4, 3 answered" in labeler.text.value  # the one that is left
    labeler.class_buttons["cat"].click()
    assert "3 of 4, 4 answered" in labeler.text.value


def test_answers_are_corrected_and_undone():
    labeler = notebook.label(noise_images.make(3), CLASSES)
    labeler.class_buttons["dog"].click()
    labeler.previous.click()
    assert "images/0.png: dog" in labeler.text.value
    labeler.class_buttons["cat"].click()
    assert labels(labeler) == {"images/0.png": "cat"}
    labeler.undo.click()
    assert labels(labeler) == {"images/0.png": "dog"}
    assert "1 of 3" in labeler.text.value
    for _ in range(2):  # nothing is left to undo the second time
        labeler.undo.click()
        assert labels(labeler) == {}


def test_moves_stop_at_the_ends():
    labeler = notebook.label(noise_images.make(2), CLASSES)
    labeler.previous.click()
    assert "1 of 2" in labeler.text.value
    labeler.next.click()
    labeler.next.click()
    assert "2 of 2" in labeler.text.value


def test_the_image_is_enlarged_beside_its_adversarial_example():
    queried = noise_images.make(2)
    queried[1] = dataclasses.replace(queried[1], adversarial_example=None)
    labeler = notebook.label(queried, CLASSES)
    image, example = (
        np.asarray(PIL.Image.open(io.BytesIO(widget.value)))
        for widget in labeler.images.children
    )
    assert image.shape == (256, 256, 3)
    np.testing.assert_array_equal(image[::4, ::4], queried[0].image)
    np.testing.assert_array_equal(image[3::4, 3::4], queried[0].image)
    assert (example != image).any()
    labeler.next.click()
    assert len(labeler.images.children) == 1


def test_names_are_shown_as_text_and_labels_are_kept():
    queried = noise_images.make(2, file="<b>&.png", label="<i>")
    labeler = notebook.label(queried, ["<i>"])
    assert "&lt;b&gt;&amp;.png: &lt;i&gt;" in labeler.text.value
    assert [answer.label for answer in labeler.answers] == ["<i>", "<i>"]


def test_a_cell_shows_the_labeler(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    labeler = notebook.label(noise_images.make(1), CLASSES)
    labeler._ipython_display_()
    assert shown == [labeler.box]
    assert labeler.images in labeler.box.children


def test_the_documented_cells(tmp_path, monkeypatch, capsys):
    """The two cells of notebooks/label_a_folder.md, with clicks between them."""
    sessions.create(tmp_path)
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "notebooks/label_a_folder.md").read_text()
    first, second = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names = {}
    exec(first, names)
    for _ in range(19):
        names["labeler"].class_buttons["owl"].click()
    names["labeler"].cannot_tell.click()
    exec(second, names)
    assert "num_labeled=19, " in capsys.readouterr().out
    with Session("session") as session:
        assert sorted(session.labels().values()) == ["?", *19 * ["owl"]]


def test_impossible_arguments_are_rejected():
    with pytest.raises(ValueError, match=r"`classes` must hold"):
        notebook.label(noise_images.make(1), ["?"])
    with pytest.raises(ValueError, match=r"`queried` must hold"):
        notebook.label([], CLASSES)


def test_a_missing_ipywidgets_is_named(monkeypatch):
    original = builtins.__import__

    def without_ipywidgets(name, *arguments):
        if name == "ipywidgets":
            raise ImportError(name)
        return original(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without_ipywidgets)
    with pytest.raises(ImportError, match=r"pip install \"dfal-keras\[notebook\]\""):
        notebook.label(noise_images.make(1), CLASSES)
