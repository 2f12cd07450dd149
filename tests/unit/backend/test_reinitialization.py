import hashlib

import numpy as np
import pytest

import dfal_keras as dfal
from dfal_keras.backend.reinitialization import Initializer


@pytest.mark.parametrize(
    ("network", "checksum"),
    [
        ("LeNet5", "93d7e05d21e38a0f2ef37a907c573c60b3fd249fd5415d9c60b7878b41b2da49"),
        ("VGG8", "fe1e5593ccfcb2bace964520bc54daa0c926952abee855402fb2f8dbef98688a"),
    ],
)
def test_the_draw_of_the_papers_networks_never_changes(network, checksum):
    """Stored rows of the tables were made with these initial weights."""
    model = getattr(dfal.models, network)()
    model.compile("adam", "sparse_categorical_crossentropy")
    Initializer(model)(np.random.default_rng(0))
    drawn = b"".join(weights.tobytes() for weights in model.get_weights())
    assert hashlib.sha256(drawn).hexdigest() == checksum
