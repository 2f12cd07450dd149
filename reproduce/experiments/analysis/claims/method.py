"""Claims on DeepFool, adversarial examples and cost: Sections 3, 4.2 and 4.3."""

from experiments import paper
from experiments.analysis import comparisons, learning_curves, robustness
from experiments.analysis.claims import cases
from experiments.analysis.claims.cases import Case, Evidence
from experiments.methods import CEAL, CORE_SET, DFAL, RANDOM, Method
from experiments.problems import Problem
from experiments.studies.first import BATCH, K, P
from experiments.studies.study import Study

COMPETITIVE = 1.1  # registered: at most 10 % above a minimal attack
WRONG = 5  # percent, registered: more than these corrupt the training set
EARLY, LATE = (20, 110), (900, 990)  # annotations


def two_samples_a_label(evidence: Evidence, problem: Problem) -> list[Case]:
    """Labeled samples of DFAL's rows, against 2 · annotations − 10."""
    rows = learning_curves.of_series(evidence.rows, problem, DFAL)
    if rows.empty:
        return []
    fits = rows["num_labeled"] == 2 * rows["num_annotations"] - 10
    outcome = f"{fits.sum()} of {len(fits)} rounds"
    return cases.of_fact(problem, "2 · annotations − 10", outcome, holds=fits.all())


def pairs_of_studies(
    evidence: Evidence, problem: Problem, studies: tuple[Study, ...], against: Method
) -> list[Case]:
    """Comparisons of a method with its variants: any difference contradicts."""
    found = []
    for study in studies:
        for pair in study.pairs:
            if pair[1] is not against or pair[0].strategy != against.strategy:
                continue
            one, other = (
                comparisons.curves(evidence.rows, problem, each, study.budgets[-1])
                for each in pair
            )
            differences = comparisons.differences(one, other, ())["area"]
            name = f"mean accuracy to {study.budgets[-1]}, {study.pair_title(pair)}"
            found += cases.of_no_difference(problem, name, differences)
    return found


def has_no_hyperparameter(evidence: Evidence, problem: Problem) -> list[Case]:
    """DFAL with other K, p and sizes of a query, against the protocol's."""
    return pairs_of_studies(evidence, problem, (K, P, BATCH), DFAL)


def estimates_the_margin(evidence: Evidence, _: None) -> list[Case]:
    """Figure 1: estimates of the distance to the boundary, over the true one."""
    table = evidence.table("figures/figure1")
    if table is None:
        return []
    ratios = table.set_index("scenario")["median distance / true"]
    deepfool, nearest = ratios["DeepFool"], ratios["nearest of other class"]
    outcome = f"{deepfool:.2f} (DeepFool), {nearest:.2f} (nearest sample)"
    closer = abs(deepfool - 1) < abs(nearest - 1)
    return cases.of_fact(None, "2-D toy, estimate / true", outcome, holds=closer)


def is_competitive(evidence: Evidence, problem: Problem) -> list[Case]:
    """DeepFool's norms over those of a minimal attack."""
    found = []
    table = evidence.table("tables/robustness_ddn")
    for _, line in [] if table is None else table.iterrows():
        if isinstance(line["ratio"], str):
            ratio = float(line["ratio"].split()[0])
            name = f"mean norm, DeepFool / DDN, networks of {line['strategy']}"
            fits = ratio <= COMPETITIVE
            found += cases.of_fact(problem, name, line["ratio"], holds=fits)
    return found


def is_more_robust(evidence: Evidence, problem: Problem) -> list[Case]:
    """Mean DeepFool norms of test images: DFAL minus RANDOM."""
    differences = robustness.differences(evidence.norms, (DFAL, RANDOM))
    name = f"mean norm at {robustness.DECIDING}, DFAL − RANDOM"
    return cases.of_differences(problem, name, differences)


def keeps_the_label(evidence: Evidence, problem: Problem) -> list[Case]:
    """Labels of adversarial examples, minus those of their originals, by a network."""
    table = evidence.table("tables/examples")
    if table is None:
        return []
    name = "share with the original's label, examples − originals (points)"
    differences = 100 * (table["examples"] - table["originals"])
    return cases.of_no_difference(problem, name, differences)


