"""What `Training` shares with Keras's `fit`, and fine-tuning."""

import keras
import numpy as np
import pytest
import tqdm
from keras import layers, ops

import dfal_keras as dfal
from dfal_keras.backend import epoch_callbacks, evaluation


def weights_of(model):
    return [np.array(weights) for weights in model.get_weights()]


def same(first, second):
    return all((a == b).all() for a, b in zip(first, second, strict=True))


class Recorder(keras.callbacks.Callback):
    """Record the calls, and stop after some epochs."""

    def __init__(self, stop_after=None):
        super().__init__()
        self.calls, self.stop_after = [], stop_after

    def on_train_begin(self, logs=None):
        self.calls.append("train begin")

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(f"epoch {epoch} begin")

    def on_test_begin(self, logs=None):
        self.calls.append("test begin")

    def on_test_end(self, logs=None):
        self.calls.append(("test end", logs))

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append((f"epoch {epoch} end", logs))
        self.model.stop_training = epoch + 1 == self.stop_after

    def on_train_end(self, logs=None):
        self.calls.append("train end")


def test_callbacks_are_called_and_change_nothing(tiny_model, blobs):
    """The results are those of the whole training in one graph, to the last bit."""
    loss = "sparse_categorical_crossentropy"
    tiny_model.compile(keras.optimizers.Adam(0.05), loss, metrics=["accuracy"])
    options = {"num_restarts": 2, "epochs": 12, "patience": 2, "batch_size": 8}
    x, y = blobs[0][:60], blobs[1][:60]
    fast = dfal.Training(tiny_model, **options)
    expected = weights_of(fast(x, y, seed=1))
    recorder = Recorder()
    train = dfal.Training(tiny_model, callbacks=[recorder], **options)
    assert same(weights_of(train(x, y, seed=1)), expected)
    assert train.history == fast.history
    assert {len(curve) for curve in train.history[0].values()} != {12}  # it stopped
    calls = []
    for curves in train.history:
        calls.append("train begin")
        for epoch in range(len(curves["loss"])):
            logs = {name: values[epoch] for name, values in curves.items()}
            held_out = {name: logs[f"val_{name}"] for name in ("accuracy", "loss")}
            calls += [f"epoch {epoch} begin", "test begin", ("test end", held_out)]
            calls.append((f"epoch {epoch} end", logs))
        calls.append("train end")
    assert recorder.calls == calls


def test_a_callback_stops_a_restart(tiny_model, blobs):
    train = dfal.Training(
        tiny_model, num_restarts=2, epochs=9, callbacks=[Recorder(stop_after=3)]
    )
    train(*blobs, seed=0)
    assert [len(curves["loss"]) for curves in train.history] == [3, 3]


def test_the_loss_of_a_restart_is_that_of_its_final_weights(tiny_model, blobs):
    """`EarlyStopping` returns to the best epoch, which is not the last."""
    tiny_model.optimizer.learning_rate = 0.5
    best = keras.callbacks.EarlyStopping(patience=99, restore_best_weights=True)
    options = {"num_restarts": 2, "epochs": 8, "patience": 9}
    train = dfal.Training(
        tiny_model, validation_data=blobs, callbacks=[best], **options
    )
    model = train(blobs[0][:40], blobs[1][:40], seed=0)
    losses = [min(curves["val_loss"]) for curves in train.history]
    last = [curves["val_loss"][-1] for curves in train.history]
    assert min(losses) < min(last)
    assert evaluation.evaluate(model, *blobs)[0] == pytest.approx(min(losses), rel=1e-4)


def test_a_callback_sets_the_learning_rate(tiny_model, blobs):
    """Every restart begins with the rate of the compiled optimizer."""
    rates = []

    def schedule(epoch, rate):
        rates.append((epoch, round(rate, 6)))
        return rate / 10

    scheduler = keras.callbacks.LearningRateScheduler(schedule)
    train = dfal.Training(tiny_model, num_restarts=2, epochs=2, callbacks=[scheduler])
    train(*blobs, seed=0)
    assert rates == [(0, 0.05), (1, 0.005)] * 2


def test_an_error_in_a_callback_is_the_users(tiny_model, blobs):
    def fail(epoch, logs):
        raise ValueError("mine")

    callback = keras.callbacks.LambdaCallback(on_epoch_end=fail)
    train = dfal.Training(tiny_model, callbacks=[callback])
    with pytest.raises(ValueError, match="^mine$"):
        train(*blobs, seed=0)


@pytest.mark.parametrize("verbose", [0, 1])
def test_only_a_progress_bar_is_printed(tiny_model, blobs, verbose, capfd):
    train = dfal.Training(tiny_model, num_restarts=2, epochs=3, verbose=verbose)
    train(*blobs, seed=0)
    printed = capfd.readouterr()
    assert printed.out == ""
    if not verbose:
        assert printed.err == ""
        return
    assert "6/6" in printed.err
    assert "restart=2" in printed.err
    assert "val_loss=" in printed.err
    assert printed.err.endswith("\n")


@pytest.mark.parametrize("num_epochs", [(3, 3), (1, 2)])  # the latter stop early
def test_the_progress_bar_counts_the_epochs_of_all_restarts(monkeypatch, num_epochs):
    shown, totals = [], []

    class Bar(tqdm.tqdm):
        def update(self, n=1):
            super().update(n)
            shown.append(self.n)
            totals.append(self.total)

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    bar = epoch_callbacks.ProgressBar(2, 3)
    for each in num_epochs:
        bar.on_train_begin()
        for epoch in range(each):
            bar.on_epoch_end(epoch, {"loss": 0.5, "recalls": [0.1, 0.2]})
        bar.on_train_end()
    expected = [*range(1, num_epochs[0] + 1), *range(4, 4 + num_epochs[1]), 6]
    assert shown == expected
    assert set(totals) == {6}


