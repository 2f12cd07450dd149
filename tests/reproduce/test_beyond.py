"""The studies: registered comparisons, and their tables and figures."""

import pathlib
import re

import beyond
import numpy as np
import pandas as pd
import pytest
from experiments import problems, runs, store, studies
from experiments.analysis import (
    comparisons,
    plots,
    study_figure,
    study_results,
)
from experiments.methods import DFAL
from experiments.options import make_parser, parse
from experiments.studies import METHODS, STUDIES
from experiments.studies.controls import COPIES, COPIES_1000
from experiments.studies.newer import NEWER
from helpers.made_up_rows import made_up
from helpers.stored_runs import store_rows
from scipy import stats

ROOT = pathlib.Path(__file__).parents[2]
MNIST = problems.get("mnist-lenet5")
NAME = "study_adversarial_mnist-lenet5"
REGISTERED = (ROOT / "reproduce/pages/studies.md").read_text()
REGISTERED = REGISTERED.split("\n## Results of the studies")[0]


@pytest.mark.parametrize("name", STUDIES)
def test_pairs_are_distinct_runs_of_the_study(name):
    study = STUDIES[name]
    assert len(set(study.methods)) == len(study.methods)
    assert len(set(study.pairs)) == len(study.pairs)
    for one, other in study.pairs:
        assert one != other
        assert {one, other} <= set(study.methods)
    if study.panels:
        shown = [method for panel in study.panels for method in panel]
        assert sorted(map(str, shown)) == sorted(map(str, study.methods))
    assert set(study.num_trials) <= set(study.methods)
    for method in study.methods:
        assert METHODS[method.name] is method  # no name is there twice
        for budget in study.budgets:  # reached by whole queries
            assert method.last_budget(budget) == budget


def _pairs(text):
    """Return the pairs of "a - b, c - d"."""
    return [tuple(pair.split(" - ")) for pair in text.split(", ")]


