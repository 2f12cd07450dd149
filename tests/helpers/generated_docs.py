"""Tables of the README files that are generated from stored rows and printed numbers.

`PYTHONPATH=reproduce python tests/helpers/generated_docs.py` writes them again, in
README.md and in `reproduce/pages/`, after runs are added. Each stands between two
comments, `<!-- NAME: generated -->` and `<!-- end -->`.
"""

import functools
import pathlib
import re
import textwrap

import pandas as pd
from benchmarks import report
from experiments import options, paper, problems, runs, store
from experiments.analysis import (
    core_hours,
    learning_curves,
    strategy_table,
    study_results,
    tables,
)
from experiments.methods import CORE_SET, DFAL, FULL, PRINTED, RANDOM
from experiments.problems import PROBLEMS
from experiments.studies.controls import (
    COPIES,
    COPIES_DRAWINGS,
    CORE_SET_COPIES,
    DFAL_COPIES,
    RANDOM_COPIES,
)
from experiments.studies.first import DFAL_ALONE, RANDOM_ADVERSARIAL

ROOT = pathlib.Path(__file__).parents[2]
RESULTS = ROOT / "reproduce/results/paper"
FILES = (
    "README.md",
    *(f"reproduce/pages/{name}.md" for name in ("durations", "notes", "protocol")),
)
PROBLEM = PROBLEMS["mnist-lenet5"]
DRAWINGS = problems.get("quick_draw_small-lenet5")
NUM_TRIALS = 5
METHODS = (*PRINTED, FULL)
GAIN = (  # the comparisons of the studies of copies that the README shows
    (DFAL, DFAL_COPIES),
    (DFAL_COPIES, DFAL_ALONE),
    (RANDOM_ADVERSARIAL, RANDOM_COPIES),
    (RANDOM_COPIES, RANDOM),
    (CORE_SET_COPIES, CORE_SET),
    (DFAL_COPIES, CORE_SET_COPIES),
)


@functools.cache
def stored_rows() -> pd.DataFrame:
    """Return the rows of the committed runs of Table 1(a)."""
    wanted = runs.curve_runs(options.of_preset("paper", problems=(PROBLEM,)))
    rows, refused = store.Store(RESULTS / "runs").load(wanted)
    assert not refused, refused
    return rows


def results() -> str:
    """Return the README's table: "paper / ours (ours, best so far)"."""
    rows = stored_rows()
    table = {method.title: accuracies_of(rows, method) for method in PRINTED}
    table["DFAL − RANDOM"] = differences(rows)
    table = pd.DataFrame(table).T.rename_axis("annotations")
    num_runs = len(rows[["strategy", "trial"]].drop_duplicates())
    status = (
        f"{num_runs} of the {len(METHODS) * NUM_TRIALS} runs of\n`python reproduce/"
        f"table1.py --preset paper --problem {PROBLEM}` are stored.\n"
        f"With all 60,000 labels: {full_set(rows)}."
    )
    return f"\n{tables.markdown(table)}\n\n{status}"


def accuracies_of(rows, method) -> dict:
    """Return the cells of one method."""
    raw = learning_curves.select(rows, PROBLEM, method)
    printed = paper.accuracies(PROBLEM, method)
    cells = {
        budget: cell(
            f"{printed[budget]:.2f}",
            learning_curves.at(raw, budget),
            learning_curves.at(raw.cummax(), budget),
        )
        for budget in paper.TABLE1_BUDGETS
    }
    return {"n": num_trials(raw), **cells}


def differences(rows) -> dict:
    """Return DFAL's accuracies less RANDOM's, trial by trial."""
    dfal, random = (
        learning_curves.select(rows, PROBLEM, method) for method in (DFAL, RANDOM)
    )
    printed = {each: paper.accuracies(PROBLEM, each) for each in (DFAL, RANDOM)}
    raw, best = dfal - random, dfal.cummax() - random.cummax()
    raw, best = raw.dropna(axis=1, how="all"), best.dropna(axis=1, how="all")
    cells = {
        budget: cell(
            f"{printed[DFAL][budget] - printed[RANDOM][budget]:+.2f}",
            learning_curves.at(raw, budget),
            learning_curves.at(best, budget),
            sign="+",
        )
        for budget in paper.TABLE1_BUDGETS
    }
    return {"n": num_trials(raw), **cells}


def agreement() -> str:
    """Return our best so far minus the paper's accuracies, in points."""
    rows = stored_rows()
    table = {}
    for method in PRINTED:
        best = learning_curves.select(rows, PROBLEM, method, best_so_far=True)
        printed = paper.accuracies(PROBLEM, method)
        table[method.title] = {
            str(budget): f"{learning_curves.at(best, budget).mean() - accuracy:+.1f}"
            for budget, accuracy in printed.items()
        }
    return tables.markdown(pd.DataFrame(table).T.rename_axis("ours − paper"))


def gain() -> str:
    """Return what the controls of DFAL's gain show, on digits and on drawings."""
    digits = _gain_of(COPIES, PROBLEM).add_prefix("MNIST: ")
    drawings = _gain_of(COPIES_DRAWINGS, DRAWINGS).add_prefix("drawings: ")
    table = pd.concat([digits, drawings], axis=1)
    titles = [COPIES.pair_title(pair) for pair in GAIN]
    table = table.reindex(titles).fillna("").rename_axis("comparison")
    return f"\n{tables.markdown(table)}\n"


