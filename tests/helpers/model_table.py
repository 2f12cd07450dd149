"""One table of classifiers: what people build with Keras, and what it means.

Each entry says what its outputs are, so that tests can compute everything from
`model.predict`, or which error it gets. Images have the shape of the fixture `blobs`.
"""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from helpers import models
from keras import layers, ops

INPUT_SHAPE = models.IMAGE_SHAPE


@dataclasses.dataclass(frozen=True)
class Entry:
    """A classifier of the table.

    Attributes:
        make: Function that builds the model.
        outputs: What it returns: "softmax", "logits", "sigmoid" (one), "logit" (one),
            "probabilities" or "probability" (one), whose logits are not accessible; or
            a pattern of the error message that it gets.
        dropout: Whether BALD can query with it.
        features: Whether its features are those of the layer "features".
        widens: Whether it can get another class.
        is_slow: Whether only slow tests build it.
    """

    make: Callable[[], keras.Model]
    outputs: str
    dropout: bool = True
    features: bool = True
    widens: bool = True
    is_slow: bool = False

    @property
    def is_refused(self) -> bool:
        return self.outputs not in KINDS

    @property
    def has_logits(self) -> bool:
        return self.outputs in ("softmax", "logits", "sigmoid", "logit")


KINDS = ("softmax", "logits", "sigmoid", "logit", "probabilities", "probability")


def class_probabilities(outputs: np.ndarray, kind: str) -> np.ndarray:
    """Return what outputs of `model.predict` say, in float64."""
    outputs = np.asarray(outputs, np.float64)
    if kind in ("sigmoid", "probability"):
        return np.concatenate([1 - outputs, outputs], axis=1)
    if kind == "logit":
        outputs = np.concatenate([0 * outputs, outputs], axis=1)
    if kind in ("logit", "logits"):
        powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        outputs = powers / powers.sum(axis=1, keepdims=True)
    return outputs


class Features(layers.Layer):
    """Returns its inputs, and keeps those of the last call that was not traced."""

    last = None

    def __init__(self, **options):
        super().__init__(**{"name": "features", **options})

    def call(self, inputs):
        if tf.is_tensor(inputs) and hasattr(inputs, "numpy"):
            self.last = inputs.numpy()
        return inputs


class OwnRotation(layers.RandomRotation):
    """Augmentation in a class of the user."""


def body(inputs, dtype=None):
    """Hidden layers, with dropout before the features."""
    hidden = layers.Rescaling(1 / 255, dtype=dtype)(inputs)
    hidden = layers.Conv2D(4, 2, activation="relu", dtype=dtype)(hidden)
    hidden = layers.Flatten(dtype=dtype)(hidden)
    hidden = layers.Dense(8, activation="relu", dtype=dtype)(hidden)
    hidden = layers.Dropout(0.3, dtype=dtype)(hidden)
    return Features(dtype=dtype)(hidden)


def headed(head: Callable, dtype=None):
    """A functional model that ends in a function of its features, or in a layer."""

    def make():
        last = head
        if isinstance(head, layers.Layer):  # of its own for each model
            last = type(head).from_config(head.get_config())
        inputs = keras.Input(INPUT_SHAPE)
        return keras.Model(inputs, last(body(inputs, dtype)))

    return make


def dense(units=3, activation=None, **options):
    return layers.Dense(units, activation=activation, **options)


def sharp(units=3, **options):
    """A dense layer whose outputs are well above one."""
    return dense(units, kernel_initializer=keras.initializers.Orthogonal(6), **options)


def nested(*after, head=None, dtype=None):
    """A model around a model, with layers after it."""

    def make():
        inner = headed(head or sharp(dtype=dtype), dtype)()
        inputs = keras.Input(INPUT_SHAPE)
        outputs = inner(inputs)
        for layer in after:
            outputs = layer()(outputs) if isinstance(layer, type) else layer(outputs)
        return keras.Model(inputs, outputs)

    return make


def sequential(*make_layers):
    def make():
        return keras.Sequential(
            [keras.Input(INPUT_SHAPE), *(each() for each in make_layers)]
        )

    return make


def conv_head(outputs):
    """A model whose logits are averages of a convolution."""

    def make():
        inputs = keras.Input(INPUT_SHAPE)
        hidden = layers.Rescaling(1 / 255)(inputs)
        hidden = Features()(layers.Dropout(0.3)(layers.Conv2D(6, 2)(hidden)))
        return keras.Model(inputs, outputs(hidden))

    return make


