import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import models
from helpers.parameters import slow_after
from keras import layers

import dfal_keras as dfal
from dfal_keras.backend import evaluation
from dfal_keras.backend.reinitialization import Initializer
from dfal_keras.training import splits


def weights_of(model):
    return [np.array(weights) for weights in model.get_weights()]


def same(first, second):
    return all((a == b).all() for a, b in zip(first, second, strict=True))


def test_learns(tiny_train, blobs):
    x, y = blobs
    before = evaluation.evaluate(tiny_train.model, x, y)
    assert tiny_train(x[:60], y[:60], seed=0) is tiny_train.model
    after = evaluation.evaluate(tiny_train.model, x, y)
    assert before[1] < 0.8 < 0.95 < after[1]
    assert after[0] < before[0]


def test_the_training_of_the_tables_never_changes(mnist):
    """Rows are stored that were made with these splits, shuffles and steps."""
    (x, y), (x_test, y_test) = mnist
    model = dfal.models.LeNet5()
    model.compile("adam", "sparse_categorical_crossentropy")
    train = dfal.Training(model, num_restarts=3, epochs=30, patience=2)
    train(x[:150], y[:150], seed=5)
    means = [float(np.abs(weights).mean()) for weights in model.get_weights()]
    # The last bits differ from one processor to another.
    assert means[::2] == pytest.approx(
        [0.0947395, 0.0583816, 0.1116404, 0.0289680, 0.1308831, 0.2945350], rel=1e-3
    )
    assert means[1::2] == pytest.approx(
        [0.0226558, 0.0154645, 0.0116428, 0.0066815, 0.0102891, 0.0195031], rel=0.02
    )
    found = evaluation.evaluate(model, x_test[:1000], y_test[:1000])
    assert (found.loss, found.accuracy) == pytest.approx((1.15383, 0.651), rel=0.01)


def test_same_seed_same_weights_whatever_came_before(tiny_train, blobs):
    x, y = blobs
    first = weights_of(tiny_train(x[:60], y[:60], seed=1))
    other = weights_of(tiny_train(x[:90], y[:90], seed=2))
    again = weights_of(tiny_train(x[:60], y[:60], seed=1))
    assert same(first, again)
    assert not same(first[:1], other[:1])


@pytest.mark.parametrize(
    "optimizer",
    slow_after(
        2,
        [
            keras.optimizers.Adam(0.05),
            keras.optimizers.Adagrad(0.05),
            keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 9), 0.9),
            keras.optimizers.LossScaleOptimizer(keras.optimizers.RMSprop()),
        ],
    ),
)
def test_a_model_that_was_trained_before_is_reset(blobs, tiny_model, optimizer):
    x, y = blobs
    tiny_model.compile(optimizer, "sparse_categorical_crossentropy")
    first, second = (
        weights_of(dfal.Training(tiny_model, num_restarts=1, epochs=3)(x, y, seed=1))
        for _ in range(2)
    )
    assert same(first, second)


def test_one_trace_for_all_sizes_and_restarts(tiny_train, blobs, traced_functions):
    x, y = blobs
    for num_samples in (10, 33, 300):
        tiny_train(x[:num_samples].astype("float32"), y[:num_samples], seed=0)
    (function,) = traced_functions
    assert function.experimental_get_tracing_count() == 1


CATEGORICAL = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)


