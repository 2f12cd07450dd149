import doctest
import importlib
import os
import pathlib
import pkgutil
import re
import subprocess
import sys

import pytest

import dfal_keras

ROOT = pathlib.Path(__file__).parents[2]
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


def test_public_names_are_those_that_are_imported_lazily():
    lazy = [*dfal_keras._SUBMODULES, *dfal_keras._DEFINED_IN]
    assert sorted(dfal_keras.__all__) == sorted(lazy)


def check_types(code, folder):
    """Run mypy on a script, as a user would, and return what it reports."""
    script = folder / "script.py"
    script.write_text(code)
    command = [sys.executable, "-m", "mypy", "--no-incremental", "--strict-equality"]
    config = ROOT / "setup.cfg"
    done = subprocess.run(
        [*command, f"--config-file={config}", str(script)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "MYPYPATH": str(ROOT)},
    )
    return done.stdout + done.stderr


def test_type_checkers_see_the_public_names(tmp_path):
    pytest.importorskip("mypy")
    readme = (ROOT / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    code = "\n".join(blocks) + (
        "reveal_type(dfal.ActiveLearner)\n"
        "reveal_type(query)\n"
        "reveal_type(dfal.deepfool)\n"
        "reveal_type(dfal.strategies.DFAL().query)\n"
        "reveal_type(dfal.datasets.class_names)\n"
        "dfal.ActiveLerner\n"
        'dfal.Training(model, epochs="many")\n'
    )
    reported = check_types(code, tmp_path)
    revealed = re.findall(r'Revealed type is "(.*)"', reported)
    assert len(revealed) == 5
    assert "dfal_keras.learner.ActiveLearner" in revealed[0]
    assert revealed[1] == "dfal_keras.strategies.query.Query"
    assert revealed[2].endswith("-> dfal_keras.attacks.DeepFoolResult")
    assert revealed[3].endswith("-> dfal_keras.strategies.query.Query")
    assert "name: str" in revealed[4]
    # Nothing is wrong but the two mistakes at the end.
    errors = [line for line in reported.splitlines() if ": error:" in line]
    assert len(errors) == 2, reported
    assert "ActiveLerner" in errors[0]
    assert "epochs" in errors[1]
