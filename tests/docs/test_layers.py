"""Modules import downward only, in the order of the map in CONTRIBUTING."""

import ast
import pathlib
import re

import pytest

import dfal_keras

ROOT = pathlib.Path(__file__).parents[2]
MAP = (ROOT / ".github" / "CONTRIBUTING.md").read_text().split("## Map")[1]
# The paths of each line of the map, the highest layer first.
LAYERS = [
    re.findall(r"`([\w./]+)`", line.split(" | ")[0])
    for line in MAP.splitlines()
    if line.startswith("| `")
]
# These two import what is public, or the command line.
ENTRANCES = {"dfal_keras/__init__.py", "dfal_keras/__main__.py"}


def modules():
    """Return the path of each module of the project, by its dotted name."""
    found = {}
    for folder, top in (("dfal_keras", ROOT), ("reproduce", ROOT / "reproduce")):
        for path in (ROOT / folder).rglob("*.py"):
            parts = path.relative_to(top).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = path.relative_to(ROOT).as_posix()
    return found


MODULES = modules()


def layer(path):
    """Return the line of the map that a file belongs to: the longest path wins."""
    fitting = [
        (len(entry), number)
        for number, entries in enumerate(LAYERS)
        for entry in entries
        if path == entry or (entry.endswith("/") and path.startswith(entry))
    ]
    return max(fitting)[1] if fitting else None


def imported_modules(code):
    """Return the modules of the project that a module imports, in functions too."""
    names = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return {found for found in map(resolve, names) if found}


def resolve(name):
    """Return the module that an imported name is in, `None` for other projects."""
    package, _, public = name.rpartition(".")
    if package == "dfal_keras" and public in dfal_keras._DEFINED_IN:
        return f"dfal_keras.{dfal_keras._DEFINED_IN[public]}"
    return name if name in MODULES else package if package in MODULES else None


def upward(path, code):
    """Return the imports of a file from lines above its own in the map."""
    own = layer(path)
    imported = {MODULES[name] for name in imported_modules(code)} - ENTRANCES
    return sorted(other for other in imported if layer(other) < own)


def test_every_path_of_the_map_exists():
    paths = [path for line in LAYERS for path in line]
    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_module_is_in_a_layer():
    paths = set(MODULES.values()) - ENTRANCES
    assert sorted(path for path in paths if layer(path) is None) == []


def test_every_folder_of_the_package_has_its_own_entry():
    folders = {path.rpartition("/")[0] for path in MODULES.values()}
    folders = {f"{name}/" for name in folders if name.startswith("dfal_keras/")}
    assert folders <= {path for line in LAYERS for path in line}


def test_modules_import_downward_only():
    found = {
        path: upward(path, (ROOT / path).read_text())
        for path in set(MODULES.values()) - ENTRANCES
    }
    assert {path: above for path, above in found.items() if above} == {}


@pytest.mark.parametrize(
    ("path", "code", "above"),
    [
        ("dfal_keras/backend/x.py", "from dfal_keras import attacks", ["attacks.py"]),
        ("dfal_keras/attacks.py", "import dfal_keras.cli.main", ["cli/main.py"]),
        (
            "dfal_keras/strategies/x.py",
            "def f():\n    from dfal_keras import ActiveLearner",
            ["learning/learner.py"],
        ),
        (
            "dfal_keras/labeling/x.py",
            "from dfal_keras.labeling.views.png import encode",
            ["labeling/views/png.py"],
        ),
        ("dfal_keras/cli/x.py", "from dfal_keras import ActiveLearner", []),
        ("dfal_keras/pools/x.py", "import keras\nfrom dfal_keras import _files", []),
    ],
)
def test_upward_imports_are_found(path, code, above):
    assert upward(path, code) == [f"dfal_keras/{name}" for name in above]


def test_experiments_import_neither_benchmarks_nor_scripts():
    code = "import table1\nimport benchmarks"
    path = "reproduce/experiments/x.py"
    assert upward(path, code) == [
        "reproduce/benchmarks/__init__.py",
        "reproduce/table1.py",
    ]
