"""Every strategy with every kind of Keras classifier: it works, or says why not."""

import keras
import numpy as np
import pytest
from keras import layers

import dfal_keras as dfal

STRATEGIES = {
    "dfal": dfal.strategies.DFAL(),
    "bald": dfal.strategies.BALD(num_samples=3),
    "ceal": dfal.strategies.CEAL(threshold=0.1),
    "core_set": dfal.strategies.CoreSet(method="greedy"),
    "egl": dfal.strategies.EGL(),
    "uncertainty": dfal.strategies.Uncertainty(),
    "random": dfal.strategies.Random(),
}


class Subclassed(keras.Model):
    """Probabilities out of `call`; what is behind them, only if it is offered."""

    def __init__(self):
        super().__init__()
        self.flatten = layers.Flatten()
        self.hidden = layers.Dense(8, activation="relu")
        self.dropout = layers.Dropout(0.5)
        self.outputs_layer = layers.Dense(3)

    def call(self, inputs, training=False):
        hidden = self.hidden(self.flatten(inputs / 255))
        return keras.ops.softmax(
            self.outputs_layer(self.dropout(hidden, training=training))
        )


class Open(Subclassed):
    def features(self, inputs):
        return self.hidden(self.flatten(inputs / 255))

    def logits(self, inputs):
        return self.outputs_layer(self.features(inputs))


def sequential(*head, policy=None, num_outputs=3):
    options = {"dtype": policy} if policy else {}
    return keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Rescaling(1 / 255, **options),
            layers.Conv2D(4, 2, activation="relu", **options),
            layers.Flatten(**options),
            layers.Dense(8, activation="relu", **options),
            layers.Dropout(0.3, **options),
            layers.Dense(num_outputs, **options),
            *head,
        ]
    )


def functional_with_normalization():
    inputs = keras.Input((4, 4, 1))
    hidden = layers.RandomFlip()(layers.Normalization(mean=128, variance=4000)(inputs))
    hidden = layers.BatchNormalization()(layers.Conv2D(4, 2, activation="relu")(hidden))
    pooled = layers.Flatten()(layers.Add()([hidden, hidden]))
    hidden = layers.Dropout(0.3)(pooled)
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden))


def subclassed(kind):
    model = kind()
    model(np.zeros((1, 4, 4, 1), "float32"))
    return model


MODELS = {
    "softmax layer": lambda: sequential(layers.Softmax()),
    "softmax activation": lambda: sequential(layers.Activation("softmax")),
    "logits": sequential,
    "single sigmoid": lambda: sequential(layers.Activation("sigmoid"), num_outputs=1),
    "single logit": lambda: sequential(num_outputs=1),
    "functional": functional_with_normalization,
    "nested": lambda: keras.Sequential(
        [keras.Input((4, 4, 1)), sequential(), layers.Softmax()]
    ),
    "half precision": lambda: sequential(policy="mixed_float16"),
    "bfloat16": lambda: sequential(policy="mixed_bfloat16"),
    "double precision": lambda: sequential(policy="float64"),
    "subclassed with logits": lambda: subclassed(Open),
    "subclassed": lambda: subclassed(Subclassed),
}
REFUSED = {
    ("subclassed", "dfal"): "must return logits",
    ("subclassed", "egl"): "must return logits",
    ("subclassed", "bald"): "so that only its dropout can be switched on",
    ("subclassed with logits", "bald"): "so that only its dropout can be switched on",
    ("subclassed", "core_set"): "`features",
}


@pytest.mark.parametrize("name", MODELS)
def test_every_strategy(blobs, name):
    x, _ = blobs
    keras.utils.set_random_seed(0)  # some weights leave a network that can't be fooled
    model = MODELS[name]()
    before = [np.array(weights) for weights in model.get_weights()]
    for strategy_name, strategy in STRATEGIES.items():
        message = REFUSED.get((name, strategy_name))
        if message:
            with pytest.raises(ValueError, match=message):
                strategy.query(model, x[:40], 5, x_labeled=x[40:50])
            continue
        rng = np.random.default_rng(0)
        query = strategy.query(model, x[:40], 5, x_labeled=x[40:50], rng=rng)
        assert len(set(query.indices.tolist())) == 5, strategy_name
        if query.scores is not None:
            assert np.isfinite(query.scores).all(), strategy_name
        if query.adversarial_examples is not None:
            assert np.isfinite(query.adversarial_examples).all()
    for ours, expected in zip(model.get_weights(), before, strict=True):
        assert (ours == expected).all()


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "float32", "float64"])
def test_dtypes_of_images_do_not_matter(blobs, tiny_model, dtype):
    x = blobs[0][:40]
    for strategy in (STRATEGIES["dfal"], STRATEGIES["uncertainty"]):
        expected = strategy.query(tiny_model, x, 5)
        found = strategy.query(tiny_model, x.astype(dtype), 5)
        assert (found.indices == expected.indices).all()


@pytest.mark.parametrize(
    "name", ["functional", "nested", "half precision", "single sigmoid"]
)
def test_trains_and_asks(blobs, name):
    x, y = blobs
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    binary = model.outputs[0].shape[-1] == 1
    loss = "binary_crossentropy" if binary else "sparse_categorical_crossentropy"
    is_logits = name == "half precision"
    model.compile(
        "adam",
        keras.losses.get(
            {
                "class_name": "SparseCategoricalCrossentropy",
                "config": {"from_logits": True},
            }
        )
        if is_logits
        else loss,
    )
    train = dfal.Training(model, num_restarts=1, epochs=2)
    learner = dfal.ActiveLearner(train, "dfal", num_queries=5)
    history = learner.fit(
        x, y % 2 if binary else y, budget=20, test_data=(x, y % 2 if binary else y)
    )
    assert [finished.num_labeled for finished in history] == [10, 20, 30]
    assert all(np.isfinite(finished.loss) for finished in history)


def test_an_extra_axis_of_outputs_is_refused(blobs):
    model = keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(3, 2)])
    for strategy_name, strategy in STRATEGIES.items():
        if strategy_name not in ("random", "core_set"):
            with pytest.raises(ValueError, match=r"`model`.*Received: "):
                strategy.query(model, blobs[0][:40], 5)
