import doctest
import importlib
import pathlib
import pkgutil
import subprocess
import sys

import pytest

import dfal_keras

MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(dfal_keras.__path__, "dfal_keras.")
    if not name.endswith("__main__")
]


def test_import_is_light():
    """Heavy packages are imported where they are used."""
    heavy = ["tensorflow_datasets", "ortools", "matplotlib"]
    code = (
        "import sys, keras; before = set(sys.modules)\n"  # Keras may import some itself
        f"import dfal_keras; print(set({heavy}) & (set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", dfal_keras.__all__)
def test_public_names_are_documented(name):
    assert getattr(dfal_keras, name).__doc__


def test_files_stay_readable():
    for path in pathlib.Path(dfal_keras.__file__).parent.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 300, path
