"""The README files: code blocks run, commands are tested, numbers come from files."""

import pathlib
import re

import core_hours
import numpy as np
import pandas as pd
import pytest
from experiments import paper, studies
from experiments.analysis import learning_curves
from helpers import generated_docs

ROOT = pathlib.Path(__file__).parents[2]
README, REPRODUCE = "README.md", "reproduce/README.md"
STUDY_TABLES = ROOT / "reproduce/results/paper/tables"
PAGES = [README, REPRODUCE, ".github/CONTRIBUTING.md", "CHANGELOG.md"]


def read(page):
    return (ROOT / page).read_text()


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", read(page), re.DOTALL)


def test_readme_is_short():
    assert len(read(README).splitlines()) <= 160


@pytest.mark.parametrize(("page", "num_blocks"), [(README, 4), (REPRODUCE, 3)])
def test_python_blocks_print_what_they_show(
    page, num_blocks, capsys, tmp_path, monkeypatch
):
    """All blocks run in one session; lines that begin with `# ` are the output."""
    (tmp_path / "reproduce").symlink_to(ROOT / "reproduce")
    monkeypatch.chdir(tmp_path)
    session = {}
    assert len(blocks(page, "python")) == num_blocks
    for block in blocks(page, "python"):
        exec(compile(block, page, "exec"), session)
        shown = [line[2:] for line in block.splitlines() if line.startswith("# ")]
        assert shown or "Problem(" in block  # a module for `--problem` prints nothing
        assert capsys.readouterr().out.splitlines() == shown


def test_every_command_is_tested_somewhere():
    """Each line of a bash block, and the test or step of CI that runs it."""
    commands = [
        line
        for page in (README, REPRODUCE)
        for block in blocks(page, "bash")
        for line in block.splitlines()
        if line
    ]
    assert set(commands) == set(COMMANDS)
    for test in COMMANDS.values():
        file, _, name = test.partition("::")
        assert name in read(file), test


STORY = "tests/unit/cli/test_labeling_story.py::test_the_documented_commands_as_typed"
COMMANDS = {
    'pip install -e ".[reproduce]" && python reproduce/table1.py': (
        "tests/reproduce/test_table1.py::main("
    ),
    'pip install -e ".[test]" && pytest': '.ci/run::pip install -e ".[test]"',
    "dfal-keras init session/ --pool images/ --classes cat dog owl": STORY,
    "dfal-keras label session/": (
        "tests/unit/labeling/views/test_served_page_in_browsers.py::"
        "test_label_train_and_go_on"
    ),
    "dfal-keras predict session/ --out predictions.csv": STORY,
    "dfal-keras check session/ --num 100": STORY,
    'pip install -e ".[benchmark]" && python reproduce/speed.py --preset paper': (
        "tests/reproduce/test_speed.py::main("
    ),
    "python reproduce/table1.py --strategy dfal random my_module:SmallestLead": (
        "tests/reproduce/test_own_strategy.py::test_table1_with_a_strategy_of_ones_own"
    ),
    "python reproduce/table1.py --problem my_module:digits --strategy dfal core_set "
    "random": (
        "tests/reproduce/test_own_problem.py::"
        "test_table1_of_the_seven_strategies_from_one_command"
    ),
    "dask scheduler --host 127.0.0.1 &": "tests/reproduce/test_cluster.py::as_typed",
    "dask worker tcp://127.0.0.1:8786 --nthreads 1 --nworkers 2 &": (
        "tests/reproduce/test_cluster.py::as_typed"
    ),
    "python reproduce/table1.py --preset paper --cluster tcp://127.0.0.1:8786": (
        "tests/reproduce/test_cluster.py::as_typed"
    ),
}


@pytest.mark.parametrize("page", [README, REPRODUCE])
def test_generated_tables_are_up_to_date(page):
    """If not, run `PYTHONPATH=reproduce python tests/helpers/generated_docs.py`."""
    text = read(page)
    assert "generated -->" in text
    assert generated_docs.update(text) == text


