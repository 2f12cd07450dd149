"""Tables 1, 2 and 4: the paper's numbers beside ours, as functions of stored rows."""

import curves
import pandas as pd
import paper
import protocol
import store
from runs import FULL


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
        for strategy, name in curves.strategies(rows).items():
            printed[name] = ""
            if budget in paper.TABLE1_BUDGETS and strategy in paper.STRATEGIES:
                place = paper.TABLE1_BUDGETS.index(budget)
                printed[name] = f"{paper.TABLE1[problem][strategy][place]:.2f}"
            for column, so_far in ((ours, False), (best, True)):
                accuracies = curves.select(rows, problem, strategy, best_so_far=so_far)
                column[name] = curves.spread(curves.at(accuracies, budget))
        table[f"{budget}: paper"] = printed
        table[f"{budget}: ours"] = ours
        table[f"{budget}: ours, best so far"] = best
    if full:
        everything = curves.select(rows, problem, FULL)
        table["All: paper"] = {"RANDOM": f"{paper.TABLE1_ALL[problem]:.2f}"}
        last = everything.iloc[-1] if len(everything) else pd.Series(dtype=float)
        table["All: ours"] = {"RANDOM": curves.spread(last)}
    return pd.DataFrame(table).fillna("").rename_axis("annotations")


def table2(rows: pd.DataFrame, problem: str) -> tuple:
    """Return one panel of Table 2, and the target accuracy that it is for.

    The target is ours on the full training set, if it was run, else the paper's; less
    the paper's tolerance.
    """
    everything = curves.select(rows, problem, FULL)
    full = (
        everything.iloc[-1].mean() if len(everything) else paper.TABLE2_TARGET[problem]
    )
    target = full - protocol.TOLERANCE
    table = {}
    for strategy, name in curves.strategies(rows).items():
        printed = paper.TABLE2[problem].get(strategy, ("", ""))
        accuracies = curves.select(rows, problem, strategy)
        count, reached = curves.num_to_reach(accuracies, target)
        ours = ("", "")
        if count is not None:
            sign = "" if reached else ">= "
            labeled = curves.num_labeled(rows, problem, strategy, count)
            ours = (f"{sign}{count}", f"{sign}{labeled:.0f}")
        table[name] = {
            "annotations: paper": _count(printed[0]),
            "annotations: ours": ours[0],
            "labelled data: paper": _count(printed[1]),
            "labelled data: ours": ours[1],
        }
    return pd.DataFrame(table).T.rename_axis("strategy"), target


def table4(rows: pd.DataFrame, pairs: list, budget: int) -> pd.DataFrame:
    """Return Table 4 at a budget: one network trained on another's choice.

    Args:
        rows: Rows of the run store.
        pairs: The (source, target) problems.
        budget: Number of annotations.
    """
    table = {}
    for source, target in pairs:
        (dataset, network), (_, other) = source.split("-"), target.split("-")
        name = f"{paper.PROBLEM_NAMES[source]} -> {protocol.PROBLEMS[target].network}"
        line = table[name] = {}
        for strategy in protocol.TRANSFERRED:
            name = paper.STRATEGY_NAMES[strategy]
            printed = paper.TABLE4[(dataset, network, other)][strategy]
            accuracies = curves.select(rows, target, strategy, source)
            line[f"{name}: paper, 1000"] = f"{printed:.2f}"
            line[f"{name}: ours, {budget}"] = curves.spread(
                curves.at(accuracies, budget)
            )
    return pd.DataFrame(table).T.rename_axis("transfer")


def notes(place: str, problems=()) -> str:
    """Return the paper's oddities that concern a table or figure, as footnotes.

    Args:
        place: Such as "Table 1".
        problems: Of the oddities of single panels, those of these problems are shown.
    """
    panels = [f"({letter})" for letter in "abcdef"]
    hidden = [
        panel
        for panel, problem in zip(panels, paper.PROBLEMS, strict=True)
        if problem not in problems
    ]
    return "".join(
        f"\n{oddity.place}: {oddity.text}"
        for oddity in paper.ODDITIES
        if oddity.place.startswith(place) and not oddity.place.endswith(tuple(hidden))
    )


def write(table: pd.DataFrame, path):
    """Write a table as Markdown and as CSV."""
    store.write(path.with_suffix(".md"), table.to_markdown() + "\n")
    store.write(path.with_suffix(".csv"), table.to_csv())


def write_curves(drawn: list, path):
    """Write what a figure shows, tables of `plots.learning_curves`, as one table."""
    columns = ["problem", "source", "strategy", "num_annotations", "mean", "std"]
    table = pd.concat(drawn) if drawn else pd.DataFrame(columns=columns)
    write(table[columns].round(4).set_index("problem"), path)


def _count(count):
    """Show a printed count, with its >= where there is one."""
    return f"{'>= ' if count.at_least else ''}{count.value}" if count else ""
