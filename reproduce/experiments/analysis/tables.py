"""Tables 1, 2 and 4 from the stored rows, beside the paper's numbers."""

import math
import pathlib
import re
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from experiments import files, paper, problems
from experiments.analysis import learning_curves
from experiments.drawings import Drawings
from experiments.methods import RANDOM, TRANSFERRED
from experiments.options import Options
from experiments.problems import PROBLEMS, Problem

_MAXIMA = (
    "The paper's accuracies are very probably running maxima (14 of the 42 rows of "
    "its Table 1 have exact plateaus, one of 126 steps decreases). Compare them with "
    '"best so far", the mean over trials of each trial\'s running maximum. Those on '
    "Shoe-Bag are very probably single trials: all are multiples of 1/4000, one "
    "test image; means of five trials would be multiples of 1/20000."
)
_OURS = "Ours: mean ± standard deviation over n trials. Blank cells were not run."
COMPARING = {  # how to compare with the paper's numbers
    "Table 1": f"{_OURS} {_MAXIMA}",
    "Table 2": (
        "Ours: n trials, the longest of each strategy. "
        '"mean": where the mean curve reaches the target. "mean of best so far": '
        'where the mean of the running maxima reaches it. "trial by trial": mean ± '
        "standard deviation of where each trial first reaches it, the same for raw "
        "accuracies and running maxima. >= : not reached at the last budget. " + _MAXIMA
    ),
    "Table 4": (
        f'{_OURS} "best so far" is over the budgets that were transferred, the '
        "paper's over every round. " + _MAXIMA
    ),
    "Figure 2": (
        "Lines and bands: ours, mean ± standard deviation over n trials of the raw "
        "accuracy, up to the last budget that all trials reached. Open circles: the "
        "paper's printed values (Table 1), shifted sideways so that they do not "
        "overlap. " + _MAXIMA
    ),
    "Figure 3": (
        "Lines and bands: ours, mean ± standard deviation over n trials of the raw "
        "accuracy. Open circles: the paper's printed values (Table 4), shifted "
        "sideways so that they do not overlap. " + _MAXIMA
    ),
}


def budgets_of_table1(rows: pd.DataFrame, problem: Problem, budget: int) -> list[int]:
    """Return the numbers of annotations of a panel of Table 1.

    The paper's, and the last one that is stored if it is below the paper's last.

    Args:
        rows: Rows of the run store.
        problem: The panel.
        budget: The number at which runs stop.
    """
    papers = [each for each in paper.TABLE1_BUDGETS if each <= budget]
    reached = learning_curves.reached(rows, problem)
    if not reached:
        return papers or [budget]
    last = min(reached, budget)
    if last < paper.TABLE1_BUDGETS[-1]:
        papers = [each for each in papers if each < last] + [last]
    return papers


def table1(
    rows: pd.DataFrame, problem: Problem, budgets: Iterable[int], *, full: bool = False
) -> pd.DataFrame:
    """Return one panel of Table 1, in percent.

    Args:
        rows: Rows of the run store.
        problem: The panel.
        budgets: Numbers of annotations to show.
        full: Whether to show the column "All", the full training set. Defaults to
            `False`.

    Returns:
        A row for each method. For each budget: the paper's accuracy, ours as mean ±
        standard deviation over trials, and the same of the best so far. Cells that
        were not run are blank.
    """
    table = {}
    methods = learning_curves.shown_methods(rows)
    for budget in budgets:
        table[f"{budget}: paper"] = {
            each.label: _printed(budget, problem, each) for each in methods
        }
        for heading, so_far in (("ours", False), ("ours, best so far", True)):
            table[f"{budget}: {heading}"] = {
                each.label: _ours(rows, budget, problem, each, best_so_far=so_far)
                for each in methods
            }
    if full:
        # As in the paper, one cell for all methods.
        ours = learning_curves.format_mean(learning_curves.full_set(rows, problem))
        printed = paper.full_set(problem)
        papers = "" if printed is None else f"{printed:.2f}"
        table["All: paper"], table["All: ours"] = (
            {RANDOM.label: cell} for cell in (papers, ours)
        )
    return pd.DataFrame(table).fillna("").rename_axis("annotations")


def table2(rows: pd.DataFrame, problem: Problem) -> tuple[pd.DataFrame, float]:
    """Return one panel of Table 2, and the target accuracy in percent.

    Ours are of the longest trials of each method. Without a target, which is then
    nan, they are blank.

    Args:
        rows: Rows of the run store.
        problem: The panel.
    """
    target = learning_curves.target(rows, problem)
    table = {
        each.label: _row_of_table2(rows, problem, each, target)
        for each in learning_curves.shown_methods(rows)
    }
    return pd.DataFrame(table).T.rename_axis("strategy"), target


def aim(problem: Problem, target: float) -> str:
    """Return what Table 2 aims at, as text.

    Args:
        problem: The panel.
        target: As `table2` returns it.
    """
    if math.isnan(target):
        return "full-set accuracy unknown, as with --preset paper"
    printed = paper.target(problem)
    papers = "" if printed is None else f"paper: {printed:.2f} %; "
    return f"to reach {target:.2f} % ({papers}within 0.5)"


