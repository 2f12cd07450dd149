"""`Training` against `fit` of Keras, with one batch for each epoch: equal weights."""

import keras
import numpy as np
import pytest
from helpers.parameters import slow_after, slow_but
from keras import layers, losses, optimizers

import dfal_keras as dfal

NUM_EPOCHS = 4

OPTIMIZERS = {
    "adam": lambda: optimizers.Adam(0.01),
    "adamw, weight decay": lambda: optimizers.AdamW(0.01, weight_decay=0.1),
    "sgd with momentum": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda: optimizers.RMSprop(0.01, centered=True),
    "lion": lambda: optimizers.Lion(0.01),
    "averages": lambda: optimizers.SGD(0.5, use_ema=True, ema_momentum=0.7),
    "averages, also between": lambda: optimizers.Adam(
        0.1, use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=3
    ),
    "accumulated gradients": lambda: optimizers.SGD(0.1, gradient_accumulation_steps=2),
    "clipping by value": lambda: optimizers.SGD(0.1, clipvalue=0.01),
    "clipping by norm": lambda: optimizers.SGD(0.1, global_clipnorm=0.05),
    "schedule": lambda: optimizers.SGD(
        optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    ),
    "loss scale": lambda: optimizers.LossScaleOptimizer(
        optimizers.Adam(0.01), initial_scale=64, dynamic_growth_steps=2
    ),
    "loss scale of averages": lambda: optimizers.LossScaleOptimizer(
        optimizers.SGD(0.5, use_ema=True, ema_momentum=0.7)
    ),
}
LOSSES = {
    "name": "sparse_categorical_crossentropy",
    "without mean": losses.SparseCategoricalCrossentropy(reduction="sum"),
    "categorical": losses.CategoricalCrossentropy(label_smoothing=0.1),
    "focal": "categorical_focal_crossentropy",
}


def make(activation="softmax"):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(8, use_bias=False, kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dense(3, activation),
        ]
    )


def compare(
    blobs,
    optimizer,
    loss,
    callbacks=None,
    metrics=lambda: ["accuracy"],
    callbacks_of_fit=None,
):
    x, y = blobs[0][:90], blobs[1][:90]
    validation_data = blobs[0][90:], blobs[1][90:]
    ours, expected = make(), make()
    expected.set_weights(ours.get_weights())
    for model in (ours, expected):
        model.compile(optimizer(), loss, metrics=metrics())
    train = dfal.Training(
        ours,
        initial="keep",
        num_restarts=1,
        epochs=NUM_EPOCHS,
        patience=NUM_EPOCHS,
        batch_size=90,
        validation_data=validation_data,
        callbacks=callbacks,
    )
    train(x, y, seed=0)
    is_categorical = "categorical" in str(loss) and "sparse" not in str(loss).lower()
    if isinstance(loss, losses.Loss):
        is_categorical = isinstance(loss, losses.CategoricalCrossentropy)

    def as_targets(labels):
        return np.eye(3)[labels] if is_categorical else labels

    history = expected.fit(
        x,
        as_targets(y),
        batch_size=90,
        epochs=NUM_EPOCHS,
        validation_data=(validation_data[0], as_targets(validation_data[1])),
        validation_batch_size=210,
        callbacks=callbacks_of_fit,
        verbose=0,
    ).history
    for a, b in zip(ours.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
    (curves,) = train.history
    assert set(curves) == set(history)
    for name, values in history.items():
        np.testing.assert_allclose(curves[name], values, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "name", slow_but(("adam", "averages, also between"), OPTIMIZERS)
)
def test_an_optimizer(blobs, name):
    compare(blobs, OPTIMIZERS[name], "sparse_categorical_crossentropy")


@pytest.mark.parametrize("name", slow_but(("focal",), LOSSES))
def test_a_loss(blobs, name):
    compare(blobs, OPTIMIZERS["adam"], LOSSES[name])


@pytest.mark.parametrize("some", slow_after(1, [True, False]))
def test_metrics(blobs, some):
    def metrics():
        several = (
            keras.metrics.SparseTopKCategoricalAccuracy(2),
            "sparse_categorical_crossentropy",
        )
        return ["accuracy", *several] if some else []

    loss = "sparse_categorical_crossentropy"
    compare(blobs, OPTIMIZERS["adam"], loss, metrics=metrics)


@pytest.mark.slow
def test_averages_with_callbacks(blobs):
    """They get the averages in `on_train_end`, as from `fit`."""

    class Keeps(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            self.weights = self.model.get_weights()

    callback = Keeps()
    compare(
        blobs, OPTIMIZERS["averages"], "sparse_categorical_crossentropy", [callback]
    )
    ours = callback.model.get_weights()
    for a, b in zip(callback.weights, ours, strict=True):
        np.testing.assert_array_equal(a, b)


def test_validation_with_averages(blobs):
    loss = "sparse_categorical_crossentropy"
    ours, expected = ([keras.callbacks.SwapEMAWeights()] for _ in range(2))
    compare(blobs, OPTIMIZERS["averages"], loss, ours, callbacks_of_fit=expected)


def test_averages_that_an_early_stop_would_lose_are_refused():
    model = make()
    model.compile(
        OPTIMIZERS["averages"](), "sparse_categorical_crossentropy", metrics=[]
    )
    callback = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    with pytest.raises(ValueError, match="`callbacks` must.*swap_on_epoch=True"):
        dfal.Training(model, callbacks=[callback])


@pytest.mark.slow
def test_the_best_restart_is_that_of_the_best_averages(blobs):
    model = make()
    model.compile(
        optimizers.SGD(0.5, use_ema=True, ema_momentum=0.9),
        "sparse_categorical_crossentropy",
    )
    validation_data = blobs[0][90:], blobs[1][90:]
    losses_of = []
    for num_restarts in (1, 3):
        train = dfal.Training(
            model,
            num_restarts=num_restarts,
            epochs=3,
            validation_data=validation_data,
        )
        train(blobs[0][:90], blobs[1][:90], seed=0)
        losses_of.append(model.evaluate(*validation_data, verbose=0))
    assert losses_of[1] <= losses_of[0] + 1e-6


@pytest.mark.parametrize("outputs", ["named", "subclassed"])
def test_named_outputs_are_refused(blobs, outputs):
    inputs = keras.Input((4, 4, 1))
    probabilities = layers.Dense(3, "softmax")(layers.Flatten()(inputs))
    model = keras.Model(inputs, {"probs": probabilities})
    if outputs == "subclassed":

        class Named(keras.Model):
            def __init__(self, inner):
                super().__init__()
                self.inner = inner

            def call(self, inputs, training=None):
                return self.inner(inputs)

        model = Named(model)
        model(blobs[0][:1].astype("float32"))
    model.compile("adam", "sparse_categorical_crossentropy")
    for use in (
        lambda: dfal.Training(model, initial="keep", epochs=1)(*blobs, seed=0),
        lambda: dfal.strategies.Uncertainty().query(model, blobs[0], 3),
        lambda: dfal.strategies.DFAL().query(model, blobs[0], 3),
    ):
        with pytest.raises(ValueError, match="`model` must return a tensor.*dict"):
            use()