def residual():
    """A network with operations that are not layers, as in the transfer recipe."""
    inputs = keras.Input(INPUT_SHAPE)
    hidden = inputs / 127.5 - 1.0
    hidden = layers.Conv2D(4, 3, padding="same", activation="relu")(hidden)
    hidden = hidden + layers.Conv2D(4, 3, padding="same")(hidden)
    hidden = hidden * ops.relu6(hidden + 3.0) / 6.0  # hard swish
    hidden = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(hidden))
    return keras.Model(inputs, dense(3, "softmax")(Features()(hidden)))


def branches():
    """Branches of different depth: layers are not in the order of their creation."""
    inputs = keras.Input(INPUT_SHAPE)
    first = layers.Flatten()(layers.Rescaling(1 / 255)(inputs))
    deep = first
    for _ in range(3):
        deep = layers.Dropout(0.3)(layers.Dense(16, activation="relu")(deep))
    shallow = layers.Dense(16)(first)
    return keras.Model(inputs, sharp()(Features()(layers.add([shallow, deep]))))


def augmented():
    """All kinds of augmentation, inactive in inference, before the network."""
    inputs = keras.Input(INPUT_SHAPE)
    hidden = inputs
    for layer in (
        layers.RandomFlip(),
        layers.RandomTranslation(0.2, 0.2),
        layers.RandAugment(),
        layers.AugMix(),
        layers.MixUp(),
        layers.CutMix(),
        OwnRotation(0.2),
        layers.Pipeline([layers.RandomRotation(0.2)]),
    ):
        hidden = layer(hidden)
    hidden = layers.BatchNormalization()(hidden)
    return keras.Model(inputs, dense(3, "softmax")(body(hidden)))


def sequence(layer):
    """A network over the rows of an image."""

    def make():
        inputs = keras.Input(INPUT_SHAPE)
        hidden = layers.Reshape((4, 4))(layers.Rescaling(1 / 255)(inputs))
        hidden = Features()(layer()(hidden))
        return keras.Model(inputs, dense(3, "softmax")(hidden))

    return make


def nested_of_several_inputs():
    """A nested model of a dict of tensors, not in the order of their names."""
    first, second = keras.Input((8,), name="b"), keras.Input((8,), name="a")
    joined = layers.Dropout(0.3)(layers.Concatenate()([first, 2 * second]))
    outputs = dense(3, "softmax")(Features()(joined))
    inner = keras.Model({"b": first, "a": second}, outputs)
    inputs = keras.Input(INPUT_SHAPE)
    hidden = layers.Flatten()(layers.Rescaling(1 / 255)(inputs))
    parts = {"a": layers.Dense(8)(hidden), "b": layers.Dense(8, "relu")(hidden)}
    return keras.Model(inputs, inner(parts))


def nested_with_a_mask():
    """A nested model of a sequence, some steps of which are masked."""
    inputs = keras.Input((4, 4))
    hidden = layers.GlobalAveragePooling1D()(layers.Dropout(0.3)(inputs))
    inner = keras.Model(inputs, dense(3, "softmax")(hidden))
    inputs = keras.Input(INPUT_SHAPE)
    rows = layers.Reshape((4, 4))(ops.relu(inputs / 255 - 0.5))
    return keras.Model(inputs, inner(layers.Masking(0.0)(rows)))


def masked_tokens():
    """A recurrent network over tokens, some of which are masked."""
    inputs = keras.Input(INPUT_SHAPE)
    tokens = ops.cast(ops.clip(layers.Flatten()(inputs) / 26, 0, 9), "int32")
    hidden = layers.Embedding(10, 6, mask_zero=True)(tokens)
    hidden = layers.LSTM(5)(layers.Dropout(0.3)(hidden))
    return keras.Model(inputs, dense(3, "softmax")(Features()(hidden)))


class SelfAttention(layers.Layer):
    """A block of one's own: attention, dropout and normalization, with a pooling."""

    def __init__(self, rate=0.3, **options):
        super().__init__(**options)
        self.rate_of_dropout = rate
        self.attention = layers.MultiHeadAttention(2, 4, dropout=rate)
        self.dropout = layers.Dropout(rate)
        self.normalization = layers.BatchNormalization()

    def call(self, inputs):
        hidden = inputs + self.dropout(self.attention(inputs, inputs))
        return ops.mean(self.normalization(hidden), axis=1)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate_of_dropout}


class SubclassedUnit(models.Subclassed):
    """A subclassed classifier with a single output."""

    def __init__(self, activation):
        super().__init__(activation)
        self.dense = sharp(1)


