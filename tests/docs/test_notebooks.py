"""Every notebook is committed with its outputs, and runs again at small sizes."""

import ast
import pathlib

import nbclient
import nbformat
import pytest
from ipykernel.kernelspec import write_kernel_spec
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager

FOLDER = pathlib.Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = {path.stem: path for path in sorted(FOLDER.glob("*.ipynb"))}
MAX_BYTES = 700_000

# Parameters of a small run; assertions at its end; a part of what it prints.
SMALL_RUNS = {
    "1_deepfool_and_the_margin": (
        {"NUM_POINTS": 60, "NUM_EPOCHS": 60, "NUM_DIGITS": 300, "NUM_ATTACKED": 60},
        """
        assert predicted.shape == (60,) and (predicted == classes).mean() > 0.7
        assert result.success.all() and len(paths) == 8
        assert (result.norms > true_distances - 1e-3).all()
        assert attack.success.all() and (guesses != adversarial_guesses).all()
        """,
        "class changed by DeepFool: 100.0%",
    ),
    "2_the_active_learning_loop": (
        {"BUDGET": 30, "NUM_RESTARTS": 1, "NUM_CANDIDATES": 40},
        """
        assert list(accuracies.index) == [10, 20, 30]
        assert abs(accuracies["DFAL"] - accuracies["RANDOM"])[10] < 1
        assert list(tables["dfal"]["num_labeled"]) == [10, 30, 50]
        assert list(tables["random"]["num_labeled"]) == [10, 20, 30]
        """,
        "queries in common: 10",
    ),
    "3_your_own_model_and_data": (
        {
            "NUM_OLD": 60,
            "NUM_POOL": 40,
            "NUM_TEST": 50,
            "EPOCHS": 3,
            "MORE_EPOCHS": 1,
            "NUM_QUERIES": 4,
        },
        """
        queried = [*half, *still_open.indices, *query.indices]
        assert len(set(queried)) == 8
        assert set(learner.ignored) == {half[1]}
        assert set(labeled.indices) == set(queried) - {half[1]}
        assert list(labeled.labels) == list(truth[labeled.indices])
        """,
        "annotations: 7\nadversarial examples: 7\nlabeled set: 14 samples\n",
    ),
    "4_re_adversarial_active_learning": (
        {"NUM_TRIALS": 3, "BUDGETS": (100, 1000)},
        """
        assert set(rows["trial"]) == {0, 1, 2}
        assert list(curves) == list(methods.PRINTED)
        assert all(curve.shape[1] == 3 for curve in curves.values())
        assert efficiency.loc["DFAL"].astype(float).min() > 1
        assert areas["DFAL"]["adversarial"].mean() > areas["DFAL"]["none"].mean()
        assert {"batch", "adversarial", "copies"} <= set(lines) <= set(registered)
        assert (verdicts.loc[verdicts.index.str.startswith("1  ")] != "").any(axis=None)
        """,
        " rounds",
    ),
    "5_fine_tune_a_pretrained_model": (
        {
            "NUM_PRETRAINING": 64,
            "PRETRAINING_EPOCHS": 1,
            "CLASS_SIZES": (40, 20, 20, 10, 10),
            "NUM_TEST": 5,
            "NUM_TRIALS": 2,
            "BUDGET": 40,
            "EPOCHS": 1,
        },
        """
        assert annotations == [20, 40]
        assert all(values.shape == (2, 2, 5) for values in recalls.values())
        first = [learner.labeled.indices[:20] for learner, _ in learners.values()]
        assert (np.diff(first, axis=0) == 0).all()  # the same first labels
        sizes = [len(learner.labeled) for learner, _ in learners.values()]
        assert sizes[:2] == [40, 60] and 40 < sizes[2] <= 60
        assert len(curves["loss"]) == 1 and base.trainable
        """,
        "new weights",
    ),
    "6_what_makes_dfal_work": (
        {
            "NUM_TRIALS": 1,
            "NUM_LABELED": 60,
            "NUM_CANDIDATES": 80,
            "NUM_QUERIES": 10,
        },
        """
        assert set(rows["trial"]) == {0}
        assert attack.norms.shape == (80,) and attack.success.mean() > 0.9
        assert all(len(rows) == 10 for rows in closest.values())
        assert is_right.mean() > 0.5
        """,
        "attacked: 80",
    ),
}


@pytest.fixture(scope="module")
def kernel_specs(tmp_path_factory):
    """A kernel "python3" that is the interpreter of the tests."""
    folder = tmp_path_factory.mktemp("kernels")
    write_kernel_spec(folder / "python3")
    return KernelSpecManager(kernel_dirs=[str(folder)])


def read(name):
    return nbformat.read(NOTEBOOKS[name], as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def parameters_index(notebook):
    (index,) = (
        index
        for index, cell in enumerate(notebook.cells)
        if "parameters" in cell.metadata.get("tags", [])
    )
    return index


def printed(notebook):
    return "".join(
        output.text
        for cell in code_cells(notebook)
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stdout"
    )


def test_every_notebook_is_tested():
    assert list(NOTEBOOKS) == list(SMALL_RUNS)


@pytest.mark.parametrize("name", SMALL_RUNS)
def test_notebook_is_committed_with_its_outputs(name):
    notebook = read(name)
    cells = code_cells(notebook)
    counts = [cell.execution_count for cell in cells]
    assert counts == list(range(1, len(cells) + 1))  # executed once, in order
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert NOTEBOOKS[name].stat().st_size < MAX_BYTES
    assert notebook.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("name", SMALL_RUNS)
def test_notebook_imports_public_names_only(name):
    """`import dfal_keras`, whose names are public; its other modules may change."""
    for cell in code_cells(read(name)):
        lines = [line for line in cell.source.splitlines() if line[:1] != "%"]
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module]
            else:
                continue
            assert not [each for each in modules if each.startswith("dfal_keras.")]


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL_RUNS)
def test_notebook_runs(name, kernel_specs):
    assert SMALL_RUNS[name][2] in printed(run_small(name, kernel_specs))


def run_small(name, kernel_specs):
    """Run a notebook at small sizes, with its assertions, and return it."""
    sizes, check, _ = SMALL_RUNS[name]
    notebook = read(name)
    index = parameters_index(notebook)
    tree = ast.parse(notebook.cells[index].source)
    assert sizes.keys() <= {statement.targets[0].id for statement in tree.body}
    small = "\n".join(f"{size} = {value!r}" for size, value in sizes.items())
    notebook.cells.insert(index + 1, nbformat.v4.new_code_cell(small))
    lines = [line.strip() for line in check.strip().splitlines()]
    notebook.cells.append(nbformat.v4.new_code_cell("\n".join(lines)))

    kernel = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=kernel_specs)
    nbclient.NotebookClient(
        notebook,
        km=kernel,
        timeout=300,
        coalesce_streams=True,
        resources={"metadata": {"path": str(FOLDER)}},
    ).execute()
    return notebook
