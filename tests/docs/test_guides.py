"""The pages of the site: samples of the guides run, and every study has a section."""

import pathlib
import re

import matplotlib
import pytest
from experiments import problems
from experiments.studies import STUDIES

matplotlib.use("Agg")

import matplotlib.pyplot as plt

FOLDER = pathlib.Path(__file__).parents[2] / ".github" / "docs"
LONG = ("first_query", "your_data")  # guides whose samples take long
GUIDES = sorted((FOLDER / "guides").glob("*.md"))
WITHOUT_PYTHON = ["clusters_and_gpus", "index", "reproduce", "strategies"]


def blocks(path):
    return re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL)


def run(path, folder, capsys, monkeypatch):
    """Run the blocks of a page in one session; lines from `# ` on are the output."""
    monkeypatch.chdir(folder)
    session = {"__name__": "guide"}
    for block in blocks(path):
        exec(compile(block, path.name, "exec"), session)
        shown = [line[2:] for line in block.splitlines() if line.startswith("# ")]
        assert capsys.readouterr().out.splitlines() == shown, block
    plt.close("all")


def test_which_guides_have_samples():
    without = [path.stem for path in GUIDES if not blocks(path)]
    assert without == WITHOUT_PYTHON


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=pytest.mark.slow) if path.stem in LONG else path
        for path in GUIDES
        if blocks(path)
    ],
    ids=lambda path: path.stem,
)
def test_the_samples_of_a_guide_run(path, tmp_path, capsys, monkeypatch):
    run(path, tmp_path, capsys, monkeypatch)


@pytest.mark.slow
def test_the_sample_of_the_front_page_runs(tmp_path, capsys, monkeypatch):
    assert len(blocks(FOLDER / "index.md")) == 1
    run(FOLDER / "index.md", tmp_path, capsys, monkeypatch)


def test_a_sample_that_prints_something_else_is_found(tmp_path, capsys, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1 + 1)\n# 3\n```\n")
    with pytest.raises(AssertionError):
        run(page, tmp_path, capsys, monkeypatch)


def test_every_study_has_a_section():
    """Of the problem that it was registered for."""
    page = (FOLDER / "results" / "studies.md").read_text()
    shown = re.findall(r"```{study} (\S+)", page)
    wanted = {
        f"{name}_{problems.get(study.problem).file_name}"
        for name, study in STUDIES.items()
    }
    assert wanted <= set(shown)
    assert len(shown) == len(set(shown))
