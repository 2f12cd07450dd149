"""The structure of the code and the vocabulary of the documentation."""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
FOLDERS = ("dfal_keras", "reproduce")
CODE = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
DOCS = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md")]
# Modules for use within the project only.
INTERNAL = {"_files", "_keras_backend", "_validation"}
# The packages and scripts that modules of the project import.
PROJECT = {"dfal_keras", "experiments", "benchmarks"} | {
    path.stem for path in (ROOT / "reproduce").glob("*.py")
}


def is_private(name):
    return name.startswith("_") and not name.endswith("__") and name not in INTERNAL


def project_imports(node):
    """Return what a statement imports from the project.

    Returns:
        The full names of what is imported, and the names that the statement binds.
    """
    full_names, bound = [], []
    for alias in getattr(node, "names", []):
        if isinstance(node, ast.ImportFrom):
            full_name = f"{node.module or ''}.{alias.name}"
            bound_name = alias.asname or alias.name
        elif isinstance(node, ast.Import):
            full_name = alias.name
            bound_name = alias.asname or alias.name.partition(".")[0]
        else:
            continue
        is_relative = bool(getattr(node, "level", 0))
        if is_relative or full_name.partition(".")[0] in PROJECT:
            full_names.append(full_name)
            bound.append(bound_name)
    return full_names, bound


def private_accesses(code):
    """Return where a module uses a private name of another module of the project."""
    tree = ast.parse(code)
    imported, found = set(), []
    for node in ast.walk(tree):
        full_names, bound = project_imports(node)
        imported |= set(bound)
        if any(is_private(part) for name in full_names for part in name.split(".")):
            found.append(f"{node.lineno}: {ast.unparse(node)}")
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or not is_private(node.attr):
            continue
        first = ast.unparse(node.value).partition(".")[0]
        if first in imported:
            found.append(f"{node.lineno}: {ast.unparse(node)}")
    return found


def failures(paths, check):
    """Return what a check of the text finds, for each file with a finding."""
    found = {str(path.relative_to(ROOT)): check(path.read_text()) for path in paths}
    return {path: problems for path, problems in found.items() if problems}


def test_no_module_uses_a_private_name_of_another():
    assert failures(CODE, private_accesses) == {}


@pytest.mark.parametrize(
    "code",
    [
        "from dfal_keras.pools import _read",
        "from dfal_keras import _other",
        "import dfal_keras._other",
        "from . import _other",
        "from experiments import store\nstore._parse('')",
        "import dfal_keras as dfal\ndfal.pools._read()",
        "import dfal_keras.pools\ndfal_keras.pools._read()",
        "def f():\n    from table3 import _measure",
        "from dfal_keras import _files\n_files._sync_folder('')",
    ],
)
def test_private_accesses_are_found(code):
    assert len(private_accesses(code)) == 1


@pytest.mark.parametrize(
    "code",
    [
        "from dfal_keras import _files\n_files.write_text('', '')",
        "from dfal_keras._validation import check_count",
        "import numpy as np\nnp._private",
        "class A:\n    def f(self):\n        return self._private",
        "import dfal_keras\ndfal_keras.__version__",
    ],
)
def test_other_accesses_are_allowed(code):
    assert private_accesses(code) == []


# Most words in -ise are American, such as "raise": the British ones are listed by stem.
BRITISH = re.compile(
    r"\b\w*(?:labell|colour|centre(?!d)|neighbour|behaviour|favour|licence|modell"
    r"|cancell|artefact|grey|whilst|learnt|programme\b|analys(?:ed?|ing)\b"
    r"|(?:normal|initial|optim|regular|random|general|vector|summar|real|recogn|serial"
    r"|visual|minim|maxim|parallel|util|standard|quant)is(?:e[drs]?|ing|ations?)\b)\w*",
    re.IGNORECASE,
)
# The spelling of the paper in a heading of Table 3, and of a key of Label Studio.
QUOTED = re.compile("regularisation|was_cancelled", re.IGNORECASE)


