"""`Training` on the networks that people have."""

import keras
import numpy as np
import pytest
from helpers import models
from helpers.parameters import slow_but
from keras import layers

import dfal_keras as dfal
from dfal_keras.backend.reinitialization import Initializer

# The smallest member of each family, with the smallest images it takes.
APPLICATIONS = {
    "ConvNeXtTiny": 32,
    "DenseNet121": 32,
    "EfficientNetB0": 32,
    "EfficientNetV2B0": 32,
    "InceptionResNetV2": 75,
    "InceptionV3": 75,
    "MobileNet": 32,
    "MobileNetV2": 32,
    "MobileNetV3Small": 32,
    "NASNetMobile": 32,
    "ResNet50": 32,
    "ResNet50V2": 32,
    "VGG16": 32,
    "Xception": 71,
}


def application(name, **options):
    """A classifier of three classes in `keras.applications`, without its weights."""
    size = APPLICATIONS[name]
    build = getattr(keras.applications, name)
    base = build(
        weights=None,
        include_top=False,
        pooling="avg",
        input_shape=(size, size, 3),
        **options,
    )
    outputs = layers.Dense(3, activation="softmax")(base.output)
    return keras.Model(base.input, outputs)


def recurrent(layer):
    return keras.Sequential([keras.Input((6, 20)), layer, layers.Dense(3, "softmax")])


def attention():
    inputs = keras.Input((6, 20))
    hidden = layers.MultiHeadAttention(2, 20)(inputs, inputs)
    hidden = layers.LayerNormalization()(inputs + hidden)
    hidden = layers.GlobalAveragePooling1D()(hidden)
    return keras.Model(inputs, layers.Dense(3, "softmax")(hidden))


def nested():
    block = keras.Sequential(
        [keras.Input((6, 20)), layers.SeparableConv1D(20, 3, padding="same")]
    )
    inputs = keras.Input((6, 20))
    hidden = layers.LSTM(8)(inputs + block(inputs))
    return keras.Model(inputs, layers.Dense(3, "softmax")(hidden))


def shared():
    layer = layers.SeparableConv1D(20, 3, padding="same")
    inputs = keras.Input((6, 20))
    hidden = layers.GlobalMaxPooling1D()(layer(layer(inputs)))
    return keras.Model(inputs, layers.Dense(3, "softmax")(hidden))


def convolutional(policy=None):
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.SeparableConv2D(16, 3, dtype=policy),
            layers.BatchNormalization(dtype=policy),
            layers.DepthwiseConv2D(3, depth_multiplier=2, dtype=policy),
            layers.Flatten(dtype=policy),
            layers.Dense(3, "softmax", dtype="float32"),
        ]
    )


NETWORKS = {
    "LSTM": lambda: recurrent(layers.LSTM(8)),
    "GRU": lambda: recurrent(layers.GRU(8)),
    "Bidirectional": lambda: recurrent(layers.Bidirectional(layers.LSTM(8))),
    "a cell of another layer": lambda: recurrent(layers.RNN(layers.GRUCell(8))),
    "Conv1D": lambda: recurrent(
        keras.Sequential([layers.Conv1D(20, 3), layers.Flatten()])
    ),
    "MultiHeadAttention": attention,
    "nested": nested,
    "shared": shared,
    "separable": convolutional,
    "mixed_float16": lambda: convolutional("mixed_float16"),
    "mixed_bfloat16": lambda: convolutional("mixed_bfloat16"),
}
USUAL = ("MultiHeadAttention", "nested", "mixed_float16")


def check_trains(model):
    """Train for one epoch, and check fresh weights against those of Keras itself."""
    rng = np.random.default_rng(0)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = rng.integers(0, 256, (10, *model.input_shape[1:])).astype("uint8")
    train = dfal.Training(model, num_restarts=1, epochs=1)
    train(x, np.arange(10) % 3, seed=0)
    (curves,) = train.history
    assert set(curves) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    check_fresh_weights(model)


def check_fresh_weights(model):
    initialize = Initializer(model)
    drawn = []
    for seed in (0, 1, 0):
        initialize(np.random.default_rng(seed))
        drawn.append([np.array(weight) for weight in model.get_weights()])
    expected = keras.models.clone_model(model).get_weights()
    random = []
    for variable, *ours, theirs in zip(model.weights, *drawn, expected, strict=True):
        first, second, again = ours
        assert (first == again).all(), variable.path
        if variable.name == "seed_generator_state":
            continue
        if len(np.unique(theirs)) <= 2:  # constants, as in the biases of an LSTM
            assert (first == theirs).all(), variable.path
            continue
        assert (first == second).mean() < 0.01, variable.path
        if theirs.size > 200:  # within five standard errors of the differences
            error = 5 * theirs.size**-0.5
            assert first.std() == pytest.approx(theirs.std(), rel=error), variable.path
            error *= 2**0.5 * float(theirs.std())
            assert first.mean() == pytest.approx(theirs.mean(), abs=error)
        random.append(first.ravel()[:8])
    # Layers of the same shape get other weights.
    assert len({tuple(values) for values in random}) == len(random)


@pytest.mark.parametrize("name", slow_but(USUAL, NETWORKS))
def test_a_network_trains_from_fresh_weights(name):
    check_trains(NETWORKS[name]())


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_an_application_trains_from_fresh_weights(name):
    check_trains(application(name))


def test_all_families_of_applications_are_tested():
    modules = {
        module
        for module in dir(keras.applications)
        if hasattr(getattr(keras.applications, module), "preprocess_input")
    }
    tested = {
        getattr(keras.applications, name).__module__.rpartition(".")[2]
        for name in APPLICATIONS
    }
    # The networks of two modules are in two others as well.
    assert modules - {"imagenet_utils", "resnet50", "vgg19"} == tested


class Block(layers.Layer):
    """A layer with weights of its own, layers and an argument."""

    def __init__(self, size):
        super().__init__()
        self.size = size
        self.dense = layers.Dense(size)

    def build(self, input_shape):
        self.dense.build(input_shape)
        self.scale = self.add_weight(shape=(self.size,), initializer="he_normal")
        self.built = True

    def call(self, inputs):
        return self.dense(inputs) * self.scale


class BlockWithConfig(Block):
    def get_config(self):
        return {"size": self.size}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def with_block(block):
    model = keras.Sequential([keras.Input((5,)), block(16), layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def test_a_layer_of_ones_own():
    model = with_block(BlockWithConfig)
    initialize = Initializer(model)
    drawn = []
    for seed in (0, 0, 1):
        initialize(np.random.default_rng(seed))
        drawn.append([np.array(weight) for weight in model.get_weights()])
    for first, again, other in zip(*drawn, strict=True):
        assert (first == again).all()
        assert first.any() == (not (first == other).any())  # biases are zero


def test_a_layer_that_can_not_be_cloned_is_named():
    """`initial="keep"` trains it all the same."""
    model = with_block(Block)
    with pytest.raises(ValueError, match=r"`model` must.*Received: .*'block.*Block"):
        dfal.Training(model)
    train = dfal.Training(model, initial="keep", num_restarts=1, epochs=1)
    x = np.zeros((9, 5), "float32")
    assert train(x, np.arange(9) % 3, seed=0) is model


def test_a_subclassed_model_draws_from_its_layers():
    model = models.built(models.Subclassed())
    model.compile("adam", "sparse_categorical_crossentropy")
    before = model.get_weights()
    Initializer(model)(np.random.default_rng(0))
    assert not (model.get_weights()[0] == before[0]).any()