def _row_of_table2(rows, problem, method, target):
    ours = {}
    for heading, so_far in (("mean", False), ("mean of best so far", True)):
        accuracies = learning_curves.longest(
            learning_curves.select(rows, problem, method, best_so_far=so_far)
        )
        count, reached = learning_curves.num_to_reach(accuracies, target)
        annotations = labeled = ""
        if count is not None and not math.isnan(target):
            sign = "" if reached else ">= "
            annotations = f"{sign}{count} (n={accuracies.shape[1]})"
            sizes = learning_curves.num_labeled(rows, problem, method, count)
            sizes = sizes[accuracies.columns]
            labeled = f"{sign}{learning_curves.format_mean(sizes, digits=0)}"
        ours[heading] = annotations, labeled
    # The same for raw accuracies and running maxima.
    trials = (
        ""
        if math.isnan(target)
        else learning_curves.format_counts(learning_curves.counts(accuracies, target))
    )
    annotations, labeled = paper.counts(problem).get(method.name, (None, None))
    return {
        "annotations: paper": _count(annotations),
        "annotations: ours, mean": ours["mean"][0],
        "annotations: ours, mean of best so far": ours["mean of best so far"][0],
        "annotations: ours, trial by trial": trials,
        "labeled data: paper": _count(labeled),
        "labeled data: ours, mean": ours["mean"][1],
        "labeled data: ours, mean of best so far": ours["mean of best so far"][1],
    }


def table4(
    rows: pd.DataFrame,
    pairs: Sequence[tuple[Problem, Problem]],
    budgets: Iterable[int],
) -> pd.DataFrame:
    """Return Table 4: a network trained on the labeled set of another network's run.

    Args:
        rows: Rows of the run store.
        pairs: The (source, target) problems.
        budgets: Numbers of annotations. Budgets without rows are omitted, except the
            paper's 1000 on its own data sets.

    Returns:
        A row for each pair and budget. For each method: the paper's accuracy in
        percent, ours, and ours by the best so far.
    """
    lines = []
    last = paper.TABLE1_BUDGETS[-1]
    for source, target in pairs:
        transfer = problems.transfer_title(source, target)
        for budget in sorted({*budgets, last}):
            line, is_run = {"transfer": transfer, "annotations": budget}, False
            for method in TRANSFERRED:
                place = budget, target, method, source
                ours = _ours(rows, *place)
                best = _ours(rows, *place, best_so_far=True)
                is_run |= bool(ours)
                line[f"{method.label}: paper"] = _printed(*place)
                line[f"{method.label}: ours"] = ours
                line[f"{method.label}: ours, best so far"] = best
            if is_run or (budget == last and not target.stands_for):
                lines.append(line)
    return pd.DataFrame(lines).set_index("transfer")


def notes(
    place: str, shown: Sequence[Problem] = (), rows: pd.DataFrame | None = None
) -> str:
    """Return notes for a table or figure: how to compare, oddities, runs left out.

    Args:
        place: The table or figure, such as "Table 1".
        shown: The problems shown. Oddities of other panels are omitted, and what
            concerns the paper's numbers if it prints none of these problems. Defaults
            to none.
        rows: Rows as `results.stored` returns them. Runs that can't be used are
            listed, and the drawings of problems without rows are not described.
            Defaults to `None`.
    """
    found = [p for p in shown if rows is None or p.name in set(rows["problem"])]
    lines = data_notes(found) + subset_notes(shown)
    how = COMPARING.get(place, "")
    if shown and not any(problem.is_printed for problem in shown):
        lines.append(how.removesuffix(_MAXIMA).strip())
    else:
        lines += [how, *_oddities(place, shown)]
    refused = [] if rows is None else rows.attrs.get("refused", [])
    lines += [f"Left out: {message}" for message in refused]
    return "".join(f"\n{line}\n" for line in lines if line)


def data_notes(shown: Iterable[Problem]) -> list[str]:
    """Return sentences on the data of some problems, where it is not the paper's."""
    sizes = {each.dataset: each for each in shown if isinstance(each.dataset, Drawings)}
    lines = []
    for drawings, problem in sizes.items():
        papers = (
            " The paper has all of Google's drawings." if problem.stands_for else ""
        )
        lines.append(
            f"{_without_network(problem)}: {drawings.num_images} drawings of each of "
            f"{', '.join(drawings.class_names)}. Each trial splits them anew into "
            f"{drawings.num_train} of each class for training and {drawings.num_test} "
            f"for testing.{papers}"
        )
    return lines


def _without_network(problem):
    return str(problem.title).removesuffix(f" ({problem.network})")


def subset_notes(shown: Iterable[Problem]) -> list[str]:
    """Return a sentence for each size of the subsets among some problems."""
    limits = [problem.max_per_class for problem in shown]
    is_printed = any(problem.is_printed for problem in shown)
    papers = " The paper's numbers are of the whole training set." if is_printed else ""
    return [
        f"At most {limit} training images a class: the first {limit} of each class, "
        f"instead of the whole training set. The test set is whole.{papers}"
        for limit in sorted({limit for limit in limits if limit is not None})
    ]


