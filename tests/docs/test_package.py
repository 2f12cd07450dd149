"""The package: imports, docstring examples, type hints, source distribution."""

import datetime
import doctest
import importlib
import os
import pathlib
import pkgutil
import re
import subprocess
import sys
import tarfile

import pytest

import dfal_keras

ROOT = pathlib.Path(__file__).parents[2]
MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(dfal_keras.__path__, "dfal_keras.")
    if not name.endswith("__main__")
    # tensorflow-datasets is not installed on Python 3.10.
    and (sys.version_info >= (3, 11) or not name.endswith("datasets.builders"))
]


def test_import_is_light():
    """Heavy packages are imported only by the functions that use them."""
    heavy = ["tensorflow_datasets", "ortools", "matplotlib", "skactiveml", "sklearn"]
    code = (
        "import sys, keras; before = set(sys.modules)\n"  # Keras may import some
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


def user_script():
    """Return the README's Python blocks as one script."""
    readme = (ROOT / "README.md").read_text()
    return "\n".join(re.findall(r"```python\n(.*?)```", readme, re.DOTALL))


def run_checker(command, code, folder):
    """Run a type checker on a script in an empty folder; return its output."""
    script = folder / "script.py"
    script.write_text(code)
    paths = {"MYPYPATH": str(ROOT), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", *command, str(script)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, **paths},
    )
    return done.stdout + done.stderr


def test_mypy_sees_the_public_names(tmp_path):
    pytest.importorskip("mypy")
    code = user_script() + (
        "reveal_type(dfal.ActiveLearner)\n"
        "reveal_type(learner.ask())\n"
        "reveal_type(dfal.deepfool)\n"
        "reveal_type(dfal.strategies.DFAL().query)\n"
        "reveal_type(dfal.datasets.class_names)\n"
        "dfal.ActiveLerner\n"
        'dfal.Training(model, epochs="many")\n'
    )
    options = ["--no-incremental", "--strict-equality"]
    config = f"--config-file={ROOT / 'setup.cfg'}"
    reported = run_checker(["mypy", *options, config], code, tmp_path)
    revealed = re.findall(r'Revealed type is "(.*)"', reported)
    assert len(revealed) == 5
    assert "dfal_keras.learning.learner.ActiveLearner" in revealed[0]
    assert revealed[1] == "dfal_keras.strategies.query.Query"
    assert revealed[2].endswith("-> dfal_keras.attacks.DeepFoolResult")
    assert revealed[3].endswith("-> dfal_keras.strategies.query.Query")
    assert "name: str" in revealed[4]
    # The two mistakes at the end are the only errors.
    errors = [line for line in reported.splitlines() if ": error:" in line]
    assert len(errors) == 2, reported
    assert "ActiveLerner" in errors[0]
    assert "epochs" in errors[1]


def test_pyright_accepts_the_readme(tmp_path):
    pytest.importorskip("pyright")
    code = user_script() + 'dfal.Training(model, epochs="many")\n'
    reported = run_checker(["pyright"], code, tmp_path)
    errors = [line for line in reported.splitlines() if " - " in line]
    assert len(errors) == 1, reported  # the mistake at the end
    assert "epochs" in errors[0]


def test_versions_agree():
    citation = (ROOT / ".github" / "CITATION.cff").read_text()
    assert re.findall(r"^version: (.*)$", citation, re.MULTILINE) == [
        dfal_keras.__version__
    ]
    changes = (ROOT / "CHANGELOG.md").read_text()
    released = re.findall(r"^## \[(\d.*)\] - (.*)$", changes, re.MULTILINE)
    assert released[0][0] == dfal_keras.__version__
    for version, date in released:
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        datetime.date.fromisoformat(date)
    kinds = re.findall(r"^### (.*)$", changes, re.MULTILINE)
    allowed = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(kinds) <= allowed


def test_sdist_holds_what_the_tests_need(tmp_path):
    pytest.importorskip("setuptools")
    egg_info = ["egg_info", "--egg-base", str(tmp_path)]
    sdist = ["sdist", "--dist-dir", str(tmp_path)]
    command = [sys.executable, "setup.py", "-q", *egg_info, *sdist]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    needed = [
        *ROOT.glob("tests/**/*.py"),
        *ROOT.glob("tests/data/*"),
        *ROOT.glob("notebooks/*.ipynb"),
        *ROOT.glob(".github/docs/guides/*.md"),
        *ROOT.glob(".github/docs/_extensions/*.py"),
        *ROOT.glob("reproduce/**/*.py"),
        *ROOT.glob("reproduce/results/paper/runs/*.csv"),
        *(ROOT / name for name in ("README.md", "CHANGELOG.md", ".ci/run")),
        *(ROOT / name for name in ("reproduce/README.md", ".github/CONTRIBUTING.md")),
    ]
    assert {path.relative_to(ROOT).as_posix() for path in needed} <= names
    assert not [name for name in names if name.endswith((".npz.tmp", ".pyc"))]
    # Copied when the site is built.
    assert not [name for name in names if name.startswith(".github/docs/repository/")]