@pytest.mark.parametrize(
    ("loss", "class_weight", "has_validation_data", "min_batch_size"),
    slow_after(
        2,
        [
            ("sparse_categorical_crossentropy", None, False, 1),
            ("sparse_categorical_crossentropy", {0: 3.0, 2: 0.5}, True, 2),
            (CATEGORICAL, {1: 2}, False, 9),
        ],
    ),
)
def test_equals_a_plain_loop_over_train_on_batch(
    blobs, tiny_model, loss, class_weight, has_validation_data, min_batch_size
):
    """With the same splits, shuffles and steps, through Keras's public methods."""
    x, y = blobs[0][:50].astype("float32"), blobs[1][:50]
    validation_data = (blobs[0][50:70], blobs[1][50:70])
    plain = models.dense(dropout=0.1)
    for model in (plain, tiny_model):
        model.layers[3].rate = 0.0  # dropout draws other masks outside the graph
        model.compile("adam", loss, metrics=["accuracy"])
    options = {"num_restarts": 1, "epochs": 4, "patience": 4, "batch_size": 16}
    train = dfal.Training(
        tiny_model,
        class_weight=class_weight,
        validation_data=validation_data if has_validation_data else None,
        min_batch_size=min_batch_size,
        **options,
    )
    trained = train(x, y, seed=7)

    rng = np.random.default_rng([7, 0])
    Initializer(plain)(rng)
    rows = rng.permutation(50).astype(np.int32)
    labels = np.eye(3)[y] if loss is CATEGORICAL else y
    if has_validation_data:
        x_held_out, y_held_out = validation_data
        x_held_out = x_held_out.astype("float32")
        y_held_out = np.eye(3)[y_held_out] if loss is CATEGORICAL else y_held_out
    else:
        held_out, rows = np.split(rows, [10])
        x_held_out, y_held_out = x[held_out], labels[held_out]
    seed = rng.integers(2**31, size=2, dtype=np.int32)
    for epoch in range(4):
        shuffled = tf.random.experimental.stateless_shuffle(rows, seed + [0, epoch])
        logs = {"loss": 0.0, "accuracy": 0.0}
        batches = np.split(shuffled.numpy(), range(16, len(rows), 16))
        assert len(batches[-1]) == (2 if has_validation_data else 8)
        if len(batches[-1]) < min_batch_size:
            batches.pop()
        for batch in batches:
            weights = np.ones(len(batch), "float32")
            for label, weight in (class_weight or {}).items():
                weights[y[batch] == label] = weight
            plain.reset_metrics()
            of_batch = plain.train_on_batch(
                x[batch], labels[batch], weights, return_dict=True
            )
            for name, value in of_batch.items():
                logs[name] += value * len(batch) / sum(map(len, batches))
        held_out_logs = plain.evaluate(
            x_held_out, y_held_out, verbose=0, return_dict=True
        )
        logs |= {f"val_{name}": value for name, value in held_out_logs.items()}
        found = {name: values[epoch] for name, values in train.history[0].items()}
        assert found == pytest.approx(logs, rel=1e-4)

    assert len(train.history) == 1
    for ours, expected in zip(weights_of(trained), weights_of(plain), strict=True):
        assert ours == pytest.approx(expected, rel=1e-4, abs=1e-6)


def weights_after(model, rows_of_epochs, batch_size, x, y, rng):
    """Return the weights after `train_on_batch` on the rows of each epoch."""
    Initializer(model)(rng)
    for rows in rows_of_epochs:
        for batch in np.split(rows, range(batch_size, len(rows), batch_size)):
            model.train_on_batch(x[batch], y[batch])
    return weights_of(model)


