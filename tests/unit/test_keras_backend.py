"""Another backend than TensorFlow is refused by one sentence."""

import json
import os
import subprocess
import sys
import types

import pytest

from dfal_keras import _keras_backend

MESSAGE = "dfal_keras needs the TensorFlow backend of Keras: set the environment"


@pytest.fixture
def run(tmp_path):
    """Return a function that runs Python with a backend and a `keras.json`."""

    def run(arguments, backend=None, settings=None):
        env = {key: value for key, value in os.environ.items() if key[:5] != "KERAS"}
        env["KERAS_HOME"] = str(tmp_path)
        if backend is not None:
            env["KERAS_BACKEND"] = backend
        if settings is not None:
            (tmp_path / "keras.json").write_text(settings)
        command = [sys.executable, *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=env)

    return run


IMPORT = ["-c", "import sys, dfal_keras; print('keras' in sys.modules)"]


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_variable(run, backend):
    done = run(IMPORT, backend)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: {MESSAGE}")
    assert f"'{backend}', chosen by the environment variable KERAS_BACKEND" in last


def test_the_file(run, tmp_path):
    done = run(IMPORT, settings=json.dumps({"backend": "torch"}))
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert f"'torch', chosen by the file {tmp_path / 'keras.json'}" in last


@pytest.mark.parametrize(
    ("backend", "settings"),
    [
        ("tensorflow", json.dumps({"backend": "jax"})),
        ("", None),  # as Keras, which ignores an empty value
        (None, json.dumps({"floatx": "float32"})),
        (None, "not JSON"),
        (None, "[]"),
    ],
)
def test_tensorflow_is_accepted_and_keras_not_imported(run, backend, settings):
    done = run(IMPORT, backend, settings)
    assert (done.returncode, done.stdout, done.stderr) == (0, "False\n", "")


@pytest.mark.parametrize(
    "arguments",
    [["dfal_keras", "query", "--help"], ["dfal_keras.datasets"]],
    ids=["query", "datasets"],
)
def test_the_command_lines_show_no_stack_trace(run, arguments):
    done = run(["-m", *arguments], "jax")
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert MESSAGE in line


def test_an_imported_keras_is_asked(monkeypatch):
    """The variable has no effect once Keras is imported."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    _keras_backend.check()  # with the real Keras, imported by conftest.py
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    config = types.SimpleNamespace(backend=lambda: "torch")
    monkeypatch.setitem(sys.modules, "keras", types.SimpleNamespace(config=config))
    with pytest.raises(ImportError, match="'torch', chosen by the imported Keras"):
        _keras_backend.check()
