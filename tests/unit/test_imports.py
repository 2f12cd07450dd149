"""Which modules import heavy packages, and the order of modules."""

import ast
import graphlib
import pathlib

import pytest

import dfal_keras

ROOT = pathlib.Path(dfal_keras.__file__).parent
# The modules and packages, relative to dfal_keras, that may import a package.
ALLOWED = {
    "tensorflow": ("backend", "training"),
    "keras": ("backend", "models", "pools", "labeling", "training"),
    "tensorflow_datasets": ("datasets",),
    "pooch": ("datasets",),
    "ortools": ("kcenter",),
    "matplotlib": ("labeling", "plots"),
    "skactiveml": ("strategies",),
    "sklearn": ("strategies",),
}


def module_name(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def is_for_type_checkers(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def import_statements(node, *, in_functions):
    """Yield the import statements below a node, except those for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif is_for_type_checkers(child):
            body = ast.Module(child.orelse, type_ignores=[])
            yield from import_statements(body, in_functions=in_functions)
        elif in_functions or not isinstance(
            child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
        ):
            yield from import_statements(child, in_functions=in_functions)


def imported_names(path, *, in_functions):
    """Return the dotted names that a module imports."""
    names = set()
    for node in import_statements(
        ast.parse(path.read_text()), in_functions=in_functions
    ):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        else:
            assert node.level == 0, f"relative import in {path}"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("package", ALLOWED)
def test_a_heavy_package_is_imported_in_few_places(package):
    importers = {
        name.removeprefix("dfal_keras.").split(".")[0]
        for name, path in MODULES.items()
        for imported in imported_names(path, in_functions=True)
        if imported.split(".")[0] == package
    }
    assert sorted(importers) == sorted(ALLOWED[package])


def test_only_the_builders_import_tensorflow_datasets():
    """It is not installed on Python 3.10."""
    importers = [
        name
        for name, path in MODULES.items()
        for imported in imported_names(path, in_functions=True)
        if imported.split(".")[0] == "tensorflow_datasets"
    ]
    assert importers == ["dfal_keras.datasets.builders"]


def test_plots_import_matplotlib_on_first_use():
    plots = [name for name in MODULES if name.startswith("dfal_keras.plots")]
    at_import, at_all = (
        {
            imported.split(".")[0]
            for name in plots
            for imported in imported_names(MODULES[name], in_functions=in_functions)
        }
        for in_functions in (False, True)
    )
    assert at_all - at_import == {"matplotlib"}


def imported_modules(name):
    """Return the modules of dfal_keras that a module imports when it is imported."""
    found = set()
    for imported in imported_names(MODULES[name], in_functions=False):
        module = imported if imported in MODULES else imported.rpartition(".")[0]
        if module in MODULES:
            found.add(module)
    return found


def test_modules_do_not_import_each_other_in_a_circle():
    graph = {name: imported_modules(name) for name in MODULES}
    assert "dfal_keras.attacks" in graph["dfal_keras.strategies.dfal"]
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


def test_a_circle_is_found(tmp_path, monkeypatch):
    (tmp_path / "a.py").write_text("import dfal_keras.b")
    (tmp_path / "b.py").write_text("try:\n    from dfal_keras.a import x\nfinally: ...")
    monkeypatch.setitem(MODULES, "dfal_keras.a", tmp_path / "a.py")
    monkeypatch.setitem(MODULES, "dfal_keras.b", tmp_path / "b.py")
    graph = {name: imported_modules(name) for name in MODULES}
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter(graph).prepare()