@pytest.mark.parametrize(
    ("num_repeats", "grouped"), slow_after(1, [(3, True), (2, False), (1, True)])
)
def test_repeats_and_groups_equal_a_plain_loop(blobs, tiny_model, num_repeats, grouped):
    x, y = blobs[0][:40].astype("float32"), blobs[1][:40].copy()
    groups = np.concatenate([np.arange(25), np.arange(15)])
    plain = models.dense(dropout=0.1)
    for model in (plain, tiny_model):
        model.layers[3].rate = 0.0  # dropout draws other masks outside the graph
        model.compile("adam", "sparse_categorical_crossentropy")
    train = dfal.Training(
        tiny_model,
        num_restarts=1,
        epochs=3,
        patience=3,
        batch_size=16,
        group_split=grouped,
        num_repeats=num_repeats,
    )
    trained = weights_of(train(x, y, seed=7, groups=groups))

    rng = np.random.default_rng([7, 0])
    Initializer(plain)(rng)  # drawn again below
    if grouped:
        order = rng.permutation(25)[5:]
        rows = np.array([r for g in order for r in np.flatnonzero(groups == g)])
    else:
        rows = rng.permutation(40)[8:]
    seed = rng.integers(2**31, size=2, dtype=np.int32)
    repeated = np.concatenate([rows] * num_repeats).astype(np.int32)
    epochs = [
        tf.random.experimental.stateless_shuffle(repeated, seed + [0, epoch]).numpy()
        for epoch in range(3)
    ]
    expected = weights_after(plain, epochs, 16, x, y, np.random.default_rng([7, 0]))
    for ours, theirs in zip(trained, expected, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-6)


def test_a_learner_passes_groups_to_the_split(blobs, tiny_model, monkeypatch):
    """No image of a validation set has its companion in the training set."""
    seen = []
    original = splits.split_groups

    def record(y, groups, *arguments, **options):
        parts = original(y, groups, *arguments, **options)
        seen.append((groups, parts))
        return parts

    monkeypatch.setattr(splits, "split_groups", record)
    train = dfal.Training(tiny_model, num_restarts=2, epochs=2, group_split=True)
    dfal.ActiveLearner(train, "dfal", num_queries=5).fit(*blobs, budget=25)
    assert len(seen) == 2 * 4
    for groups, (rows, held_out) in seen:
        assert not set(groups[rows]) & set(groups[held_out])
    groups, (rows, held_out) = seen[-1]
    assert len(groups) == len(rows) + len(held_out) == 40
    assert len(set(groups[held_out])) == 5  # a fifth of 25


def test_groups_are_passed_to_functions_that_take_them(blobs, tiny_train):
    received = []

    def train(x, y, *, seed, groups):
        received.append(groups)
        return tiny_train(x, y, seed=seed)

    strategy = dfal.strategies.WithCompanions("random", "copies")
    dfal.ActiveLearner(train, strategy, num_queries=5).fit(*blobs, budget=20)
    assert received[-1].tolist() == [*range(20), *range(10, 20)]


@pytest.mark.parametrize("groups", [None, [0, 1, 2], np.arange(9) / 2, "abc", [0] * 9])
def test_bad_groups(tiny_model, blobs, groups):
    train = dfal.Training(tiny_model, group_split=True)
    with pytest.raises(ValueError, match="Argument `(groups|x)`.*Received: "):
        train(blobs[0][:9], blobs[1][:9], seed=0, groups=groups)


@pytest.mark.parametrize("kind", ["subclassed", "one sigmoid"])
def test_other_models_train_too(kind, blobs):
    x, y = blobs[0], blobs[1]
    if kind == "subclassed":
        model = models.built(models.Subclassed(activation=None))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    else:
        y = (y > 0).astype(int)
        model = models.linear(1, "sigmoid")
        loss = "binary_crossentropy"
    model.compile(keras.optimizers.Adam(0.01), loss)
    train = dfal.Training(model, num_restarts=1, epochs=30)
    train(x, y, seed=0)
    assert evaluation.evaluate(model, x, y)[1] > 0.9


@pytest.mark.parametrize("seed", [-1, 0.5, None])
def test_bad_seeds(tiny_train, blobs, seed):
    with pytest.raises(ValueError, match="`seed` must be.*Received: seed="):
        tiny_train(*blobs, seed=seed)


def test_stops_when_the_validation_loss_no_longer_improves(tiny_model, blobs):
    tiny_model.optimizer.learning_rate = 0.0
    train = dfal.Training(tiny_model, num_restarts=1, patience=3, batch_size=10)
    train(blobs[0][:50], blobs[1][:50], seed=0)
    # The first epoch, and three epochs without improvement, of four batches each.
    assert int(tiny_model.optimizer.iterations.numpy()) == (1 + 3) * 4


