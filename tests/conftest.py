import gc
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import hypothesis
import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import models

import dfal_keras as dfal

# There is one test process for each core. More threads than cores wait for each other,
# which takes a tenth of the suite's time.
tf.config.threading.set_intra_op_parallelism_threads(1)

# No test fails because the machine is slow or busy.
hypothesis.settings.register_profile(
    "any_speed",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("any_speed")


def pytest_collection_finish():
    # What was imported lives to the end. Visiting it in each garbage collection took
    # 7 % of the CPU time of three files.
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def mnist():
    return dfal.datasets.load_data("mnist")


@pytest.fixture(scope="session")
def lenet5(mnist):
    """A trained LeNet5 for pixels in [0, 1]. Do not change it."""
    (x, y), _ = mnist
    keras.utils.set_random_seed(0)
    model = dfal.models.LeNet5(include_preprocessing=False)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x[:3000].astype("float32") / 255, y[:3000], epochs=3, verbose=0)
    return model


@pytest.fixture(scope="session")
def digits(mnist):
    """256 test images of MNIST with pixels in [0, 1]."""
    return mnist[1][0][:256].astype("float32") / 255


@pytest.fixture(scope="session")
def blobs():
    """Three clusters of 4x4 images that are easy to learn, as (images, labels)."""
    rng = np.random.default_rng(0)
    y = np.arange(300) % 3
    centers = rng.uniform(0, 255, size=(3, 4, 4, 1))
    x = centers[y] + rng.normal(0, 25, size=(300, 4, 4, 1))
    return x.clip(0, 255).astype("uint8"), y


def make_tiny_model():
    model = models.dense(dropout=0.1)
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    return model


@pytest.fixture
def tiny_model():
    """A compiled model of `blobs` that trains in milliseconds."""
    return make_tiny_model()


@pytest.fixture
def tiny_train(tiny_model):
    return dfal.Training(tiny_model, num_restarts=2, epochs=10)


@pytest.fixture(scope="session")
def shared_train():
    """As `tiny_train`, without the second that tracing takes. Do not change it."""
    return dfal.Training(make_tiny_model(), num_restarts=2, epochs=10)


@pytest.fixture
def traced_functions(monkeypatch):
    """The functions of dfal_keras that TensorFlow compiles during the test."""
    made, original = [], tf.function

    def record(*arguments, **options):
        function = original(*arguments, **options)
        if "input_signature" in options:  # not in those of Keras
            made.append(function)
        return function

    monkeypatch.setattr(tf, "function", record)
    return made


@pytest.fixture
def halves():
    """Twenty images. `helpers.models.half_flat` can be fooled on seven of them."""
    x = np.random.default_rng(1).normal(size=(20, 6)).astype("float32")
    x[:, 0] = -1
    x[[1, 4, 6, 11, 12, 17, 19], 0] = 1
    return x
