"""Figure 2: test accuracy by number of annotations, for every strategy."""

import sys
from collections.abc import Sequence

import core_hours
from experiments import entry_point, paper, plots, results, runs, tables
from experiments.options import make_parser, parse


def main(arguments: Sequence[str] | None = None) -> int:
    """Complete the runs, then draw the problems that were run."""
    options = parse(make_parser(__doc__), arguments)
    rows, status = results.complete(runs.curve_runs(options), options)

    places = {name: (problem, None) for problem, name in paper.PROBLEM_NAMES.items()}
    path = options.figures_folder / "figure2"
    drawn, missing = plots.figure(rows, places, path)
    left_out = {}
    for title in missing:
        problem, _ = places[title]
        reason = "not requested"
        if problem in options.problems:
            reason = results.why_not_run(problem)
        left_out[title] = f"{reason}, {core_hours.estimate(problem)}"
    caption = tables.caption("Figure 2", left_out, rows)
    if drawn:
        tables.write_curves(drawn, path, caption)
        print(f"Figure 2: {path}.png and .pdf")
    print(caption)
    return status


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
