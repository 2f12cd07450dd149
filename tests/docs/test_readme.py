"""The README files: code blocks run, commands are tested, numbers come from files."""

import pathlib
import re

import pandas as pd
import pytest
from experiments import studies
from helpers import generated_docs

ROOT = pathlib.Path(__file__).parents[2]
README, REPRODUCE = "README.md", "reproduce/README.md"
STUDY_TABLES = ROOT / "reproduce/results/paper/tables"
DETAILS = [
    str(path.relative_to(ROOT)) for path in sorted((ROOT / "reproduce/pages").iterdir())
]
SITE = [
    str(path.relative_to(ROOT))
    for path in sorted((ROOT / ".github/docs").rglob("*.md"))
    if "repository" not in path.relative_to(ROOT).parts
]
PAGES = [README, REPRODUCE, *DETAILS, ".github/CONTRIBUTING.md", "CHANGELOG.md"]


def read(page):
    return (ROOT / page).read_text()


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", read(page), re.DOTALL)


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


@pytest.mark.parametrize("page", generated_docs.FILES)
def test_generated_tables_are_up_to_date(page):
    """If not, run `PYTHONPATH=reproduce python tests/helpers/generated_docs.py`."""
    text = read(page)
    assert "generated -->" in text
    assert generated_docs.update(text) == text


def check_numbers(text, table):
    """Compare each "5.2" in a text with the mean differences of a study."""
    quoted = [float(number) for number in re.findall(r"\b\d+\.\d\b", text)]
    means = pd.read_csv(table)["mean"].dropna().str.split().str[0].astype(float)
    for number in quoted:
        assert (abs(abs(means) - number) < 0.056).any(), number


WRITTEN = [name for name, each in studies.STUDIES.items() if each.decides != "holm"]


@pytest.mark.parametrize("study", WRITTEN)
def test_numbers_in_the_text_are_in_the_table_of_the_study(study):
    page = read("reproduce/pages/studies.md")
    section = page.split("## Results of the studies")[1].split("\n#")[0]
    found = re.search(rf"- \*\*`{study}`\*\*.*?(?=\n- |\Z)", section, re.DOTALL)[0]
    sentences = re.sub(r"\]\([^)]*\)|[^.]*seconds[^.]*\.[^.]*\.", "", found)
    name = f"study_{study}_mnist-lenet5_differences.csv"
    check_numbers(sentences, STUDY_TABLES / name)


def test_another_number_is_found():
    table = STUDY_TABLES / "study_adversarial_mnist-lenet5_differences.csv"
    check_numbers("by 5.2 points, 4.3 for RANDOM", table)
    with pytest.raises(AssertionError, match=r"5\.4"):
        check_numbers("by 5.4 points", table)


@pytest.mark.parametrize("page", [*PAGES, *SITE])
def test_links_lead_to_files_and_headings(page):
    targets = re.findall(r"\]\(([^)\s]+)\)", read(page))
    for target in targets:
        if target.startswith(("http", "#dfal_keras.")):  # of the reference
            continue
        name, _, heading = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
            anchors = [re.sub(r"[^\w\- ]", "", t).replace(" ", "-") for t in titles]
            assert heading in [anchor.lower() for anchor in anchors], target
