"""Check which backend Keras uses, without importing Keras or TensorFlow."""

import contextlib
import json
import os
import pathlib
import sys


def check() -> None:
    """Raise ImportError if Keras uses, or would use, another backend than TensorFlow.

    As in Keras, the environment variable `KERAS_BACKEND` takes precedence over the file
    `keras.json`, and both have no effect once Keras is imported.
    """
    backend, chosen_by = _selected()
    if backend != "tensorflow":
        # With a name, `python -m dfal_keras` shows this message and no stack trace.
        raise ImportError(
            "dfal_keras needs the TensorFlow backend of Keras: set the environment "
            "variable KERAS_BACKEND to tensorflow before Keras is imported. Received: "
            f"backend {backend!r}, chosen by {chosen_by}",
            name="dfal_keras",
        )


def _selected():
    """Return the name of the backend, and what chose it."""
    keras = sys.modules.get("keras")
    if keras is not None:
        return keras.config.backend(), "the imported Keras"
    if backend := os.environ.get("KERAS_BACKEND"):
        return backend, "the environment variable KERAS_BACKEND"
    # Without a home folder, or with an invalid file, Keras uses its default.
    with contextlib.suppress(OSError, ValueError, RuntimeError, AttributeError):
        folder = pathlib.Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
        path = folder / "keras.json"
        settings = json.loads(path.read_text(encoding="utf-8"))
        return settings.get("backend", "tensorflow"), f"the file {path}"
    return "tensorflow", "default"
