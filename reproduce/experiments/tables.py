"""Tables 1, 2 and 4: the paper's numbers beside ours, as functions of stored rows."""

import re

import pandas as pd

from experiments import learning_curves, paper, protocol, store
from experiments.problems import PROBLEMS
from experiments.runs import FULL

_MAXIMA = (
    "The paper's accuracies are very probably running maxima (14 of the 42 rows of "
    "its Table 1 have exact plateaus, one of 126 steps decreases): compare them with "
    '"best so far", the mean over trials of each trial\'s running maximum. Those on '
    "Shoe-Bag are very probably of single trials: all are multiples of 1/4000, one "
    "test image; means of five trials would be multiples of 1/20000."
)
_OURS = "Ours: mean ± standard deviation over n trials; what was not run is blank."
COMPARING = {  # what to know before comparing with the paper's numbers
    "Table 1": f"{_OURS} {_MAXIMA}",
    "Table 2": (
        "Ours: n trials, those that went on as far as the farthest of their strategy. "
        '"mean": where the mean curve reaches the target; "mean of best so far": '
        'where the mean of the running maxima does; "trial by trial": mean ± '
        "standard deviation of where each trial first does, which is the same for "
        "both. >= where the last budget that was run does not reach it. " + _MAXIMA
    ),
    "Table 4": (
        f'{_OURS} "best so far" is over the numbers of annotations that were '
        "transferred, the paper's over every round. " + _MAXIMA
    ),
    "Figure 2": (
        "Lines and bands: ours, mean ± standard deviation over n trials of the raw "
        "accuracy, as far as every trial has got. Open circles: the paper's printed "
        "values (Table 1), shifted sideways so that none hides another. " + _MAXIMA
    ),
    "Figure 3": (
        "Lines and bands: ours, mean ± standard deviation over n trials of the raw "
        "accuracy. Open circles: the paper's printed values (Table 4), "
        "shifted sideways so that none hides another. " + _MAXIMA
    ),
}


def table1(rows: pd.DataFrame, problem: str, budgets, *, full=False) -> pd.DataFrame:
    """Return one panel of Table 1, in percent; cells not run are blank.

    Args:
        rows: Rows of the run store.
        problem: The panel.
        budgets: Numbers of annotations to show.
        full: Whether to show the column "All", the full training set.

    Returns:
        A row for each strategy; for each budget the paper's accuracy, ours (mean ±
        standard deviation over trials) and ours by the best so far.
    """
    table = {}
    for budget in budgets:
        printed, ours, best = {}, {}, {}
        for strategy, name in learning_curves.strategies(rows).items():
            printed[name] = _printed(budget, problem, strategy)
            for column, so_far in ((ours, False), (best, True)):
                accuracies = learning_curves.select(
                    rows, problem, strategy, best_so_far=so_far
                )
                column[name] = learning_curves.spread(
                    learning_curves.at(accuracies, budget)
                )
        table[f"{budget}: paper"] = printed
        table[f"{budget}: ours"] = ours
        table[f"{budget}: ours, best so far"] = best
    if full:
        everything = learning_curves.select(rows, problem, FULL)
        table["All: paper"] = {"RANDOM": f"{paper.TABLE1_ALL[problem]:.2f}"}
        last = everything.iloc[-1] if len(everything) else pd.Series(dtype=float)
        table["All: ours"] = {"RANDOM": learning_curves.spread(last)}
    return pd.DataFrame(table).fillna("").rename_axis("annotations")


def target(rows: pd.DataFrame, problem: str) -> float:
    """Return the accuracy that Table 2 is for.

    Ours on the full training set, if it was run, else the paper's; less the paper's
    tolerance.
    """
    everything = learning_curves.select(rows, problem, FULL)
    full = (
        everything.iloc[-1].mean() if len(everything) else paper.TABLE2_TARGET[problem]
    )
    return full - protocol.TOLERANCE