def test_readings_follow_from_the_stored_runs():
    """The sentences on each row of Table 1(a), against the rows of all trials."""
    rows = generated_docs.stored_rows()
    trials, gaps, best = {}, {}, {}
    for strategy in paper.STRATEGIES:
        curve = learning_curves.select(rows, "mnist-lenet5", strategy)
        printed = pd.Series(paper.accuracies("mnist-lenet5", strategy))
        trials[strategy] = curve.loc[printed.index]
        gaps[strategy] = trials[strategy].mean(axis=1) - printed
        best[strategy] = curve.cummax().loc[printed.index].mean(axis=1) - printed
    later = {name: gap[gap.index > 100].abs() for name, gap in gaps.items()}
    over_random = (trials["dfal"] - trials["random"]).min().min()
    lowest = 78.86 - trials["core_set"].loc[100].min()
    egl = trials["egl"].loc[100]
    text = " ".join(read(REPRODUCE).split())
    for sentence in (
        f"DFAL is {gaps['dfal'][100]:.1f} points above the paper at 100 annotations, "
        f"{gaps['dfal'][500]:.1f} at 500, and within 0.1 points later",
        f"by {over_random:.1f} points and more, and above CORE-SET, but for one trial",
        f"RANDOM is {-gaps['random'][100]:.1f} points below the paper at 100 and "
        "within 0.5 later",
        f"CORE-SET is {-gaps['core_set'][100]:.1f} points below it at 100 (one trial "
        f"by {lowest:.1f}) and within 0.6 later",
        f"CEAL is {-gaps['ceal'][100]:.1f} points below it at 100 and within 0.8 later",
        f"BALD is {gaps['bald'][100]:.0f} points above the paper at 100 and "
        f"{later['bald'].min():.1f} to {later['bald'].max():.1f} points later, "
        f"uncertainty {gaps['uncertainty'][100]:.0f} points at 100 and within 0.5",
        f"({egl.min():.0f} to {egl.max():.0f} % at 100). Its mean is "
        f"{-gaps['egl'].max():.0f} to {-gaps['egl'].min():.0f} points below the paper, "
        f"its best so far {-best['egl'].max():.0f} to {-best['egl'].min():.0f} points",
    ):
        assert sentence in text, sentence
    assert (gaps["dfal"][[800, 1000]].abs() < 0.1).all()
    for name, limit in (
        *(("random", 0.5), ("core_set", 0.6), ("ceal", 0.8), ("uncertainty", 0.5)),
        *((name, 0.8) for name in set(later) - {"bald", "egl"}),
    ):
        assert (later[name] <= limit).all(), name
    over_core_set = trials["dfal"] - trials["core_set"]
    assert (over_core_set <= 0).sum(axis=1).tolist() == [0, 1, 0, 0]
    means = pd.DataFrame({name: each.mean(axis=1) for name, each in trials.items()})
    assert (means.idxmax(axis=1) == "dfal").all()
    assert over_random > 0


def test_annotations_to_full_set_accuracy_follow_from_the_stored_runs():
    """Of the trials that were continued beyond 1000 annotations."""
    rows = generated_docs.stored_rows()
    target = learning_curves.target(rows, "mnist-lenet5")
    curves = {
        strategy: learning_curves.longest(
            learning_curves.select(rows, "mnist-lenet5", strategy)
        )
        for strategy in ("dfal", "core_set")
    }
    counts = learning_curves.counts(curves["dfal"], target)["count"]
    assert [list(curve) for curve in curves.values()] == [[1, 2, 3], [1, 2, 3]]
    assert {curve.index[-1] for curve in curves.values()} == {1300}
    best = curves["core_set"].max().max()
    assert best < target
    dfal = curves["dfal"]
    assert learning_curves.num_to_reach(dfal, target) == (1300, False)
    running, is_reached = learning_curves.num_to_reach(dfal.cummax(), target)
    assert is_reached
    text = " ".join(read(REPRODUCE).split())
    for sentence in (
        f"DFAL first reaches {target:.2f} %, our accuracy with all labels less 0.5, at "
        f"{counts.mean():,.0f} annotations in the mean ({counts.min():,.0f} to "
        f"{counts.max():,.0f}; the paper has 1,210)",
        f"CORE-SET reaches it in no trial (at most {best:.2f} %; the paper has 1,810",
        f"raw accuracies reaches {target:.2f} % in no round, that of the best so far "
        f"at {running:,}",
    ):
        assert sentence in text, sentence
    text = " ".join(read(README).split())
    assert f"at {counts.mean():,.0f} annotations" in text