def _oddities(place, problems_shown):
    """Return the oddities of a table or figure, without those of other panels."""
    letters = dict(zip(PROBLEMS, "abcdef", strict=True))
    shown = {letters.get(problem.panel) for problem in problems_shown}
    lines = []
    for oddity in paper.ODDITIES:
        panels = set(re.findall(r"\(([a-f])\)", oddity.place))
        if oddity.place.startswith(place) and (not panels or panels & shown):
            lines.append(f"{oddity.place}: {oddity.text}")
    return lines


def has_ours(table: pd.DataFrame) -> bool:
    """Return whether a table has a number of ours, not only the paper's."""
    ours = [column for column in table if "ours" in column]
    return bool((table[ours] != "").any(axis=None))


def this_machine(
    here: pd.DataFrame, stored: pd.DataFrame, problem: Problem, budget: int
) -> pd.DataFrame:
    """Return accuracies of a first trial here, beside the stored trial of its seed.

    Args:
        here: Rows of the run store of this machine.
        stored: Rows that come with the repository.
        problem: The panel.
        budget: Number of annotations.
    """
    table = {}
    for method in learning_curves.shown_methods(here):
        ours, theirs = (
            learning_curves.at(learning_curves.select(rows, problem, method), budget)
            for rows in (here, stored)
        )
        line = {"paper": _printed(budget, problem, method)}
        line["stored"] = learning_curves.format_mean(theirs)
        line["this machine, n = 1"] = f"{ours[0]:.2f}" if 0 in ours else ""
        line["stored, same seed"] = f"{theirs[0]:.2f}" if 0 in theirs else ""
        both = 0 in ours and 0 in theirs
        line["difference"] = f"{ours[0] - theirs[0]:+.2f}" if both else ""
        table[method.label] = line
    return pd.DataFrame(table).T.rename_axis(f"at {budget} annotations")


def markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown, without changing how numbers are written."""
    # As objects, integers beside a column of floats stay integers.
    return table.astype(object).to_markdown(disable_numparse=True)


def write(table: pd.DataFrame, path: pathlib.Path, text: str = "") -> None:
    """Write a table as Markdown and as CSV.

    Args:
        table: The table.
        path: Where to write, without a suffix.
        text: Text below the Markdown. Defaults to "".
    """
    below = f"\n{text.strip()}\n" if text else ""
    # Not `with_suffix`: the name of a problem of your own contains a dot.
    files.write(path.with_name(f"{path.name}.md"), f"{markdown(table)}\n{below}")
    files.write(path.with_name(f"{path.name}.csv"), table.to_csv())


def show_written(path: pathlib.Path) -> int:
    """Print a table that was written before; return the script's exit status.

    Args:
        path: As for `write`.
    """
    written = path.with_name(f"{path.name}.md")
    print(written.read_text() if written.exists() else "Nothing is stored.")
    return 0


def save(table: pd.DataFrame, options: Options, name: str, text: str = "") -> None:
    """Write a table of the results folder, unless the options are read-only.

    Args:
        table: The table.
        options: The command-line options.
        name: Name of the files, without a suffix.
        text: As for `write`.
    """
    if not options.read_only:
        write(table, options.tables_folder / name, text)


def write_curves(drawn: list[pd.DataFrame], path: pathlib.Path, text: str) -> None:
    """Write the curves that a figure shows, as `plots.figure` returns them.

    Args:
        drawn: A table for each curve.
        path: Where to write, without a suffix.
        text: Text below the Markdown.
    """
    columns = ["problem", "source", "strategy", "num_annotations", "n", "mean", "std"]
    table = pd.concat(drawn)[columns].round(4).set_index("problem")
    write(table, path, text)


def caption(
    place: str,
    shown: Sequence[Problem],
    left_out: Mapping[str, str],
    rows: pd.DataFrame,
) -> str:
    """Return the text below a figure.

    Args:
        place: The figure, such as "Figure 2".
        shown: As for `notes`.
        left_out: Panels without rows: the reason by title.
        rows: As for `notes`.
    """
    text = notes(place, shown, rows)
    if left_out:
        named = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        text += f"\nPanels left out: {named}.\n"
    return text


def _printed(budget, problem, method, source=None):
    """Format the paper's accuracy at a budget, "" if it is not printed."""
    accuracy = paper.accuracies(problem, method, source).get(budget)
    return "" if accuracy is None else f"{accuracy:.2f}"


def _ours(rows, budget, problem, method, source=None, *, best_so_far=False):
    """Format our accuracy at a budget, "" if it was not run."""
    accuracies = learning_curves.select(
        rows, problem, method, source, best_so_far=best_so_far
    )
    return learning_curves.format_mean(learning_curves.at(accuracies, budget))


def _count(count):
    """Format a printed count, "" if it is not printed."""
    return f"{'>= ' if count.at_least else ''}{count.value}" if count else ""
