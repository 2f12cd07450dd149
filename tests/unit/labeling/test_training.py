import math
import shutil

import keras
import numpy as np
import pytest
from helpers import sessions

from dfal_keras import Training, models, stopping
from dfal_keras.labeling import (
    asking,
    held_out,
    model_files,
    predicting,
    telling,
    training,
    training_history,
)
from dfal_keras.labeling.formats.answer import Answer
from dfal_keras.labeling.session import Session

OPTIONS = {"num_restarts": 1, "epochs": 3}


@pytest.fixture(scope="module")
def labeled(tmp_path_factory):
    """A session with 30 labels, ten of them asked. Do not change it."""
    folder, truth = sessions.create(tmp_path_factory.mktemp("labeled"), 60)
    owls = [name for name in sorted(truth) if truth[name] == "owl"]
    names = [*sorted(set(truth) - set(owls))[:17], *owls[:3]]
    with Session(folder) as session:
        telling.tell(session, [Answer(name, "", truth[name]) for name in names])
        telling.tell(session, sessions.answers(asking.ask(session, 10), truth))
    return folder


@pytest.fixture
def session(labeled, tmp_path):
    shutil.copytree(labeled.parent, tmp_path / "copy")
    with Session(tmp_path / "copy" / "session") as opened:
        yield opened


def test_the_model_is_trained_on_what_is_not_held_out_and_tested_on_the_rest(session):
    found = training.train(session, **OPTIONS)

    x, y = session.store.pool, session.learner.labeled
    checksums = [session.store.hashes[row] for row in y.indices]
    is_out = held_out.choose(y.labels, checksums, 0.2)
    kept = np.isin(y.companion_rows, np.flatnonzero(~is_out))
    model = model_files.load_model(session.path("initial_model.keras"), compile=True)
    Training(model, min_batch_size=8, **OPTIONS)(
        np.concatenate([x[y.indices[~is_out]].astype("float32"), y.companions[kept]]),
        np.concatenate([y.labels[~is_out], y.labels[y.companion_rows[kept]]]),
        seed=session.learner.training_seed(session.learner.round),
    )
    trained = model_files.load_model(session.path("model.keras"))
    for ours, expected in zip(trained.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)
    predicted = model.predict(x[y.indices[is_out]], verbose=0).argmax(axis=1)
    assert found.accuracy == (predicted == y.labels[is_out]).mean()
    assert found.num_labels == 30
    assert found.num_held_out == is_out.sum()
    assert found.num_training == (~is_out).sum() + kept.sum()
    assert math.isnan(found.agreement)
    metrics = training_history.read(session.folder).metrics
    assert [row.num_labels for row in metrics.values()] == np.bincount(
        y.labels
    ).tolist()


@pytest.mark.parametrize("name", ["CEAL", "CostEffectiveDFAL"])
def test_the_check_sample_is_not_trained_on_by_pseudo_labels(
    tmp_path, name, monkeypatch
):
    config = {"threshold": 10.0} if name == "CEAL" else {}
    folder, truth = sessions.create(
        tmp_path, 40, strategy={"class_name": name, "config": config}
    )
    names = sorted(truth)
    with Session(folder) as session:
        telling.tell(session, [Answer(each, "", truth[each]) for each in names[:20]])
        asking.ask(session, 4)
        answers = sessions.answers(asking.ask(session, 4, resume=True), truth)
        telling.tell(session, answers)
        pseudo = session.learner.labeled.pseudo_indices
        assert len(pseudo) > 3
        rows = pseudo[:3].tolist()
        session.set_check_rows(rows)
        given = []
        monkeypatch.setattr(
            training.few_labels, "fit", lambda _, x, *args, **options: given.append(x)
        )
        training.train(session, allow_missing_classes=True, **OPTIONS)
        pixels = session.store.pool[:].astype("float32")
        distances = np.abs(given[0][:, None] - pixels[None, rows]).max(axis=(2, 3, 4))
        assert distances.min() > 0
        assert len(given[0]) > 10


def test_few_labels_are_enough_to_learn_something(tmp_path):
    """Early stopping in epochs of one step would end before anything is learned."""
    initial = models.LeNet5((16, 16, 3), 3)
    initial.compile("adam", "sparse_categorical_crossentropy")
    initial.save(tmp_path / "lenet5.keras")
    folder, truth = sessions.create(
        tmp_path, 200, model=tmp_path / "lenet5.keras", is_trained=False
    )
    names = sorted(truth)
    with Session(folder) as session:
        answers = [Answer(name, "", truth[name]) for name in names[:24]]
        telling.tell(session, answers)
        training.train(session, held_out_fraction=0, num_restarts=2)
        predicted = {p.file: p.predicted for p in predicting.predict(session)}
    accuracy = np.mean([predicted[name] == truth[name] for name in names[24:]])
    largest = np.mean([truth[name] == "cat" for name in names[24:]])
    assert accuracy > largest + 0.15