def british(text):
    return sorted({word.lower() for word in BRITISH.findall(QUOTED.sub("", text))})


def documents():
    """Return the .py and .md files of the repository, without this one."""
    folders = [ROOT / name for name in (*FOLDERS, "tests", "notebooks", ".github")]
    files = [*ROOT.glob("*.md"), *ROOT.glob("*.py")]
    for folder in folders:
        files += [*folder.rglob("*.md"), *folder.rglob("*.py")]
    return sorted(path for path in files if path != pathlib.Path(__file__))


def test_the_spelling_is_american():
    assert failures(documents(), british) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A labelled set in colour, centred", ["colour", "labelled"]),
        ("initialise, Optimiser; analysing", ["analysing", "initialise", "optimiser"]),
        ("unlabelled num_neighbours", ["num_neighbours", "unlabelled"]),
        ("raises noise otherwise: labeled, center, analysis, programmer", []),
        ("With Regularisation", []),
    ],
)
def test_british_spellings_are_found(text, words):
    assert british(text) == words


def test_adversarial_examples_have_one_name():
    """They are not called twins, in names of variables either."""
    twins = re.compile(r".*twin.*", re.IGNORECASE)
    assert failures([*CODE, *DOCS], twins.findall) == {}


def imports_of(packages, code):
    """Return the statements of a module that import one of some packages."""
    found = []
    for node in ast.walk(ast.parse(code)):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        if {name.partition(".")[0] for name in modules} & packages:
            found.append(f"{node.lineno}: {ast.unparse(node)}")
    return found


# Which worker processes import.
TRAINING = (
    *("environment", "execution", "networks", "problem_training"),
    *("norms", "example_labels", "pseudo_errors", "ticks", "toy_problem"),
)
EXPERIMENTS = [
    path
    for path in sorted((ROOT / "reproduce" / "experiments").rglob("*.py"))
    if path.stem not in ("__init__", *TRAINING)
]


def test_the_other_experiments_do_not_import_tensorflow():
    """Imports within functions count, too."""
    packages = {"tensorflow", "keras"}
    assert failures(EXPERIMENTS, lambda code: imports_of(packages, code)) == {}


def test_importing_the_other_experiments_does_not_load_tensorflow():
    """Checked after each import, for modules that import it indirectly."""
    names = [
        ".".join(path.relative_to(ROOT / "reproduce").with_suffix("").parts)
        for path in EXPERIMENTS
    ]
    code = f"""
import importlib
import sys

for name in {names}:
    importlib.import_module(name)
    loaded = {{"tensorflow", "keras"}} & set(sys.modules)
    if loaded:
        sys.exit(f"{{name}} loads {{sorted(loaded)}}")
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT / "reproduce",
    )
    assert done.returncode == 0, done.stderr


# Each of these modules imports those above it, and no other ones of `experiments`.
LEVELS = (
    *("entry_point", "devices", "drawings", "mnist_variants", "problems"),
    *("problem_data", "protocol", "methods", "studies", "paper", "argument_types"),
    *("options", "runs", "files", "store"),
)


@pytest.mark.parametrize("name", LEVELS)
def test_experiments_import_downward(name):
    """A folder's modules import each other, too."""
    path = ROOT / f"reproduce/experiments/{name}"
    folder = sorted(path.glob("*.py"))
    names = [
        full_name
        for module in folder or [path.with_suffix(".py")]
        for node in ast.walk(ast.parse(module.read_text()))
        for full_name in project_imports(node)[0]
        if full_name.startswith("experiments.")
    ]
    below = {*LEVELS[: LEVELS.index(name)], *([name] if folder else [])}
    assert {each.split(".")[1] for each in names} <= below


def test_scripts_are_short():
    """They name what they go through; the rest is in `experiments` and `benchmarks`."""
    scripts = sorted((ROOT / "reproduce").glob("*.py"))
    lengths = {path.name: len(path.read_text().splitlines()) for path in scripts}
    assert {name: size for name, size in lengths.items() if size > 40} == {}
