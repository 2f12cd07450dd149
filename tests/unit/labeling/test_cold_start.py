"""Sessions that begin without a trained model."""

import re

import keras
import numpy as np
import pytest
from helpers import image_folders, sessions

from dfal_keras.labeling import asking, cold_start, telling, training
from dfal_keras.labeling.formats.answer import Answer
from dfal_keras.labeling.session import Session

OPTIONS = {"num_restarts": 1, "epochs": 1}
LACKING = re.compile("labels? of")


def write_constant(path, label, num_classes=3):
    """Write a model that says one class for all images."""
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(num_classes, activation="softmax"),
        ]
    )
    bias = np.zeros(num_classes)
    bias[label] = 9
    model.set_weights([np.zeros((3, num_classes)), bias])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.save(path)


@pytest.mark.parametrize(
    ("given", "expected"), [(None, False), (True, True), (False, False)]
)
def test_a_model_that_says_one_class_is_not_trained(tmp_path, given, expected):
    sessions.create(tmp_path)
    write_constant(tmp_path / "constant.keras", 1)
    options = {
        "images": tmp_path / "images",
        "model": tmp_path / "constant.keras",
        "classes": image_folders.CLASSES,
    }
    with Session.create(tmp_path / "new", is_trained=given, **options) as session:
        assert session.settings.is_trained == expected
    # The same command once more, as after a kill at its end.
    Session.create(tmp_path / "new", is_trained=given, **options).close()


def test_a_model_that_says_several_classes_is_trained(tmp_path):
    folder, _ = sessions.create(tmp_path, is_trained=None)
    with Session(folder) as session:
        pool = session.store.pool
        model = session.load_model("model.keras")
        predicted = model.predict(pool[:], verbose=0).argmax(axis=1)
        share = np.bincount(predicted).max() / len(pool)
        assert session.settings.is_trained == (share <= 0.95)


def test_queries_are_diverse_until_each_class_has_three_labels(tmp_path):
    folder, truth = sessions.create(tmp_path, 60, is_trained=False)
    names = {
        c: [n for n in sorted(truth) if truth[n] == c] for c in set(truth.values())
    }
    with Session(folder) as session:
        for count in (1, 2, 3):
            told = [n for each in names.values() for n in each[count - 1 : count]]
            telling.tell(session, [Answer(n, "", truth[n]) for n in told])
            training.train(session, allow_missing_classes=True, **OPTIONS)
            model = session.load_model("model.keras")
            reason = cold_start.plan(session, model)
            assert bool(LACKING.search(reason or "")) == (count < 3)


def test_rare_classes_do_not_keep_it_from_beginning(tmp_path):
    folder, truth = sessions.create(tmp_path, 90, is_trained=False)
    common = [name for name in truth if truth[name] != "owl"][:61]
    with Session(folder) as session:
        telling.tell(session, [Answer(name, "", truth[name]) for name in common])
        training.train(session, allow_missing_classes=True, num_restarts=1, epochs=20)
        model = session.load_model("model.keras")
        assert not LACKING.search(cold_start.plan(session, model) or "")


def test_a_trained_model_that_says_one_class_does_not_choose(tmp_path):
    folder, truth = sessions.create(tmp_path, 60, is_trained=False)
    with Session(folder) as session:
        telling.tell(session, [Answer(n, "", truth[n]) for n in sorted(truth)[:50]])
        training.train(session, **OPTIONS)
        write_constant(folder / "constant.keras", 0)
        model = keras.models.load_model(folder / "constant.keras")
        assert "predicts cat for 100%" in cold_start.plan(session, model)


def test_images_far_apart_are_asked_if_the_features_are_pretrained(tmp_path):
    """One image of each of five colors that are far apart, whatever their shares."""
    from PIL import Image

    images = tmp_path / "images"
    images.mkdir()
    rng = np.random.default_rng(0)
    colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 255, 255)]
    truth = {}
    for i in range(60):
        label = 0 if i < 48 else (i - 48) % 5
        pixels = np.clip(colors[label] + rng.normal(0, 5, (8, 8, 3)), 0, 255)
        Image.fromarray(pixels.astype("uint8")).save(images / f"{i:02}.png")
        truth[f"{i:02}.png"] = str(label)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(3, 1, trainable=False),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(5, activation="softmax"),
        ]
    )
    model.layers[0].set_weights([np.eye(3).reshape(1, 1, 3, 3), np.zeros(3)])
    model.save(tmp_path / "model.keras")
    with Session.create(
        tmp_path / "session",
        images=images,
        model=tmp_path / "model.keras",
        classes=list("01234"),
        is_trained=False,
    ) as session:
        import dataclasses

        session.settings = dataclasses.replace(session.settings, is_pretrained=True)
        queried = asking.ask(session, 5)
    assert sorted(truth[q.file] for q in queried) == list("01234")