class CallOfItsOwn(keras.Model):
    """A functional model whose `call` does more than its graph."""

    def __init__(self):
        inputs = keras.Input(INPUT_SHAPE)
        super().__init__(inputs, dense(3, "softmax")(body(inputs)))

    def call(self, inputs, training=None, mask=None):
        outputs = super().call(inputs, training=training)
        return ops.flip(outputs, axis=1)


class ScaledSigmoid(layers.Layer):
    """A sigmoid of a scaled logit, such as for calibrated probabilities."""

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(), initializer="ones")

    def call(self, inputs):
        return ops.sigmoid(self.scale * inputs)


class AlwaysNoise(layers.Layer):
    """A layer with noise in inference, as for Monte Carlo dropout by hand."""

    def call(self, inputs):
        return tf.nn.dropout(inputs, 0.5)


def with_lora():
    model = headed(dense(3, "softmax"))()
    model.layers[-1].enable_lora(2)
    kernel = model.layers[-1].lora_kernel_b
    kernel.assign(np.random.default_rng(0).normal(size=kernel.shape))
    return model


def application(name, size=32, **options):
    """A network of `keras.applications` without its weights, on enlarged images."""

    def make():
        inputs = keras.Input(INPUT_SHAPE)
        hidden = layers.Resizing(size, size)(layers.Concatenate()([inputs] * 3))
        base = getattr(keras.applications, name)(
            weights=None,
            include_top=False,
            pooling="avg",
            input_shape=(size, size, 3),
            **options,
        )
        hidden = base(hidden, training=False)
        # Features of random weights hardly differ.
        noise = np.random.default_rng(0).uniform(0, 255, (50, *INPUT_SHAPE))
        found = keras.Model(inputs, hidden).predict(noise, verbose=0)
        spread = {"mean": found.mean(axis=0), "variance": found.var(axis=0)}
        hidden = layers.Dropout(0.3)(layers.Normalization(**spread)(hidden))
        return keras.Model(inputs, dense(3, "softmax")(Features()(hidden)))

    return make


def exponentials(features):
    powers = ops.exp(dense()(features))
    return powers / ops.sum(powers, axis=1, keepdims=True)


def average_of(activation):
    def head(features):
        return layers.average([dense(3, activation)(features) for _ in range(2)])

    return head


SPELLINGS = {
    "softmax: dense": headed(lambda h: dense(3, "softmax")(h)),
    "softmax: layer": headed(lambda h: layers.Softmax()(dense()(h))),
    "softmax: Activation": headed(lambda h: layers.Activation("softmax")(dense()(h))),
    "softmax: keras.activations": headed(
        lambda h: keras.activations.softmax(dense()(h))
    ),
    "softmax: keras.ops": headed(lambda h: ops.softmax(dense()(h))),
    "softmax: tf.nn in dense": headed(lambda h: dense(3, tf.nn.softmax)(h)),
    "softmax: tf.nn in Activation": headed(
        lambda h: layers.Activation(tf.nn.softmax)(dense()(h))
    ),
    "softmax: Lambda": headed(
        lambda h: layers.Lambda(lambda z: tf.nn.softmax(z))(dense()(h))
    ),
    "softmax: function in dense": headed(
        lambda h: dense(3, lambda z: ops.exp(ops.log_softmax(z)))(h)
    ),
    "softmax of a temperature": headed(lambda h: layers.Softmax()(dense()(h) / 2.5)),
    "softmax, then layers that change nothing": headed(
        lambda h: layers.Activation("linear")(
            layers.Reshape((3,))(layers.Dropout(0.3)(dense(3, "softmax")(h)))
        )
    ),
    "softmax: convolution 1x1": headed(
        lambda h: layers.Flatten()(
            layers.Conv2D(3, 1, activation="softmax")(layers.Reshape((1, 1, 8))(h))
        )
    ),
}

# Layers that take or contain the number of classes.
OF_THREE_CLASSES = (
    "softmax, then layers that change nothing",
    "softmax: convolution 1x1",
)

