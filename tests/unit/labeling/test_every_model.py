"""A labeling session with every model of the table: as the model says, or refused."""

import keras
import numpy as np
import pytest
from helpers import every_model, model_table
from helpers.every_model import REFUSED, USABLE, made, named
from helpers.model_table import TABLE
from PIL import Image

from dfal_keras import _files, stopping
from dfal_keras.labeling import (
    asking,
    checking,
    predicting,
    telling,
    training,
    training_history,
)
from dfal_keras.labeling.formats.answer import Answer
from dfal_keras.labeling.session import Session
from dfal_keras.strategies.uncertainty import entropy

# A model of each kind of outputs. A session loads and trains it, which takes seconds.
TYPICAL = ("nested logit, sigmoid", "average of softmaxes")

# All but one that Keras can't save.
SAVED = {name: USABLE[name] for name in USABLE if name != "subclassed, sigmoid"}

# Such a file holds Python code, or a function or layer that only this program knows.
NOT_LOADED = {
    "softmax: tf.nn in dense": "must be a .keras file",
    "softmax: tf.nn in Activation": "must be a .keras file",
    "softmax: Lambda": "Python code",
    "softmax: function in dense": "must be a .keras file",
    "attention in a layer of one's own": "must be a .keras file",
    "log of a complement": "must be a .keras file",
    "call of its own": "must be a .keras file",
    "subclassed": "must be a .keras file",
    "subclassed with methods": "must be a .keras file",
    "subclassed, nested": "must be a .keras file",
    "subclassed with layers named logits and features": "must be a .keras file",
    "augmentation": "must be a .keras file",
    "noise in inference": "must be a .keras file",
}


@pytest.fixture(scope="module")
def images(tmp_path_factory, blobs):
    """A folder of 36 images, and the class of each by file name."""
    folder = tmp_path_factory.mktemp("images")
    for i, image in enumerate(blobs[0][:36]):
        Image.fromarray(image[..., 0]).save(folder / f"{i:02}.png")
    return folder, {f"{i:02}.png": int(label) for i, label in enumerate(blobs[1][:36])}


@pytest.fixture(autouse=True)
def known_layers():
    """Let Keras load the layer that records features, and one with an activation."""
    classes = (model_table.Features, model_table.ScaledSigmoid)
    with keras.saving.custom_object_scope({each.__name__: each for each in classes}):
        yield


def create(name, folder, images, strategy="uncertainty"):
    """Make a session with a model of the table."""
    made(name).save(folder / "model.keras")
    num_outputs = made(name)(np.zeros((1, 4, 4, 1), "float32")).shape[-1]
    num_classes = 2 if num_outputs == 1 else 3
    return Session.create(
        folder / "session",
        images=images,
        model=folder / "model.keras",
        classes="abc"[:num_classes],
        strategy=strategy,
    )


def says(path, name, x):
    """Return the class probabilities that a model in a file says for images."""
    outputs = keras.models.load_model(path, compile=False).predict(x, verbose=0)
    return model_table.class_probabilities(outputs, TABLE[name].outputs)


@pytest.mark.parametrize("name", named(SAVED, TYPICAL))
def test_a_session_does_what_its_model_says(name, images, tmp_path):
    folder, truth = images
    if name in NOT_LOADED:
        with pytest.raises(ValueError, match=f"`model`.*{NOT_LOADED[name]}"):
            create(name, tmp_path, folder)
        return
    with create(name, tmp_path, folder) as session:
        classes, error = session.settings.classes, 5 * every_model.tolerance(name)
        x, first = session.store.pool[:], session.path("model.keras")
        rows = {name: row for row, name in enumerate(session.store.names)}

        before = says(first, name, x)
        for each in asking.ask(session, 6):
            row = before[rows[each.file]]
            if session.settings.is_trained:
                assert each.score == pytest.approx(entropy(row[None])[0], abs=error)
                assert each.probability == pytest.approx(row.max(), abs=error)
                assert each.predicted == classes[row.argmax()]

        answers = [
            Answer(file, "", classes[label % len(classes)])
            for file, label in truth.items()
        ]
        telling.tell(session, answers[:24])
        # As if the first model had been trained here, to compare the next with it.
        record = training_history.TrainingRecord(
            **{f: 0 for f in ("num_labels", "num_training", "num_held_out")},
            **{f: 0.0 for f in ("accuracy", "agreement", "seconds")},
            time="2026-01-01T00:00:00+00:00",
            model=_files.sha256(first),
        )
        training_history.write(session.folder, [record], {})
        found = training.train(session, num_restarts=1, epochs=2)
        after = says(first, name, x)
        assert found.agreement == pytest.approx(
            stopping.agreement(before.argmax(axis=1), after.argmax(axis=1))
        )

        for each in predicting.predict(session):
            row = np.sort(after[rows[each.file]])
            assert each.predicted == classes[after[rows[each.file]].argmax()]
            assert each.probability == pytest.approx(row[-1], abs=error)
            assert each.margin == pytest.approx(row[-1] - row[-2], abs=error)
        checking.check(session, 6)
        checked = session.check_rows()
        telling.tell(session, [answers[row] for row in checked])
        labels = [truth[session.store.names[row]] % len(classes) for row in checked]
        num_right = (after[checked].argmax(axis=1) == labels).sum()
        assert checking.result(session).accuracy.num_right == num_right
        assert asking.ask(session, 3)


@pytest.mark.parametrize("name", named(REFUSED))
def test_a_model_without_class_probabilities_is_refused_at_once(name, images, tmp_path):
    message = NOT_LOADED.get(name, TABLE[name].outputs)
    if name == "outputs of several steps":
        message = "num_classes"
    with pytest.raises(ValueError, match=f"`(model|classes)`.*{message}"):
        create(name, tmp_path, images[0])
    assert not (tmp_path / "session").exists()


@pytest.mark.parametrize(
    ("name", "strategy", "message"),
    [
        ("average of softmaxes", "dfal", "must return logits"),
        ("average of softmaxes", "egl", "must return logits"),
        ("average of softmaxes", "core_set", r"`features\(inputs\)`"),
        ("GRU without dropout", "bald", "Monte Carlo dropout"),
    ],
)
def test_a_strategy_that_can_not_query_is_refused_at_once(
    name, strategy, message, images, tmp_path
):
    with pytest.raises(ValueError, match=f"`model`.*{message}"):
        create(name, tmp_path, images[0], strategy)
    assert not (tmp_path / "session").exists()