def test_models_are_compared_with_those_before(session):
    training.train(session, **OPTIONS)
    before = model_files.load_model(session.path("model.keras"))
    found = training.train(session, num_restarts=1, epochs=1)
    after = model_files.load_model(session.path("model.keras"))
    predicted = [
        model.predict(session.store.pool[:], verbose=0).argmax(axis=1)
        for model in (before, after)
    ]
    assert found.agreement == pytest.approx(stopping.agreement(*predicted))
    assert len(training_history.read(session.folder).trainings) == 2


def test_no_label_is_held_out_on_request(session):
    found = training.train(session, held_out_fraction=0, **OPTIONS)
    assert found.num_held_out == 0
    assert math.isnan(found.accuracy)


def test_the_initial_weights_are_kept_on_request(session):
    initial = model_files.load_model(session.path("initial_model.keras"), compile=True)
    initial.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    initial.save(session.path("initial_model.keras"))
    training.train(session, initial="keep", **OPTIONS)
    trained = model_files.load_model(session.path("model.keras"))
    for ours, expected in zip(
        trained.get_weights(), initial.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, expected)


def test_a_new_class_gets_an_output(session):
    names = session.store.names[-4:]
    telling.tell(
        session, [Answer(name, "", "cow") for name in names], new_classes=["cow"]
    )
    training.train(session, **OPTIONS)
    model = model_files.load_model(session.path("model.keras"))
    assert model.outputs[0].shape == (None, 4)
    assert training_history.read(session.folder).metrics["cow"].num_labels == 4
    assert {q.predicted for q in asking.ask(session, 5)} <= {"cat", "dog", "owl", "cow"}


@pytest.mark.parametrize("activation", ["softmax", None])
def test_models_that_are_not_compiled_get_a_loss_that_fits(session, activation):
    initial = model_files.load_model(session.path("initial_model.keras"))
    initial.layers[-1].activation = keras.activations.get(activation)
    initial.save(session.path("initial_model.keras"))
    training.train(session, **OPTIONS)
    trained = model_files.load_model(session.path("model.keras"), compile=True)
    assert trained.loss.get_config()["from_logits"] == (activation is None)


def test_the_model_is_replaced_after_its_training_is_recorded(session, monkeypatch):
    """A training that stops in between leaves the model of before, and its history."""
    checksum = training.train(session, **OPTIONS).model
    before = session.path("model.keras").read_bytes()
    write = training_history.write
    for is_written in (False, True):

        def write_and_stop(*given, is_written=is_written):
            if is_written:
                write(*given)
            raise KeyboardInterrupt

        monkeypatch.setattr(training_history, "write", write_and_stop)
        with pytest.raises(KeyboardInterrupt):
            training.train(session, num_restarts=1, epochs=1)
        assert session.path("model.keras").read_bytes() == before
        (left,) = training_history.read(session.folder).trainings
        assert left.model == checksum
    monkeypatch.undo()
    training.train(session, **OPTIONS)
    assert len(training_history.read(session.folder).trainings) == 2


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({}, "0 of cat, 0 of dog, 0 of owl"),
        ({"cat": 5, "dog": 1}, "1 of dog, 0 of owl"),
    ],
)
def test_too_few_labels_are_refused_with_the_counts(tmp_path, labels, message):
    folder, truth = sessions.create(tmp_path, 12)
    names = iter(sorted(truth))
    answers = [
        Answer(next(names), "", label) for label, n in labels.items() for _ in range(n)
    ]
    with Session(folder) as session:
        telling.tell(session, answers)
        with pytest.raises(ValueError, match=message):
            training.train(session, **OPTIONS)
        assert training_history.read(folder).trainings == []
        if labels:
            training.train(session, allow_missing_classes=True, **OPTIONS)
            assert len(training_history.read(folder).trainings) == 1


@pytest.mark.parametrize("fraction", [-0.1, 1, math.nan])
def test_bad_held_out_parts(session, fraction):
    with pytest.raises(ValueError, match="Argument `held_out_fraction`"):
        training.train(session, held_out_fraction=fraction, **OPTIONS)