@pytest.mark.parametrize(
    ("batch_size", "minimum", "expected"),
    slow_after(
        3, [(16, 8, 3), (16, 9, 2), (13, 1, 4), (13, 2, 3), (20, 20, 2), (64, 64, 1)]
    ),
)
def test_a_small_last_batch_is_skipped(
    tiny_model, blobs, batch_size, minimum, expected
):
    """40 samples for training."""
    options = {"num_restarts": 1, "epochs": 1, "batch_size": batch_size}
    train = dfal.Training(tiny_model, min_batch_size=minimum, **options)
    train(blobs[0][:50], blobs[1][:50], seed=0)
    assert int(tiny_model.optimizer.iterations.numpy()) == expected


@pytest.mark.slow
@pytest.mark.parametrize("num_labeled", [81, 82])
@pytest.mark.parametrize("options", [{"batch_size": 33}, {"min_batch_size": 8}])
def test_a_small_last_batch_spoils_the_model(mnist, num_labeled, options):
    """65 and 66 digits for training: one and two more than whole batches of 32."""
    (x, y), (x_test, y_test) = mnist
    accuracies = []
    for each in ({}, options):
        model = dfal.models.LeNet5()
        model.compile("adam", "sparse_categorical_crossentropy")
        train = dfal.Training(model, **each)
        for seed in range(8):
            rows = np.random.default_rng(seed).permutation(len(x))[:num_labeled]
            train(x[rows], y[rows], seed=seed)
            accuracies.append(evaluation.evaluate(model, x_test, y_test)[1])
    spoiled, good = np.mean(np.split(np.array(accuracies), 2), axis=1)
    assert good > spoiled + 0.05


class WeightsAtTheEnd(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.weights = []

    def on_train_end(self, logs=None):
        self.weights.append(weights_of(self.model))


def test_keeps_the_restart_with_the_lowest_validation_loss(tiny_model, blobs):
    x, y = blobs
    ended = WeightsAtTheEnd()
    train = dfal.Training(tiny_model, num_restarts=4, epochs=1, callbacks=[ended])
    train(x[:40], y[:40], seed=3)
    losses = [curves["val_loss"][-1] for curves in train.history]
    assert len(set(losses)) == 4
    assert np.argmin(losses) != 3  # the test needs another than the last restart
    assert same(weights_of(tiny_model), ended.weights[int(np.argmin(losses))])


def test_every_restart_has_new_initial_weights(blobs):
    norm, frozen = layers.Normalization(), layers.Dense(8, trainable=False)
    norm.adapt(blobs[0])
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), norm, layers.Flatten(), frozen]
        + [layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(3)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    unchanged = [np.array(norm.mean), np.array(frozen.kernel)]
    train = dfal.Training(model, num_restarts=1, epochs=3)
    train(blobs[0], blobs[1], seed=0)
    used = weights_of(model)
    Initializer(model)(np.random.default_rng(0))
    fresh = weights_of(model)
    Initializer(model)(np.random.default_rng(0))

    assert same(fresh, weights_of(model))
    assert not same([used[-2]], [fresh[-2]])
    assert same(unchanged, [np.array(norm.mean), np.array(frozen.kernel)])
    batch_norm = model.layers[3]
    assert np.array(batch_norm.moving_mean) == pytest.approx(np.zeros(8))
    assert np.array(batch_norm.moving_variance) == pytest.approx(np.ones(8))
    limit = np.sqrt(6 / (8 + 3))  # Glorot's
    assert 0.5 * limit < np.abs(fresh[-2]).max() <= limit


def test_the_optimizer_is_reset(tiny_train, blobs):
    x, y = blobs
    tiny_train(x, y, seed=0)
    optimizer = tiny_train.model.optimizer
    assert int(optimizer.iterations.numpy()) > 0
    Initializer(tiny_train.model)(np.random.default_rng(0))
    assert int(optimizer.iterations.numpy()) == 0
    assert float(optimizer.learning_rate.numpy()) == pytest.approx(0.05)


def test_bad_models():
    with pytest.raises(ValueError, match="`model` must be compiled"):
        dfal.Training(models.linear(2))
    frozen = models.linear(2)
    frozen.trainable = False
    frozen.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="`model` must have trainable weights"):
        dfal.Training(frozen)