def table2(rows: pd.DataFrame, problem: str) -> tuple:
    """Return one panel of Table 2, and the target accuracy that it is for.

    Ours are of the trials that went on as far as the farthest of their strategy.
    """
    aim = target(rows, problem)
    table = {}
    for strategy, name in learning_curves.strategies(rows).items():
        printed = paper.TABLE2[problem].get(strategy, ("", ""))
        annotations, labeled = {}, {}
        for so_far in (False, True):
            accuracies = learning_curves.farthest(
                learning_curves.select(rows, problem, strategy, best_so_far=so_far)
            )
            count, reached = learning_curves.num_to_reach(accuracies, aim)
            annotations[so_far] = labeled[so_far] = ""
            if count is not None:
                sign = "" if reached else ">= "
                annotations[so_far] = f"{sign}{count} (n={accuracies.shape[1]})"
                sizes = learning_curves.num_labeled(rows, problem, strategy, count)
                sizes = sizes[accuracies.columns]
                labeled[so_far] = f"{sign}{learning_curves.spread(sizes, digits=0)}"
        trials = learning_curves.counts(accuracies, aim)
        table[name] = {
            "annotations: paper": _count(printed[0]),
            "annotations: ours, mean": annotations[False],
            "annotations: ours, mean of best so far": annotations[True],
            "annotations: ours, trial by trial": learning_curves.spread_of_counts(
                trials
            ),
            "labeled data: paper": _count(printed[1]),
            "labeled data: ours, mean": labeled[False],
            "labeled data: ours, mean of best so far": labeled[True],
        }
    return pd.DataFrame(table).T.rename_axis("strategy"), aim


def table4(rows: pd.DataFrame, pairs: list, budgets) -> pd.DataFrame:
    """Return Table 4: one network trained on another's choice.

    Args:
        rows: Rows of the run store.
        pairs: The (source, target) problems.
        budgets: Numbers of annotations; those at which nothing was run are left out,
            but not the paper's 1000.
    """
    lines = []
    last = paper.TABLE1_BUDGETS[-1]
    for source, target in pairs:
        transfer = f"{paper.PROBLEM_NAMES[source]} to {PROBLEMS[target].network}"
        for budget in sorted({*budgets, last}):
            line = {"transfer": transfer, "annotations": budget}
            for strategy in protocol.TRANSFERRED:
                name = paper.STRATEGY_NAMES[strategy]
                line[f"{name}: paper"] = _printed(budget, target, strategy, source)
                for heading, so_far in (("ours", False), ("ours, best so far", True)):
                    accuracies = learning_curves.select(
                        rows, target, strategy, source, best_so_far=so_far
                    )
                    shown = learning_curves.spread(
                        learning_curves.at(accuracies, budget)
                    )
                    line[f"{name}: {heading}"] = shown
            if budget == last or any(
                value for name, value in line.items() if "ours" in name
            ):
                lines.append(line)
    return pd.DataFrame(lines).set_index("transfer")


def notes(place: str, problems=(), rows=None) -> str:
    """Return how to compare with the paper's table or figure, and its oddities.

    Args:
        place: Such as "Table 1".
        problems: Of the oddities of single panels, those of these problems are shown.
        rows: Rows of the run store, as `results.complete` returns them: runs that
            can't be used are named.
    """
    letters = dict(zip(paper.PROBLEMS, "abcdef", strict=True))
    shown = {letters[problem] for problem in problems}
    lines = [COMPARING[place]] if place in COMPARING else []
    for oddity in paper.ODDITIES:
        panels = set(re.findall(r"\(([a-f])\)", oddity.place))
        if oddity.place.startswith(place) and (not panels or panels & shown):
            lines.append(f"{oddity.place}: {oddity.text}")
    refused = [] if rows is None else rows.attrs.get("refused", [])
    lines += [f"Left out: {message}" for message in refused]
    return "".join(f"\n{line}\n" for line in lines)


def markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown, each cell as it stands."""
    return table.to_markdown(disable_numparse=True)


def write(table: pd.DataFrame, path, text: str = ""):
    """Write a table as Markdown, with a text below it, and as CSV."""
    below = f"\n{text.strip()}\n" if text else ""
    store.write(path.with_suffix(".md"), f"{markdown(table)}\n{below}")
    store.write(path.with_suffix(".csv"), table.to_csv())


def write_curves(drawn: list, path, caption: str):
    """Write what a figure shows, tables of `plots.curves`, as one table."""
    columns = ["problem", "source", "strategy", "num_annotations", "n", "mean", "std"]
    table = pd.concat(drawn)[columns].round(4).set_index("problem")
    write(table, path, caption)


def caption(place: str, left_out: dict, rows: pd.DataFrame) -> str:
    """Return what to read below a figure, with the panels left out and why, by name."""
    text = notes(place, rows=rows)
    if left_out:
        named = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        text += f"\nLeft out, as nothing is drawn of them. {named}.\n"
    return text


def _printed(budget, *place):
    """Show what the paper prints at a budget, or a blank."""
    accuracy = paper.accuracies(*place).get(budget)
    return "" if accuracy is None else f"{accuracy:.2f}"


def _count(count):
    """Show a printed count, with its >= where there is one."""
    return f"{'>= ' if count.at_least else ''}{count.value}" if count else ""