# One minus the other, as the tables in reproduce/pages/studies.md register them.
REGISTERED_PAIRS = {
    "batch": _pairs(
        "dfal_q1 - dfal, dfal_q50 - dfal, dfal_q100 - dfal, "
        "diverse_dfal_q50 - diverse_dfal, diverse_dfal_q100 - diverse_dfal, "
        "core_set_q1 - core_set, core_set_q50 - core_set, core_set_q100 - core_set, "
        "diverse_dfal - dfal, diverse_dfal_q50 - dfal_q50, "
        "diverse_dfal_q100 - dfal_q100, diverse_dfal - core_set, "
        "diverse_dfal_q50 - core_set_q50, diverse_dfal_q100 - core_set_q100"
    ),
    "k": _pairs(
        "dfal_k100 - dfal, dfal_k1000 - dfal, dfal_k10000 - dfal, dfal_pool - dfal"
    ),
    "p": _pairs("dfal_p1 - dfal, dfal_pinf - dfal"),
    "adversarial": _pairs(
        "dfal - dfal_no_adversarial, random_adversarial - random, "
        "dfal_no_adversarial - random, dfal - random_adversarial"
    ),
    "pseudo": _pairs("cost_effective_dfal - dfal, cost_effective_dfal - ceal"),
    "copies": _pairs(
        "dfal - dfal_copies, dfal_copies - dfal_no_adversarial, "
        "random_adversarial - random_copies, random_copies - random, "
        "dfal_copies - random_copies, dfal_no_adversarial - random, "
        "dfal_noise - dfal_copies, random_noise - random_copies, "
        "core_set_noise - core_set_copies, core_set_copies - core_set, "
        "core_set_adversarial - core_set_copies, dfal_copies - core_set_copies"
    ),
    "split": _pairs(
        "dfal_grouped - dfal, random_copies_grouped - random_copies, "
        "random_copies_grouped - random"
    ),
    "steps": _pairs(
        "random_twice - random, random_twice - random_copies, "
        "dfal_no_adversarial_twice - dfal_no_adversarial, "
        "dfal_no_adversarial_twice - dfal_copies"
    ),
    "copies_1000": _pairs(
        "dfal - dfal_copies, dfal_copies - dfal_no_adversarial, dfal_copies - random, "
        "dfal_no_adversarial - random"
    ),
    "copies_drawings": _pairs(
        "dfal - dfal_copies, dfal_copies - dfal_no_adversarial, "
        "random_copies - random, core_set_copies - core_set, "
        "dfal_copies - core_set_copies, dfal_copies - random_copies, "
        "dfal_no_adversarial - random"
    ),
    "newer": _pairs(
        "dfal_copies - badge_copies, dfal_copies - margin_copies, "
        "dfal_copies - typiclust_copies, dfal_copies - prob_cover_copies, "
        "dfal_copies - max_herding_copies, dfal_copies - batch_bald_copies, "
        "dfal_copies - falcun_copies, "
        "dfal_no_adversarial - badge, dfal_no_adversarial - margin, "
        "dfal_no_adversarial - typiclust, dfal_no_adversarial - prob_cover, "
        "dfal_no_adversarial - max_herding, dfal_no_adversarial - batch_bald, "
        "dfal_no_adversarial - falcun, "
        "dfal - badge_copies, dfal - margin_copies, dfal - typiclust_copies, "
        "dfal - prob_cover_copies, dfal - max_herding_copies, "
        "dfal - batch_bald_copies, dfal - falcun_copies"
    ),
    "newer_core_set": _pairs(
        "core_set_copies - badge_copies, core_set_copies - margin_copies, "
        "core_set_copies - typiclust_copies, core_set_copies - prob_cover_copies, "
        "core_set_copies - max_herding_copies, core_set_copies - batch_bald_copies, "
        "core_set_copies - falcun_copies, "
        "core_set - badge, core_set - margin, core_set - typiclust, "
        "core_set - prob_cover, core_set - max_herding, core_set - batch_bald, "
        "core_set - falcun"
    ),
    "large": [
        (f"power_dfal_copies_q{size}", f"{other}_q{size}")
        for size in (50, 100)
        for other in (
            *("dfal_copies", "diverse_dfal_copies", "core_set_copies"),
            *("power_margin_copies", "badge_copies", "typiclust_copies"),
        )
    ],
    "augmented": _pairs(
        "dfal_copies - random_copies, dfal - dfal_copies, random_copies - random, "
        "dfal - random"
    ),
    **dict.fromkeys(
        ("imbalanced", "noisy"),
        _pairs(
            "dfal_copies - badge_copies, dfal_copies - margin_copies, "
            "dfal_copies - core_set_copies, dfal_copies - random_copies"
        ),
    ),
}


def test_the_registered_pairs_and_their_signs():
    found = {
        name: [(one.name, other.name) for one, other in study.pairs]
        for name, study in STUDIES.items()
    }
    assert found == REGISTERED_PAIRS


def test_the_registration_names_every_study():
    assert set(re.findall(r"^\| `(\w+)`", REGISTERED, re.MULTILINE)) == set(STUDIES)
    for study in STUDIES.values():
        assert study.question in REGISTERED


