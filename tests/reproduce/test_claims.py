"""The claims, from made-up rows and tables whose verdicts are known."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from experiments import measured_norms, options, problems
from experiments.analysis import comparisons
from experiments.analysis.claims import accuracy, cases, method, table
from experiments.analysis.claims.cases import Case, Evidence
from experiments.methods import BALD, DFAL, EGL, PRINTED, RANDOM
from experiments.problems import PROBLEMS
from helpers.made_up_rows import LENET5, VGG8, made_up
from scipy import stats

HOLDS, FAILS, UNDECIDED = "holds", "does not hold", "undecided"
NONE = pd.Series(dtype=float)
PANEL, WITH_VGG8 = PROBLEMS[LENET5], PROBLEMS[VGG8]


@pytest.fixture
def evidence(tmp_path):
    def of(*tables):
        none = made_up("dfal", [[90]]).iloc[:0]
        rows = pd.concat(tables) if tables else none
        norms = pd.DataFrame(columns=["strategy", "trial", *measured_norms.COLUMNS])
        return Evidence(rows, tmp_path, norms)

    return of


def curves(strategy, base, spread=0.1, n=5, **place):
    """Trials whose accuracies at 500 and 1000 are about `base`."""
    rng = np.random.default_rng(len(strategy))
    values = base + rng.normal(0, spread, size=(n, 2))
    return made_up(strategy, values, step=500, **place)


# Cases


def test_a_case_of_differences():
    (case,) = cases.of_differences(PANEL, "name", pd.Series([1.0, 2.0, 3.0]), " s")
    assert case.p == pytest.approx(2 * stats.t.sf(2 * 3**0.5, 2))
    assert (case.num_trials, case.supports) == (3, True)
    assert case.outcome.startswith("+2.00 [")
    assert case.outcome.endswith("] s")
    assert cases.of_differences(PANEL, "name", NONE) == []


@pytest.mark.parametrize(
    ("p", "supports", "decided", "expected"),
    [
        (0.04, True, "", HOLDS),
        (0.04, False, "", FAILS),
        (0.05, True, "", UNDECIDED),
        (float("nan"), True, "", UNDECIDED),  # too few trials
        (float("nan"), True, FAILS, FAILS),
    ],
)
def test_the_verdict_of_a_case(p, supports, decided, expected):
    case = Case(PANEL, "name", "", 5, p, supports, decided)
    assert case.verdict(p) == expected


def test_a_difference_contradicts_a_claim_of_none():
    for sign in (1, -1):
        values = sign * pd.Series([2.0, 2.1, 1.9])
        (case,) = cases.of_no_difference(PANEL, "name", values)
        assert case.verdict(0.01) == FAILS
        assert case.verdict(0.5) == UNDECIDED


def test_at_least_some_of_several_differences():
    """p of the partial conjunction, computed by hand."""
    rng = np.random.default_rng(0)
    samples = pd.DataFrame(rng.normal(1, 0.5, size=(5, 6)))
    samples[5] -= 9  # one rival is far above
    (case,) = cases.of_most("name", PANEL, samples, 4)
    p = sorted(stats.ttest_1samp(samples[column], 0).pvalue for column in range(5))
    assert case.p == pytest.approx(min(1, 3 * p[3]))
    assert case.outcome == "above 5 of 6"
    samples[[3, 4]] -= 9
    assert cases.of_most("name", PANEL, samples, 4)[0].p == 1
    assert cases.of_most("name", PANEL, samples[:0], 4) == []
    assert np.isnan(cases.of_most("name", PANEL, samples[:2], 4)[0].p)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([HOLDS, HOLDS], HOLDS),
        ([HOLDS, UNDECIDED], UNDECIDED),
        ([UNDECIDED, FAILS, HOLDS], FAILS),
    ],
)
def test_one_failure_is_enough(verdicts, expected):
    assert cases.combined(verdicts) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.1, 2, HOLDS),
        (-2, -0.1, FAILS),
        (-1, 1, UNDECIDED),
        (0, 1, UNDECIDED),
        (-1, 0, UNDECIDED),
    ],
)
def test_an_interval_that_holds_zero_decides_nothing(low, high, expected):
    assert comparisons.decide(low, high) == expected


# Accuracies


def test_convergence_is_the_area_to_the_last_common_budget(evidence):
    short = made_up("random", [[60, 70]] * 3, step=100)
    long = made_up("dfal", [[70, 80, 99], [71, 81, 99], [69, 79, 99]], step=100)
    (case,) = accuracy.converges_faster(evidence(long, short), PANEL)
    assert case.name == "mean accuracy to 200, DFAL − RANDOM"
    assert case.outcome.startswith("+10.00 [")
    assert case.supports


def test_trials_that_stopped_early_are_left_out(evidence):
    random = pd.concat(
        [
            made_up("random", [[60, 70]] * 3, step=100),
            made_up("random", [[10]], step=100).assign(trial=3),
        ]
    )
    dfal = made_up("dfal", [[70, 80]] * 4, step=100)
    (case,) = accuracy.converges_faster(evidence(dfal, random), PANEL)
    assert case.num_trials == 3


def test_top_three(evidence):
    others = [each.name for each in PRINTED if each is not DFAL]
    rows = [curves(name, 90 + place) for place, name in enumerate(others)]
    (case,) = accuracy.in_the_top_three(evidence(curves("dfal", 94.5), *rows), PANEL)
    assert case.outcome == "above 5 of 6"
    assert case.verdict(case.p) == HOLDS
    (case,) = accuracy.in_the_top_three(evidence(curves("dfal", 92.5), *rows), PANEL)
    assert case.outcome == "above 3 of 6"
    assert case.p == 1


@pytest.mark.parametrize(("base", "expected"), [(90, HOLDS), (96, FAILS)])
def test_below_random(evidence, base, expected):
    found = evidence(curves("random", 93), curves("bald", base))
    (case,) = accuracy.below_random(found, PANEL, method=BALD)
    assert case.verdict(case.p) == expected
    assert accuracy.below_random(found, PANEL, method=EGL) == []


def test_fewer_annotations(evidence):
    full = made_up("full", [[90.5]], step=60_000)
    dfal = made_up("dfal", [[80, 90, 91], [90, 91, 91], [80, 91, 91]])
    core_set = made_up("core_set", [[80, 80, 90]] * 3)
    (case,) = accuracy.fewer_annotations(evidence(full, dfal, core_set), PANEL)
    assert case.name.startswith("annotations to 90.00 %")
    assert case.outcome.startswith("+133.33 [")
    assert case.outcome.endswith(" annotations")
    never = made_up("core_set", [[80, 80, 80]] * 3)
    (case,) = accuracy.fewer_annotations(evidence(full, dfal, never), PANEL)
    assert case.outcome.endswith("annotations at least, as 3 of CORE-SET fall short")
    assert not accuracy.fewer_annotations(evidence(full, never, core_set), PANEL)
    short = made_up("dfal", [[80, 80, 80]] * 3)
    assert not accuracy.fewer_annotations(evidence(full, short, core_set), PANEL)


def test_transfers_are_judged_at_the_last_common_budget(evidence):
    place = {"problem": VGG8, "source": LENET5}
    dfal = made_up("dfal", [[80, 90], [81, 91], [79, 92]], **place)
    random = made_up("random", [[70, 80, 99], [70, 82, 99], [70, 81, 99]], **place)
    (case,) = accuracy.transfers(evidence(dfal, random), WITH_VGG8, DFAL, (RANDOM,))
    assert case.panel is WITH_VGG8
    assert "at 200, DFAL − RANDOM" in case.name
    assert case.outcome.startswith("+10.00 [")
    assert accuracy.transfers(evidence(dfal), WITH_VGG8, DFAL, (RANDOM,)) == []


# Method and cost


def test_a_label_gives_two_samples(evidence):
    rows = made_up("dfal", [[80, 90]])
    (case,) = method.two_samples_a_label(evidence(rows), PANEL)
    assert case.decided == HOLDS
    rows.loc[rows.index[0], "num_labeled"] -= 1
    (case,) = method.two_samples_a_label(evidence(rows), PANEL)
    assert (case.decided, case.outcome) == (FAILS, "1 of 2 rounds")


def test_hyperparameters_are_those_of_dfal(evidence):
    names = ("dfal", "dfal_k100", "dfal_q50", "diverse_dfal", "dfal_p1")
    rows = [
        made_up(name, np.tile(90 + np.arange(3.0)[:, None], 31), step=10)
        for name in names
    ]
    found = method.has_no_hyperparameter(evidence(*rows), PANEL)
    shown = {re.sub(r".*?, (DFAL.*) − DFAL.*", r"\1", each.name) for each in found}
    assert shown == {"DFAL, K = 100", "DFAL, 50 a query", "DFAL, p = 1"}


@pytest.mark.parametrize(("deepfool", "verdict"), [(1.2, HOLDS), (2.0, FAILS)])
def test_the_margin_is_read_from_figure_1(evidence, tmp_path, deepfool, verdict):
    found = evidence()
    assert method.estimates_the_margin(found, None) == []
    (tmp_path / "figures").mkdir()
    column = "median distance / true"
    values = {"DeepFool": deepfool, "nearest of other class": 1.9}
    figure = pd.DataFrame({"scenario": list(values), column: list(values.values())})
    figure.to_csv(tmp_path / "figures/figure1.csv")
    (case,) = method.estimates_the_margin(found, None)
    assert case.decided == verdict


@pytest.mark.parametrize(("ratio", "verdict"), [("1.05", HOLDS), ("1.43", FAILS)])
def test_deepfool_beside_a_minimal_attack(evidence, tmp_path, ratio, verdict):
    (tmp_path / "tables").mkdir()
    lines = {"strategy": ["DFAL", "RANDOM"], "ratio": [f"{ratio} ± 0.01 (n=5)", None]}
    pd.DataFrame(lines).to_csv(tmp_path / "tables/robustness_ddn.csv", index=False)
    (case,) = method.is_competitive(evidence(), PANEL)
    assert case.decided == verdict


def test_robustness_is_paired_by_trial(evidence):
    norms = [
        {"strategy": strategy, "trial": trial, "num_annotations": at, "mean": norm}
        for strategy, means in (("dfal", (1, 1.1, 1.2, 1)), ("random", (1.5, 1.7, 1.6)))
        for trial, mean in enumerate(means)
        for at, norm in ((100, 9), (300, mean))
    ]
    found = dataclasses.replace(evidence(), norms=pd.DataFrame(norms))
    (case,) = method.is_more_robust(found, PANEL)
    assert case.num_trials == 3
    assert case.outcome.startswith("-0.50 [")
    assert case.verdict(0.01) == FAILS


@pytest.mark.parametrize(("lost", "verdict"), [(0.1, FAILS), (0.0, UNDECIDED)])
def test_labels_of_examples(evidence, tmp_path, lost, verdict):
    (tmp_path / "tables").mkdir()
    originals = np.array([0.98, 0.99, 0.97, 0.99])
    noise = np.array([0.001, -0.001, 0.002, -0.002])
    shares = {"examples": originals - lost + noise, "originals": originals}
    pd.DataFrame(shares).to_csv(tmp_path / "tables/examples.csv")
    (case,) = method.keeps_the_label(evidence(), PANEL)
    assert case.num_trials == 4
    assert case.verdict(case.p) == verdict


def test_seconds_of_a_query(evidence):
    rows = [made_up(name, [[80] * 99] * 3, step=10) for name in ("dfal", "core_set")]
    found = evidence(*rows)  # 0.5 and 2 seconds
    (case,) = method.faster_in_the_compact_form(found, PANEL)
    assert case.outcome.startswith("+1.50 [")
    assert case.supports
    late = rows[1]["num_annotations"] >= 900
    rows[1].loc[late, "query_seconds"] += 1
    first, second = method.does_not_slow_down(evidence(*rows), PANEL)
    assert (first.outcome[:5], first.supports) == ("+1.00", True)
    assert (second.outcome[:5], second.p, second.supports) == ("+0.00", 1, False)


def test_table_3_is_read_where_it_is_stored(evidence, tmp_path):
    judges = (
        method.faster_in_the_printed_form,
        method.robustness_costs_time,
    )
    assert [judge(evidence(), None) for judge in judges] == [[], []]
    (tmp_path / "timing").mkdir()
    stored = options.of_preset("paper").timing_folder
    text = (stored / "table3.csv").read_text()
    (tmp_path / "timing/table3.csv").write_text(text)
    assert [len(judge(evidence(), None)) for judge in judges] == [1, 1]
    (case,) = method.faster_in_the_printed_form(evidence(), None)
    assert case.decided == HOLDS
    faster = text.replace("about 1000", "about 0.5")
    (tmp_path / "timing/table3.csv").write_text(faster)
    (case,) = method.faster_in_the_printed_form(evidence(), None)
    assert case.decided == FAILS


@pytest.mark.parametrize(
    ("query", "training", "verdict"),
    [(0.2, 13.0, HOLDS), (14.0, 13.0, FAILS)],
)
def test_a_query_is_fast_beside_its_training(evidence, query, training, verdict):
    assert method.is_fast(evidence(), PANEL) == []
    rows = curves("dfal", 90).assign(query_seconds=query, fit_seconds=training)
    (case,) = method.is_fast(evidence(rows), PANEL)
    assert case.decided == verdict
    assert case.outcome == f"{query:.2f} s, after a training of {training:.0f} s"


# The table


def test_every_claim_has_a_row(evidence):
    shown, lines = table.lay_out(evidence())
    numbers = [int(re.match(r"\d+", number)[0]) for number in shown.index]
    assert sorted(set(numbers)) == list(range(1, 28))
    decided = ~shown["verdict"].str.startswith("not decided here: needs ")
    assert list(shown.index[decided]) == ["19"]  # by the paper's own counts
    assert list(lines.index) == ["19"]


def test_p_is_adjusted_over_all_tested_cases(evidence):
    rows = [curves("dfal", 95), curves("random", 90), curves("bald", 93)]
    shown, lines = table.lay_out(evidence(*rows))
    tested = lines[lines["p (Holm)"] != ""]
    assert len(tested) >= 3
    single = [
        case.p
        for claim in table.CLAIMS
        for case in claim.cases(evidence(*rows))
        if not case.decided
    ]
    smallest = float(tested["p (Holm)"].str.removeprefix("< ").astype(float).min())
    assert smallest >= min(single)
    assert shown.loc["1", "verdict"] == "holds on MNIST (LeNet5) (1 of 6)"


def test_a_verdict_is_not_wider_than_its_panels():
    claim = next(claim for claim in table.CLAIMS if claim.number == "1")
    found = table.conclude(claim, {PANEL: [HOLDS], WITH_VGG8: [HOLDS, FAILS]})
    assert found == ("holds on MNIST (LeNet5); does not hold on MNIST (VGG8) (2 of 6)")
    claim = next(claim for claim in table.CLAIMS if claim.number == "9")
    assert table.conclude(claim, {None: [HOLDS]}) == "holds"
    assert table.conclude(claim, {}) == "not decided here: needs figure1.py"


def test_a_panel_of_fewer_drawings_is_counted_apart(evidence):
    small = "quick_draw_small-lenet5"
    title = problems.get(small).title
    rows = [
        curves(name, base, problem=problem)
        for problem in (LENET5, small)
        for name, base in (("dfal", 95), ("random", 90))
    ]
    claims, found = table.lay_out(evidence(*rows))
    verdict = claims.loc["1", "verdict"]
    assert verdict == (
        f"holds on MNIST (LeNet5), {title} (1 of 6, 1 on fewer drawings)"
    )
    assert "fewer" not in claims.loc["15", "verdict"]
    assert set(found.loc["1", "panel"]) == {"MNIST (LeNet5)", title}
    # The paper's full-set accuracy is that of other data.
    assert title not in set(found.loc[found.index == "22", "panel"])
    by_panel = table.by_panel(found)
    assert by_panel.filter(like="1  DFAL converges", axis=0)[title].item() == HOLDS
    assert title not in table.by_panel(table.lay_out(evidence(*rows[:2]))[1])