def corrupts_the_labels(evidence: Evidence, problem: Problem) -> list[Case]:
    """The share of wrong labels among CEAL's pseudo-labels, minus `WRONG` percent."""
    table = evidence.table("tables/pseudo_labels")
    if table is None:
        return []
    name = f"wrong pseudo-labels of CEAL (%), minus {WRONG}"
    shares = 100 * table["wrong"] / table["labels"]
    return cases.of_differences(problem, name, shares - WRONG, "")


def uses_less_of_the_pool(_: Evidence, problem: Problem) -> list[Case]:
    """The paper's own counts of Table 2(a), as shares of the 60,000 images."""
    counts = paper.counts(problem)
    dfal, ceal = (counts[each.name][1].value / 60_000 for each in (DFAL, CEAL))
    outcome = f"DFAL {dfal:.1%}, CEAL {ceal:.1%}, as Table 2 prints"
    return cases.of_fact(problem, "labeled data", outcome, holds=dfal <= 0.02)


def faster_in_the_printed_form(evidence: Evidence, _: None) -> list[Case]:
    """Table 3: CORE-SET's program as printed, extrapolated, against DFAL."""
    line = _of_table3(evidence, "CORE-SET literal, with regularisation")
    if line is None:
        return []
    ratio = str(line["ours / DFAL"])
    outcome = f"CORE-SET takes {ratio} times as long"
    longer = float(ratio.removeprefix("about ")) > 1
    return cases.of_fact(None, "a query of 10 from 800", outcome, holds=longer)


def faster_in_the_compact_form(evidence: Evidence, problem: Problem) -> list[Case]:
    """Median seconds of a query: CORE-SET minus DFAL."""
    seconds = [
        learning_curves.query_seconds(evidence.rows, problem, each)
        for each in (CORE_SET, DFAL)
    ]
    if any(each.empty for each in seconds):
        return []
    medians = [each.median() for each in seconds]
    name = "seconds of a query, CORE-SET − DFAL"
    return cases.of_differences(problem, name, (medians[0] - medians[1]).dropna(), " s")


def is_fast(evidence: Evidence, problem: Problem) -> list[Case]:
    """Median seconds of a query of DFAL, beside those of the training before it."""
    seconds = learning_curves.query_seconds(evidence.rows, problem, DFAL)
    if seconds.empty or "fit_seconds" not in evidence.rows:
        return []
    query = seconds.stack().median()
    training = learning_curves.of_series(evidence.rows, problem, DFAL)["fit_seconds"]
    outcome = f"{query:.2f} s, after a training of {training.median():.0f} s"
    fast = query < training.median()
    return cases.of_fact(problem, "seconds of a query", outcome, holds=fast)


def robustness_costs_time(evidence: Evidence, _: None) -> list[Case]:
    """Table 3: the program with and without outliers, which are none at this size."""
    with_outliers, without = (
        _of_table3(evidence, f"CORE-SET compact, {end} regularisation")
        for end in ("with", "no")
    )
    if with_outliers is None or without is None:
        return []
    times = [float(line["ours (s)"]) for line in (with_outliers, without)]
    outcome = f"{times[0]} against {times[1]} s: the same program below n = 10,000"
    return cases.of_fact(None, "compact form", outcome, holds=times[0] > times[1])


def does_not_slow_down(evidence: Evidence, problem: Problem) -> list[Case]:
    """Seconds of late minus early queries: DFAL's, and CORE-SET's."""
    found = []
    for method in (CORE_SET, DFAL):
        seconds = learning_curves.query_seconds(evidence.rows, problem, method)
        if seconds.empty or seconds.index[-1] < LATE[0]:
            continue
        late = seconds.loc[LATE[0] : LATE[1]].median()
        differences = (late - seconds.loc[EARLY[0] : EARLY[1]].median()).dropna()
        name = "seconds of a query at {} to {} − at {} to {}, ".format(*LATE, *EARLY)
        name += method.title
        case = cases.of_no_difference if method is DFAL else cases.of_differences
        found += case(problem, name, differences)
    return found


def _of_table3(evidence, method):
    """Return the line of a method with 100 labeled samples, `None` without it."""
    table = evidence.table("timing/table3")
    if table is None:
        return None
    lines = table[(table["labeled"] == 100) & (table["method"] == method)]
    return lines.iloc[0] if len(lines) else None