def test_the_registered_numbers_of_comparisons_and_trials():
    """As registered: 26, then 12, 3, 4, 4, 7, and those of the newer strategies."""
    families = {}
    for study in STUDIES.values():
        family = [each.name for each in studies.family_of(study)]
        families[family[0]] = sum(len(STUDIES[name].pairs) for name in family)
        assert study.decides == ("interval" if family[0] == "batch" else "holm")
    assert list(families.values()) == [26, 12, 3, 4, 4, 7, 21, 14, 12, 4, 4, 4]
    names = {name: study.problem for name, study in STUDIES.items()}
    assert names.pop("copies_drawings") == "quick_draw_small-lenet5"
    assert names.pop("augmented") == "mnist-augmented_lenet5"
    assert names.pop("imbalanced") == "mnist_imbalanced-lenet5"
    assert names.pop("noisy") == "mnist_noisy-lenet5"
    assert set(names.values()) == {"mnist-lenet5"}
    many = [each for each in COPIES.methods if COPIES.trials_of(each, 5, MNIST) == 20]
    assert sorted(map(str, many)) == [
        *("dfal", "dfal_copies", "dfal_no_adversarial"),
        *("random", "random_adversarial", "random_copies"),
    ]
    pairs = [
        pair for pair in COPIES.pairs if COPIES.registered_trials(pair, MNIST) == 20
    ]
    assert pairs == list(COPIES.pairs[:6])
    assert COPIES.trials_of(DFAL, 1, MNIST) == 1  # of the preset quick
    assert COPIES_1000.trials_of(DFAL, 5, MNIST) == 5
    of_ten = [p for p in NEWER.pairs if NEWER.registered_trials(p, MNIST) == 10]
    assert [[method.name for method in pair] for pair in of_ten] == [
        ["dfal_copies", f"{name}_copies"] for name in ("badge", "margin", "falcun")
    ]
    drawings = problems.get("quick_draw_small-lenet5")
    assert {NEWER.registered_trials(pair, drawings) for pair in NEWER.pairs} == {5}


@pytest.mark.parametrize(
    ("name", "budget", "reached"),
    [
        ("k", 1000, (100, 200, 300)),
        ("k", 100, (100,)),
        ("k", 20, (20,)),
        ("batch", 1000, (110, 210, 310)),
        ("batch", 200, (110, 210)),
        ("batch", 100, (110,)),
    ],
)
def test_budgets_of_a_study(name, budget, reached):
    assert STUDIES[name].reached(budget) == reached


def test_runs_of_another_query_size_stop_at_the_same_budget():
    arguments = ["--strategy", *map(str, STUDIES["batch"].methods), "--trials", "2"]
    options = parse(make_parser(""), [*arguments, "--budget", "310"])
    wanted = runs.learning_runs(options)
    assert len(wanted) == 24
    assert {run.budgets(options) for run in wanted} == {(310,)}
    assert str(wanted[0]) == "mnist-lenet5_dfal_q1_0"


@pytest.fixture
def output(tmp_path):
    """Made-up runs: adversarial examples bring 4, 5 or 6 points."""
    kept = store.Store(tmp_path / "runs")
    curves = {
        "dfal": [[80, 90, 94], [81, 91, 95], [82, 92, 96]],
        "dfal_no_adversarial": [[76, 86, 90], [76, 86, 90], [76, 86, 90]],
        "random": [[70, 80, 90]],
    }
    for strategy, trials in curves.items():
        for trial, curve in enumerate(trials):
            run = runs.Run.named("mnist-lenet5", strategy, trial)
            store_rows(kept, run, made_up(strategy, [curve], step=100))
    return tmp_path


def main(*arguments):
    return beyond.main(["--preset", "paper", *map(str, arguments)])