TABLE = {
    **{
        name: Entry(make, "softmax", widens=name not in OF_THREE_CLASSES)
        for name, make in SPELLINGS.items()
    },
    "logits": Entry(headed(sharp()), "logits"),
    "log softmax": Entry(
        headed(lambda h: ops.log_softmax(dense()(h))), "logits", widens=False
    ),
    "log of a softmax": Entry(
        headed(lambda h: ops.log(dense(3, "softmax")(h))), "logits", widens=False
    ),
    "logits after normalization": Entry(
        headed(lambda h: layers.BatchNormalization()(sharp()(h))),
        "logits",
        features=False,
        widens=False,
    ),
    "logits of a convolution, averaged": Entry(
        conv_head(
            lambda h: layers.Softmax()(
                layers.GlobalAveragePooling2D()(layers.Conv2D(3, 1)(h))
            )
        ),
        "softmax",
        widens=False,
    ),
    "average of logits": Entry(
        headed(average_of(None)), "logits", features=False, widens=False
    ),
    "sigmoid: dense": Entry(headed(lambda h: dense(1, "sigmoid")(h)), "sigmoid"),
    "sigmoid: keras.ops": Entry(headed(lambda h: ops.sigmoid(dense(1)(h))), "sigmoid"),
    "sigmoid: tf.nn": Entry(headed(lambda h: dense(1, tf.nn.sigmoid)(h)), "sigmoid"),
    "logit": Entry(headed(lambda h: dense(1)(h)), "logit"),
    "tanh": Entry(
        headed(lambda h: dense(1, "tanh", bias_initializer="ones")(h)), "logit"
    ),
    "tanh: keras.ops": Entry(
        headed(lambda h: ops.tanh(dense(1, bias_initializer="ones")(h))), "logit"
    ),
    "nested logits, softmax layer": Entry(nested(layers.Softmax), "softmax"),
    "nested logits, operations": Entry(
        nested(lambda z: ops.softmax(z / 2.5)), "softmax"
    ),
    "nested softmax": Entry(nested(head=lambda h: dense(3, "softmax")(h)), "softmax"),
    "nested twice": Entry(
        sequential(nested(head=lambda h: ops.softmax(dense()(h)))), "softmax"
    ),
    "nested sigmoid": Entry(nested(head=lambda h: ops.sigmoid(dense(1)(h))), "sigmoid"),
    "nested logit, sigmoid": Entry(
        sequential(headed(lambda h: dense(1)(h)), lambda: layers.Activation("sigmoid")),
        "sigmoid",
    ),
    "float16": Entry(headed(sharp(dtype="mixed_float16"), "mixed_float16"), "logits"),
    "float16, nested softmax": Entry(
        nested(
            head=lambda h: dense(3, "softmax", dtype="mixed_float16")(h),
            dtype="mixed_float16",
        ),
        "softmax",
    ),
    "bfloat16, softmax in float32": Entry(
        headed(
            lambda h: layers.Activation("softmax", dtype="float32")(
                dense(dtype="mixed_bfloat16")(h)
            ),
            "mixed_bfloat16",
        ),
        "softmax",
    ),
    "float64": Entry(
        headed(lambda h: dense(3, "softmax", dtype="float64")(h), "float64"), "softmax"
    ),
    "logit, normalized weights": Entry(
        headed(lambda h: layers.SpectralNormalization(dense(1))(h)),
        "logit",
        widens=False,
    ),
    # Probabilities whose logits are not accessible.
    "complement of a sigmoid": Entry(
        headed(lambda h: 1 - dense(1, "sigmoid")(h)), "probability"
    ),
    "sigmoid by hand": Entry(
        headed(lambda h: 1 / (1 + ops.exp(-dense(1)(h)))), "probability"
    ),
    "clipped sigmoid": Entry(
        headed(lambda h: ops.clip(dense(1, "sigmoid")(h), 1e-7, 1 - 1e-7)),
        "probability",
    ),
    "sigmoid in a layer of one's own": Entry(
        headed(lambda h: ScaledSigmoid()(dense(1)(h))), "probability", features=False
    ),
    "hard sigmoid": Entry(headed(lambda h: dense(1, "hard_sigmoid")(h)), "probability"),
    "softmax by hand": Entry(
        headed(exponentials), "probabilities", features=False, widens=False
    ),
    "average of softmaxes": Entry(
        headed(average_of("softmax")), "probabilities", features=False, widens=False
    ),
    "confusion matrix after a softmax": Entry(
        headed(
            # Trained, its outputs would no longer sum to one.
            lambda h: dense(
                use_bias=False, kernel_initializer="identity", trainable=False
            )(dense(3, "softmax")(h))
        ),
        "probabilities",
        features=False,
        widens=False,
    ),
    "wrong labels after a sigmoid": Entry(
        headed(
            lambda h: dense(
                1,
                kernel_initializer=keras.initializers.Constant(0.8),
                bias_initializer=keras.initializers.Constant(0.1),
            )(dense(1, "sigmoid")(h))
        ),
        "probability",
        features=False,
    ),
    "call of its own": Entry(
        CallOfItsOwn, "probabilities", dropout=False, features=False, widens=False
    ),
    "subclassed": Entry(
        lambda: models.built(models.Subclassed()),
        "probabilities",
        dropout=False,
        features=False,
        widens=False,
    ),
    "subclassed, sigmoid": Entry(
        lambda: models.built(SubclassedUnit("sigmoid")),
        "probability",
        dropout=False,
        features=False,
    ),
    "subclassed with methods": Entry(
        lambda: models.built(models.SubclassedWithMethods()),
        "softmax",
        dropout=False,
        features=False,
        widens=False,
    ),
    "subclassed with layers named logits and features": Entry(
        lambda: models.built(models.SubclassedWithLayers()),
        "probabilities",
        dropout=False,
        features=False,
        widens=False,
    ),
    "subclassed, nested": Entry(
        sequential(lambda: models.built(models.Subclassed())),
        "probabilities",
        dropout=False,
        features=False,
        widens=False,
    ),
    # Networks.
    "residual": Entry(residual, "softmax"),
    "branches": Entry(branches, "logits"),
    "augmentation": Entry(augmented, "softmax"),
    "LoRA": Entry(with_lora, "softmax"),
    "LSTM with dropout": Entry(
        sequence(lambda: layers.LSTM(8, dropout=0.3, recurrent_dropout=0.3)), "softmax"
    ),
    "GRU without dropout": Entry(
        sequence(lambda: layers.GRU(8)), "softmax", dropout=False
    ),
    "bidirectional": Entry(
        sequence(lambda: layers.Bidirectional(layers.GRU(8, dropout=0.3))), "softmax"
    ),
    "nested, of several inputs": Entry(nested_of_several_inputs, "softmax"),
    "masked tokens": Entry(masked_tokens, "softmax"),
    "nested, with a mask": Entry(
        nested_with_a_mask, "probabilities", features=False, widens=False
    ),
    "attention in a layer of one's own": Entry(sequence(SelfAttention), "softmax"),
    "MobileNetV3Small": Entry(application("MobileNetV3Small"), "softmax", is_slow=True),
    "ConvNeXtTiny": Entry(application("ConvNeXtTiny"), "softmax", is_slow=True),
    "EfficientNetV2B0": Entry(application("EfficientNetV2B0"), "softmax", is_slow=True),
    # Refused.
    "temperature after a softmax": Entry(
        headed(lambda h: dense(3, "softmax")(h) / 2.5), "sum to 0.4"
    ),
    "complement of a softmax": Entry(
        headed(lambda h: 1 - dense(3, "softmax")(h)), "sum to 2"
    ),
    "several sigmoids": Entry(
        headed(lambda h: dense(3, "sigmoid")(h)), "3 sigmoid units"
    ),
    "several sigmoids, nested": Entry(
        nested(head=lambda h: ops.sigmoid(dense()(h))), "3 sigmoid units"
    ),
    "softmax of one unit": Entry(
        headed(lambda h: dense(1, "softmax")(h)), "1 softmax units"
    ),
    "log sigmoid of one unit": Entry(
        headed(lambda h: dense(1, "log_sigmoid")(h)), "from those of its logits"
    ),
    "tanh of a sigmoid": Entry(
        headed(lambda h: ops.tanh(dense(1, "sigmoid")(h))), "from those of its logits"
    ),
    "log of a sigmoid": Entry(
        headed(lambda h: ops.log(dense(1, "sigmoid")(h))), "probability or a logit"
    ),
    "log of a complement": Entry(
        headed(lambda h: layers.Activation(tf.math.log)(1 - dense(1, "sigmoid")(h))),
        "probability or a logit",
    ),
    "stretched sigmoid": Entry(
        headed(
            lambda h: dense(1, kernel_initializer="ones")(3 * ops.sigmoid(dense(1)(h)))
        ),
        "probability or a logit",
    ),
    "rows of another number": Entry(
        headed(lambda h: ops.concatenate(2 * [sharp()(h)], axis=0)),
        "one row for each sample",
    ),
    "noise in inference": Entry(
        headed(lambda h: dense(3, "softmax")(AlwaysNoise()(h))),
        "from one call to the next",
    ),
    "outputs of several steps": Entry(
        headed(lambda h: layers.Reshape((8, 3))(dense(24)(h))), "num_classes"
    ),
}
