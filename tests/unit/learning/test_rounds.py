"""What a round reports, and callbacks."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import models

import dfal_keras as dfal
from dfal_keras import callbacks


def learn(train, blobs, **options):
    x, y = blobs
    learner = dfal.ActiveLearner(train, "random", num_queries=5, num_initial=15)
    return learner.fit(x[:200], y[:200], budget=25, **options), learner


def test_recalls_and_metrics_are_those_of_keras(blobs):
    model = models.dense()
    model.compile(
        keras.optimizers.Adam(0.05),
        "sparse_categorical_crossentropy",
        metrics=[
            "accuracy",
            keras.metrics.SparseTopKCategoricalAccuracy(2, name="top2"),
        ],
    )
    train = dfal.Training(model, num_restarts=1, epochs=3)
    x, y = blobs[0][200:], blobs[1][200:]
    rounds, learner = learn(train, blobs, test_data=(x, y))
    expected = learner.model.evaluate(x, y, verbose=0, return_dict=True)
    last = rounds[-1]
    assert last.metrics == pytest.approx(
        {"accuracy": expected["accuracy"], "top2": expected["top2"]}
    )
    assert last.accuracy == pytest.approx(expected["accuracy"])
    predicted = learner.model.predict(x, verbose=0).argmax(axis=1)
    for label in range(3):
        assert last.recalls[label] == (predicted[y == label] == label).mean()


def test_a_class_without_test_samples_has_no_recall(shared_train, blobs):
    x, y = blobs
    rounds, _ = learn(shared_train, blobs, test_data=(x[y < 2], y[y < 2]))
    assert np.isnan(rounds[0].recalls[2])
    assert not np.isnan(rounds[0].recalls[:2]).any()


def test_one_class_for_all_shows_in_the_recalls(blobs):
    model = models.linear(3, weights=np.zeros((16, 3)) + [1.0, 0, 0])
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    train = dfal.Training(model, initial="keep", num_restarts=1, epochs=1)
    rounds, _ = learn(train, blobs, test_data=blobs)
    assert rounds[0].recalls == (1.0, 0.0, 0.0)
    assert rounds[0].accuracy == pytest.approx(1 / 3)


def test_without_test_data_there_is_nothing_to_report(shared_train, blobs):
    rounds, _ = learn(shared_train, blobs)
    assert (rounds[0].recalls, rounds[0].metrics) == ((), {})


def test_callbacks_receive_each_round(shared_train, blobs):
    received = []

    class Recorder(callbacks.RoundCallback):
        def on_round_end(self, round, logs):
            received.append((round, logs))

    rounds, _ = learn(shared_train, blobs, test_data=blobs, callbacks=[Recorder()])
    assert [k for k, _ in received] == [0, 1, 2]
    for (_, logs), row in zip(received, rounds, strict=True):
        assert logs == row.logs()
        assert logs["accuracy"] == row.accuracy
        assert logs["recall_2"] == row.recalls[2]


def test_tensorboard_gets_the_numbers(shared_train, blobs, tmp_path):
    board = callbacks.TensorBoard(tmp_path / "logs")
    rounds, _ = learn(shared_train, blobs, test_data=blobs, callbacks=[board])
    (path,) = (tmp_path / "logs").iterdir()
    found = {}
    for event in tf.compat.v1.train.summary_iterator(str(path)):
        for value in event.summary.value:
            if value.tag == "accuracy":
                found[event.step] = float(tf.make_ndarray(value.tensor))
    expected = {row.num_annotations: row.accuracy for row in rounds}
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("given", [print, [print], "tensorboard", [object()]])
def test_bad_callbacks(shared_train, blobs, given):
    with pytest.raises(ValueError, match="Argument `callbacks` must be a list"):
        learn(shared_train, blobs, callbacks=given)


def test_a_learner_is_shown_with_its_state(shared_train, blobs):
    _, learner = learn(shared_train, blobs)
    assert repr(learner) == (
        "ActiveLearner(strategy=Random(), round=2, "
        "num_annotations=25, num_queries=5, seed=0)"
    )