def test_a_study_from_stored_runs(output, capsys):
    assert main("--study", "adversarial", "--stored", "--output", output) == 0
    shown = capsys.readouterr().out
    table = pd.read_csv(output / f"tables/{NAME}.csv", index_col=0)
    assert table.loc["DFAL", "n"] == 3
    assert table.loc["DFAL", "300"] == "95.00 ± 1.00"
    assert table.loc["RANDOM", "100"] == "70.00"
    assert table.loc["RANDOM with adversarial examples"].isna().all()
    table = pd.read_csv(output / f"tables/{NAME}_differences.csv", index_col=0)
    line = table.loc["DFAL − DFAL without adversarial examples"]
    # Student's quantile of two degrees of freedom is 4.303.
    half = 4.3026527 / 3**0.5
    expected = f"+5.00 [{5 - half:+.2f}, {5 + half:+.2f}]"
    assert (line[["mean", "100", "200", "300"]] == expected).all()
    assert line["mean shows"] == "higher"
    line = table.loc["DFAL without adversarial examples − RANDOM"]
    assert (line["n"], line["300"], line["100"]) == (1, "+0.00", "+6.00")
    assert pd.isna(line["mean shows"])
    assert pd.isna(table.loc["DFAL − RANDOM with adversarial examples", "n"])
    assert expected in shown
    # Two of the family's 26 comparisons were run: p = 0.0131 and an undefined one.
    p = 2 * (1 - stats.t.cdf(5 * 3**0.5, 2))
    line = table.loc["DFAL − DFAL without adversarial examples"]
    assert float(line["p (Holm)"]) == pytest.approx(26 * p, rel=0.05)
    assert float(line["smallest shown"]) == pytest.approx(half, abs=0.05)
    notes = (output / f"tables/{NAME}_differences.md").read_text()
    assert "Student's t" in notes
    for suffix in ("png", "pdf"):
        assert (output / f"figures/{NAME}.{suffix}").stat().st_size


def test_a_study_without_any_run_says_so(tmp_path, capsys):
    assert main("--study", "p", "--stored", "--output", tmp_path) == 0
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert "Nothing is stored: --study p" in capsys.readouterr().out


def test_a_study_without_a_comparison_is_not_written(tmp_path, capsys):
    run = runs.Run.named("mnist-lenet5", "dfal_p1", 0)
    store_rows(store.Store(tmp_path / "runs"), run, made_up("dfal_p1", [[60, 70, 80]]))
    assert main("--study", "p", "--stored", "--output", tmp_path) == 0
    shown = capsys.readouterr().out
    assert "No comparison has both of its runs, only: DFAL, p = 1" in shown
    assert {path.parent.name for path in tmp_path.rglob("*.*")} == {"runs"}


@pytest.mark.parametrize("name", STUDIES)
def test_the_figure_tells_all_strategies_apart(name, monkeypatch, tmp_path):
    study, drawn = STUDIES[name], []
    monkeypatch.setattr(plots, "save", lambda figure, path: drawn.append(figure))
    curves = {
        method: pd.DataFrame({0: [50.0, 90.0], 1: [60.0, 95.0]}, index=[10, 310])
        for method in study.methods
    }
    pairs = {
        study.pair_title(pair): comparisons.differences(*map(curves.get, pair), (310,))
        for pair in study.pairs
    }
    found = study_results.StudyResults(study, (310,), curves, {}, pairs)
    study_figure.draw(found, study.question, tmp_path / "figure")
    *panels, differences = drawn[0].axes
    shown = []
    for panel in panels:
        lines = [line for line in panel.lines if not line.get_label().startswith("_")]
        styles = {(line.get_color(), line.get_linestyle()) for line in lines}
        labels = [" ".join(line.get_label().split()) for line in lines]
        assert len(styles) == len(set(labels)) == len(lines)
        assert len(panel.collections) == (0 if len(lines) > 6 else len(lines))  # bands
        for line, label in zip(lines, labels, strict=True):
            for own, color in plots.COLORS.items():  # as in Figure 2
                if label == f"{study.title_of(own)} (n=2)":
                    assert (line.get_color(), line.get_linestyle()) == (color, "-")
        legend = panel.get_legend() or drawn[0].legends[0]
        assert len(legend.texts) == len(lines)
        shown += labels
    assert len(panels) == max(1, len(study.panels))
    assert len(set(shown)) == len(shown) == len(study.methods)
    assert len(differences.get_yticklabels()) == len(study.pairs)


@pytest.mark.parametrize(
    ("name", "title"),
    [("k", "DFAL, K = 300"), ("p", "DFAL, p = 2"), ("batch", "DFAL, 10 a query")],
)
def test_a_study_says_what_its_methods_have(name, title):
    study = STUDIES[name]
    assert study.title_of(DFAL) == title
    pair = next(pair for pair in study.pairs if DFAL in pair)
    assert title in study.pair_title(pair)
    titles = [study.title_of(method) for method in study.methods]
    assert len(set(titles)) == len(titles)
    assert STUDIES["adversarial"].title_of(DFAL) == DFAL.title