def _gain_of(study, problem):
    asked = options.of_preset("paper", problems=(problem,))
    wanted = runs.study_runs(study, asked)
    rows, refused = store.Store(RESULTS / "runs").load(wanted)
    assert not refused, refused
    found = study_results.collect(rows, problem, study, study.budgets)
    table = study_results.difference_table(found)
    return table[["n", "mean", "mean shows"]].rename(columns={"mean shows": "shows"})


def strategies() -> str:
    """Return the table of the strategies that were run, as `which_strategy.py` does."""
    asked = options.of_preset("paper", problems=(PROBLEM,))
    wanted = runs.strategy_runs(asked)
    rows, refused = store.Store(RESULTS / "runs").load(wanted)
    assert not refused, refused
    seconds = report.query_seconds(asked.timing_folder)
    table = strategy_table.lay_out(rows, PROBLEM, seconds)
    return f"\n{tables.markdown(table[strategy_table.was_run(table)])}\n"


def full_set(rows) -> str:
    """Return the accuracy with all training labels, the paper's column "All"."""
    ours = learning_curves.format_mean(learning_curves.full_set(rows, PROBLEM))
    ours = ours or "not run"
    return f"{paper.full_set(PROBLEM):.2f} / {ours}"


def num_trials(table) -> str:
    """Return the number of trials at the budgets shown, a range if it varies."""
    at = table.index.intersection(paper.TABLE1_BUDGETS)
    counts = sorted(set((table.loc[at] if len(at) else table).count(axis=1)))
    return " to ".join(str(count) for count in dict.fromkeys(counts[:1] + counts[-1:]))


def cell(printed, values, best, *, sign="") -> str:
    """Return "paper / mean ± standard deviation (mean of the best so far)"."""
    if values.empty:
        return f"{printed} /"
    text = f"{printed} / {values.mean():{sign}.2f}"
    if len(values) > 1:
        text += f" ± {values.std():.2f}"
    return f"{text} ({best.mean():{sign}.2f})"


def durations() -> str:
    """Return the minutes of one run of Table 1(a), from the shortest to the longest."""
    rows = stored_rows()
    lines = {}
    for method in METHODS:
        name = "all labels" if method is FULL else method.title
        minutes = 60 * core_hours.hours(rows, PROBLEM, method)
        if len(minutes):
            ends = (f"{minutes.min():.0f}", f"{minutes.max():.0f}")
            text = " to ".join(dict.fromkeys(ends))
            lines[name] = {"minutes": text, "n": str(len(minutes))}
    return tables.markdown(pd.DataFrame(lines).T.rename_axis("run"))


def oddities() -> str:
    """Return `paper.ODDITIES` as a table."""
    lines = [f"| {oddity.place} | {oddity.text} |" for oddity in paper.ODDITIES]
    return "\n".join(["| place | |", "|---|---|", *lines])


# Of a section of `speed.py`: its title, the peer as usually written, the peer at its
# best, and how the README names the comparison.
PEERS = (
    (
        "DeepFool",
        "Foolbox",
        "Foolbox, tf.function",
        "`deepfool` runs at {} times the speed of Foolbox's attack",
    ),
    (
        "A DFAL query",
        "Foolbox",
        "Foolbox, tf.function",
        "a DFAL query at {} times that of a query through Foolbox",
    ),
    (
        "Training of a round",
        "model.fit",
        "model.fit, tf.data",
        "`Training` at {} times that of `model.fit`",
    ),
)
TIMINGS = "[all timings](reproduce/results/paper/timing/speed.md)"


def speed_ratios(folder: pathlib.Path = RESULTS / "timing") -> str:
    """Return how many times faster the package is, in one sentence.

    A range covers all ways to use a peer. Without a timing of the peer at its best
    there is no range.
    """
    races = report.summary(report.read(folder))
    spans = []
    for title, peer, best, text in PEERS:
        is_peer = races["beside"].str.startswith(peer)
        rows = races[races["what"].str.startswith(f"{title}: ") & is_peer]
        if (rows["beside"] == best).any():
            ratios = rows["times ours"].astype(float)
            spans.append(text.format(f"{ratios.min():.1f} to {ratios.max():.1f}"))
    if not spans:
        return (
            "`speed.py` times the package beside Foolbox, ART and Keras: see\n"
            f"{TIMINGS}."
        )
    sentences = (
        f"{', '.join(spans)}. Each range goes from the other program's fastest "
        "form to its usual one."
    )
    lines = textwrap.wrap(sentences, 100, break_on_hyphens=False)
    return "\n".join([*lines, f"See {TIMINGS}."])


GENERATED = {
    "agreement": agreement,
    "gain": gain,
    "results": results,
    "strategies": strategies,
    "durations": durations,
    "oddities": oddities,
    "speed": speed_ratios,
}


def update(text: str) -> str:
    """Return a page with its generated parts made again."""

    def replace(found):
        return f"{found[1]}\n{GENERATED[found[2]]()}\n{found[3]}"

    pattern = r"(<!-- (\w+): generated -->)\n.*?(<!-- end -->)"
    return re.sub(pattern, replace, text, flags=re.DOTALL)


if __name__ == "__main__":
    for name in FILES:
        path = ROOT / name
        path.write_text(update(path.read_text()))