def test_balanced_class_weights(tiny_model, blobs):
    rows = np.flatnonzero((blobs[1] != 1) | (np.arange(300) < 30))
    x, y = blobs[0][rows], blobs[1][rows]
    assert np.bincount(y).tolist() == [100, 10, 100]
    trained = []
    for class_weight in ("balanced", {0: 0.7, 1: 7.0, 2: 0.7}):
        train = dfal.Training(
            tiny_model, num_restarts=1, epochs=2, class_weight=class_weight
        )
        trained.append(weights_of(train(x, y, seed=0)))
    for ours, expected in zip(*trained, strict=True):
        assert ours == pytest.approx(expected, rel=1e-4, abs=1e-6)


def fraction_of_class_1(labels, outputs):
    return ops.mean(ops.cast(ops.equal(labels, 1), "float32"), axis=-1)


def test_stratified_parts_have_all_classes(tiny_model, blobs):
    rows = np.concatenate([np.flatnonzero(blobs[1] == 0)[:38], [1, 4]])
    loss = "sparse_categorical_crossentropy"
    tiny_model.compile("adam", loss, metrics=[fraction_of_class_1])
    found = {}
    for stratify in (False, True):
        train = dfal.Training(tiny_model, num_restarts=6, epochs=1, stratify=stratify)
        train(blobs[0][rows], blobs[1][rows], seed=0)
        found[stratify] = {
            (curves["fraction_of_class_1"][0], curves["val_fraction_of_class_1"][0])
            for curves in train.history
        }
    one_in_each = (1 / 32, 1 / 8)
    assert len(found[False]) > 1
    assert found[True] == {one_in_each}


@pytest.mark.slow
def test_metrics_may_be_vectors(tiny_model, blobs):
    recall = keras.metrics.F1Score(average=None)
    tiny_model.compile("adam", "categorical_crossentropy", metrics=[recall])
    train = dfal.Training(tiny_model, num_restarts=1, epochs=2)
    train(*blobs, seed=0)
    assert np.shape(train.history[0]["val_f1_score"]) == (2, 3)


# Fine-tuning


def pretrained():
    """A model with a base of frozen layers and a head, and the base."""
    base = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 2),
            layers.BatchNormalization(),
            layers.Flatten(),
        ]
    )
    base.layers[2].moving_mean.assign([0.1, 0.2, 0.3, 0.4])
    base.trainable = False
    model = keras.Sequential([keras.Input((4, 4, 1)), base, layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, base


def test_keep_begins_every_restart_with_the_weights_given(blobs):
    model, _ = pretrained()
    model.layers[0].trainable = True
    # No step changes a weight. The statistics of the normalization do change.
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    given = weights_of(model)
    train = dfal.Training(model, initial="keep", num_restarts=3, epochs=2)
    train(*blobs, seed=0)
    unchanged = [weight.path for weight in model.trainable_weights]
    assert len(unchanged) == 6
    for weight, before in zip(model.weights, given, strict=True):
        is_same = (np.array(weight) == before).all()
        assert is_same == (weight.path in unchanged), weight.path
    fresh = dfal.Training(model, num_restarts=1, epochs=1)
    fresh(*blobs, seed=0)
    assert not same(weights_of(model)[:1], given[:1])


def test_keep_returns_to_the_weights_given_in_every_call(blobs):
    """Statistics of layers, optimizer and random layers are reset as well."""
    model, base = pretrained()
    base.trainable = True
    model.compile("adam", "sparse_categorical_crossentropy")
    train = dfal.Training(model, initial="keep", num_restarts=2, epochs=2)
    first = weights_of(train(*blobs, seed=1))
    other = weights_of(train(*blobs, seed=2))
    assert not same(first, other)
    assert same(first, weights_of(train(*blobs, seed=1)))


def test_a_frozen_base_and_then_unfreezing(blobs):
    model, base = pretrained()
    frozen = weights_of(base)
    for initial in ("fresh", "keep"):
        train = dfal.Training(model, initial=initial, num_restarts=2, epochs=3)
        head = weights_of(train(*blobs, seed=0).layers[-1])
        assert same(weights_of(base), frozen)
    base.trainable = True
    with pytest.raises(ValueError, match="`model` must not be compiled again, nor"):
        train(*blobs, seed=0)
    with pytest.raises(ValueError, match="a new optimizer after `trainable`"):
        dfal.Training(model, initial="keep")
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    tune = dfal.Training(model, initial="keep", num_restarts=1, epochs=1)
    tune(*blobs, seed=0)
    changes = [
        np.abs(a - b).max() for a, b in zip(weights_of(base), frozen, strict=True)
    ]
    assert 0 < changes[0] < 0.02
    change = weights_of(model.layers[-1])[0] - head[0]
    assert 0 < np.abs(change).max() < 0.02


def test_a_model_compiled_again_needs_a_new_training(tiny_train, blobs):
    tiny_train.model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="compiled again.*Received"):
        tiny_train(*blobs, seed=0)


def test_no_global_state_changes(blobs):
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), layers.Reshape((4, 4)), layers.LSTM(4)]
        + [layers.Dropout(0.5), layers.Dense(3, "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    drawn = []
    for trains in (False, True):
        keras.utils.clear_session()  # older versions of Keras keep its generator
        keras.utils.set_random_seed(3)
        if trains:
            dfal.Training(model, num_restarts=2, epochs=1)(*blobs, seed=0)
        new = layers.Dense(4)
        new.build((3,))
        drawn.append(
            [
                np.array(new.kernel),
                np.random.rand(3),  # noqa: NPY002 - the global generator
                np.array(keras.random.normal((2,))),
            ]
        )
    assert same(*drawn)