def test_strategies_without_trials_are_not_drawn():
    curve = pd.DataFrame({0: [50.0, 90.0], 1: [60.0, 95.0]}, index=[10, 310])
    none = curve.iloc[:, :0]
    left, right = plots.plt.figure().subplots(1, 2)
    study_figure.draw_curves(left, {DFAL: none, DFAL.of_size(1): curve})
    (line,) = left.lines
    assert line.get_label() == "DFAL, 1 a query (n=2)"
    pairs = {
        "without trials": comparisons.differences(none, curve, (310,)),
        "with trials": comparisons.differences(curve, curve, (310,)),
    }
    study_figure.draw_differences(right, pairs)
    assert [text.get_text() for text in right.get_yticklabels()] == ["with trials"]
    plots.plt.close(left.figure)


def test_a_dry_run_lists_the_runs_of_every_study(output, capsys):
    arguments = ["--dry-run", "--trials", "1", "--output", output]
    assert main("--study", "adversarial", "batch", *arguments) == 0
    first, second = capsys.readouterr().out.split("batch:\n")
    assert first.startswith("adversarial:\n")
    assert "mnist-lenet5_random_adversarial_0: from 0 to 300 annotations" in first
    assert "1 of 4 runs to do" in first
    assert "mnist-lenet5_dfal_q100_0: from 0 to 310 annotations" in second
    assert "mnist-lenet5_dfal_0: from 300 to 310 annotations" in second
    assert "12 of 12 runs to do" in second
    assert not list(output.glob("tables/*"))


def test_strategies_of_ones_own_are_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        main("--strategy", "random")
    assert stopped.value.code == 2
    assert "the strategies follow from --study" in capsys.readouterr().err


def test_an_adjusted_p_decides_once_all_trials_are_there(tmp_path, capsys):
    """20 trials are registered for DFAL and its copies, five for grouped splits."""
    kept = store.Store(tmp_path / "runs")
    rng = np.random.default_rng(0)
    for trial in range(20):
        base = rng.normal(90, 1)
        for strategy, gain in (("dfal", 3), ("dfal_copies", 0), ("dfal_grouped", 3)):
            if trial < 5 or strategy != "dfal_grouped":
                curve = [gain + base + rng.normal(0, 0.1) for _ in range(3)]
                run = runs.Run.named("mnist-lenet5", strategy, trial)
                store_rows(kept, run, made_up(strategy, [curve], step=100))

    def read(study):
        assert main("--study", study, "--stored", "--output", tmp_path) == 0
        path = tmp_path / f"tables/study_{study}_mnist-lenet5_differences.csv"
        return pd.read_csv(path, index_col=0)

    line = read("copies").loc["DFAL − DFAL with copies"]
    assert (line["n"], line["mean shows"]) == (20, "higher")
    line = read("split").loc["DFAL, grouped split − DFAL"]
    assert (line["n"], line["mean shows"]) == (5, "no difference shown")
    for path in (tmp_path / "runs").glob("*dfal_copies_19.*"):
        path.unlink()
    line = read("copies").loc["DFAL − DFAL with copies"]
    assert (line["n"], line["mean shows"]) == (19, "19 of 20 trials")
    assert float(line["p (Holm)"].split()[-1]) < 0.05  # it would have decided


@pytest.mark.slow
def test_a_study_is_run(tmp_path):
    options = ["--study", "adversarial", "--budget", "20", "--jobs", "1"]
    assert beyond.main([*options, "--output", str(tmp_path)]) == 0
    table = pd.read_csv(tmp_path / f"tables/{NAME}.csv", index_col=0)
    assert (table["n"] == 1).all()
    assert table["20"].between(15, 75).all()
    assert (tmp_path / f"figures/{NAME}.png").exists()
