"""Calls with invalid arguments, and what all of them must do."""

import keras
import numpy as np
import pytest
from keras import layers

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 4, 4, 1)).astype("uint8")
LABELS = np.arange(20) % 3
NAN = np.full((20, 4, 4, 1), np.nan)


def each(calls):
    """Parametrize a test by a dict of name: (argument that the error names, call)."""
    return pytest.mark.parametrize(("named", "call"), calls.values(), ids=calls)


def check_rejected(named, call, *folders):
    """Check that a call raises a ValueError that names the argument; return its text.

    Args:
        named: The name of the argument.
        call: A function without arguments.
        *folders: Folders whose files the call must not change.
    """
    before = contents(*folders)
    with (
        np.errstate(all="ignore"),
        pytest.raises(ValueError, match=rf"(?s)^Argument `{named}` must .*") as error,
    ):
        call()
    message = str(error.value)
    assert "Received: " in message
    assert "Traceback" not in message
    assert 'File "' not in message
    assert contents(*folders) == before
    return message


def check_option_rejected(make, name, value):
    """Check that a constructor rejects an option and quotes its value."""
    message = check_rejected(name, lambda: make(**{name: value}))
    assert f"Received: {name}={value!r}" in message


def contents(*folders):
    """Return the paths in the folders, with the times of their last change."""
    return {
        path: path.stat().st_mtime_ns for folder in folders for path in folder.iterdir()
    }


def dense(num_outputs, activation=None, **compiled):
    """Return a model of `IMAGES`, compiled if there are arguments for it."""
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Flatten(),
            layers.Dense(num_outputs, activation=activation),
        ]
    )
    if compiled:
        model.compile(**compiled)
    return model


def two_inputs():
    """Return a model of two images."""
    inputs = [keras.Input((4, 4, 1)), keras.Input((4, 4, 1))]
    return keras.Model(inputs, layers.Flatten()(layers.add(inputs)))


def write_files(folder):
    """Write a valid pool, `pool.npy`, and files that are not pools."""
    np.save(folder / "pool.npy", IMAGES)
    np.save(folder / "nan.npy", NAN)
    np.save(folder / "objects.npy", np.array([{}], object), allow_pickle=True)
    np.savez(folder / "two.npz", a=IMAGES, b=IMAGES)
    (folder / "cut.npy").write_bytes((folder / "pool.npy").read_bytes()[:200])
    (folder / "text.npz").write_text("pixel,pixel\n1,2\n")
    (folder / "empty.npy").write_bytes(b"")
    (folder / "empty").mkdir()