class OwnTestStep(keras.Sequential):
    def test_step(self, data):
        return {"loss": 0.0}


class OwnTrainStep(keras.Sequential):
    def train_step(self, data):
        return {"loss": data[1].numpy().mean()}


def test_models_that_validate_by_themselves_are_refused():
    layers = models.dense().layers
    model = OwnTestStep([keras.Input((4, 4, 1)), *layers])
    model.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="`model`.*defines `test_step`"):
        dfal.Training(model)


def test_steps_that_can_not_be_traced_are_refused(blobs):
    model = OwnTrainStep([keras.Input((4, 4, 1)), *models.dense().layers])
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)
    with pytest.raises(ValueError, match="`model` must .* be able to train"):
        dfal.Training(model, num_restarts=1, epochs=1)(*blobs, seed=0)


@pytest.mark.parametrize(
    ("split", "num_held_out"),
    slow_after(1, [(0.2, {19: 4, 18: 4, 17: 3, 10: 2}), (0.1, {3: 1}), (0.3, {9: 3})]),
)
def test_the_size_of_the_validation_set_is_rounded(
    tiny_model, blobs, split, num_held_out
):
    """The number of gradient steps with one sample each is counted."""
    train = dfal.Training(
        tiny_model, num_restarts=1, epochs=1, batch_size=1, validation_split=split
    )
    for num_samples, expected in num_held_out.items():
        train(blobs[0][:num_samples], blobs[1][:num_samples], seed=0)
        num_steps = int(tiny_model.optimizer.iterations.numpy())
        assert num_steps == num_samples - expected


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("num_restarts", 0),
        ("validation_split", 0.0),
        ("validation_split", 1),
        ("epochs", 2.5),
        ("patience", 0),
        ("batch_size", -1),
        ("min_batch_size", 0),
        ("min_batch_size", 33),
        ("num_repeats", 0),
        ("group_split", "yes"),
    ],
)
def test_bad_options(tiny_model, option, value):
    with pytest.raises(ValueError, match=f"`{option}`.*Received: {option}="):
        dfal.Training(tiny_model, **{option: value})


@pytest.mark.parametrize(
    ("x", "y", "named"),
    [
        (np.zeros((0, 4, 4, 1)), [], "x"),
        (np.zeros((9, 5, 5, 1)), [0] * 9, "x"),
        (np.full((9, 4, 4, 1), np.nan), [0] * 9, "x"),
        (np.zeros((1, 4, 4, 1)), [0], "x"),
        (np.zeros((9, 4, 4, 1)), [0] * 8, "y"),
        (np.zeros((9, 4, 4, 1)), [3] * 9, "y"),
        (np.zeros((9, 4, 4, 1)), [-1] * 9, "y"),
        (np.zeros((9, 4, 4, 1)), [0.5] * 9, "y"),
    ],
)
def test_bad_labeled_sets(tiny_train, x, y, named):
    with pytest.raises(ValueError, match=f"`{named}`.*Received: "):
        tiny_train(x, y, seed=0)


def test_a_loss_that_is_not_finite_is_an_error(tiny_model, blobs):
    tiny_model.optimizer.learning_rate = np.inf
    train = dfal.Training(tiny_model, num_restarts=1, epochs=2)
    with pytest.raises(ValueError, match="finite validation loss"):
        train(blobs[0], blobs[1], seed=0)
