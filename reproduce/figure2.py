"""Figure 2: test accuracy by number of annotations, for every strategy."""

import sys
from collections.abc import Sequence

import core_hours
from experiments import entry_point, problems, results, runs
from experiments.analysis import plots, tables
from experiments.options import make_parser, parse


def main(arguments: Sequence[str] | None = None) -> int:
    """Complete the runs, then draw the problems that were run."""
    options = parse(make_parser(__doc__), arguments)
    rows, status = results.complete(runs.curve_runs(options), options)

    # A subset is shown in place of the whole data set.
    whole = {problems.whole_name(name) for name in options.problems}
    papers = [name for name in problems.PROBLEMS if name not in whole]
    shown = problems.in_order([*papers, *options.problems])
    places = {str(problems.get(name).title): (name, None) for name in shown}
    path = options.figures_folder / "figure2"
    drawn, missing = plots.figure(rows, places, path)
    left_out = {}
    for title in missing:
        problem, _ = places[title]
        reason = "not requested"
        if problem in options.problems:
            reason = results.why_not_run(problem)
        left_out[title] = ", ".join(
            filter(None, (reason, core_hours.estimate(problem)))
        )
    caption = tables.caption("Figure 2", options.problems, left_out, rows)
    if drawn:
        tables.write_curves(drawn, path, caption)
        print(f"Figure 2: {path}.png and .pdf")
    print(caption)
    return status


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