def test_readings_follow_from_the_study():
    """The contributions that README quotes, against the table of differences."""
    stem = "study_adversarial_mnist-lenet5_differences"
    table = STUDY_TABLES / f"{stem}.csv"
    means = pd.read_csv(table, index_col=0)["mean"].str.split(" ").str[0].astype(float)
    without, random, queries, both = means.round(1)
    text = " ".join(read(README).split())
    assert f"contribute {random} to {without} points of mean accuracy" in text
    assert f"its choice of queries {queries} to {both};" in text


def check_intervals(text, tables):
    """Compare each "5.2 [4.0, 6.4]" with the tables of studies, but for the sign."""
    text = " ".join(text.replace("−", "-").split())
    number = r"([+-]?\d+\.\d)"
    quoted = re.findall(rf"{number}[^.\d\[]*\[{number}, {number}\]", text)
    assert len(quoted) == len(re.findall(r"\[[+-]?\d", text)) > 0
    cells = pd.concat(
        pd.read_csv(table, index_col=0).iloc[:, 1:-1].stack() for table in tables
    )
    found = cells.str.extract(r"(\S+) \[(\S+), (\S+)\]").astype(float).dropna()
    stored = found.to_numpy()
    stored = np.concatenate([stored, -stored[:, [0, 2, 1]]])
    for each in quoted:
        assert (abs(stored - np.array(each, float)) < 0.056).all(axis=1).any(), each


@pytest.mark.parametrize("study", studies.STUDIES)
def test_intervals_in_the_text_are_in_the_table_of_the_study(study):
    section = read(REPRODUCE).split("### Results of the studies")[1].split("\n## ")[0]
    found = re.search(rf"- \*\*`{study}`\*\*.*?(?=\n- |\Z)", section, re.DOTALL)
    table = STUDY_TABLES / f"study_{study}_mnist-lenet5_differences.csv"
    assert table.exists() == bool(found)
    if found:
        check_intervals(found[0], [table])


def test_intervals_in_the_readme_are_in_a_table_of_the_studies():
    text = read(README).split("Beyond the paper, ")[1].split("<!--")[0]
    check_intervals(text, STUDY_TABLES.glob("study_*_differences.csv"))


def test_estimates_are_those_of_core_hours():
    text = " ".join(read(REPRODUCE).split("## Durations")[1].split())
    for letter, problem in zip("abcdef", paper.PROBLEMS, strict=True):
        found = re.search(rf"([\d,]+) (core-hours )?for \({letter}\)", text)
        assert found[1] == f"{core_hours.ESTIMATES[problem]:,}"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings(page):
    targets = re.findall(r"\]\(([^)\s]+)\)", read(page))
    for target in targets:
        if target.startswith("http"):
            continue
        name, _, heading = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
            anchors = [re.sub(r"[^\w\- ]", "", t).replace(" ", "-") for t in titles]
            assert heading in [anchor.lower() for anchor in anchors], target


def test_the_map_names_every_module():
    """Each path in the map exists, and each module is in the map."""
    named = set()
    for line in read(".github/CONTRIBUTING.md").split("## Map")[1].splitlines():
        first, *others = re.findall(r"`([\w./]+)`", line.split(" | ")[0]) or [""]
        if line.startswith("| `"):
            named |= {f"{first}{name}" for name in others or [""]}
    modules = {
        path.relative_to(ROOT).as_posix()
        for package in ("dfal_keras", "reproduce")
        for path in (ROOT / package).rglob("*.py")
        if path.name not in ("__init__.py", "__main__.py")
    }
    assert {name for name in named if name.endswith(".py")} == modules
