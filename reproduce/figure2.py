"""Figure 2: test accuracy by number of annotations, for every strategy."""

import sys
from collections.abc import Sequence

from experiments import entry_point, problems, results, runs
from experiments.analysis import plots, tables, terminal
from experiments.options import make_parser, parse


def main(arguments: Sequence[str] | None = None) -> int:
    """Complete the runs, then draw the problems that were run."""
    options = parse(make_parser(__doc__), arguments)
    rows, status = results.complete(runs.curve_runs(options), options)

    # A part of a data set is shown in place of the whole.
    given = {problem.panel for problem in options.problems}
    papers = [each for each in problems.PROBLEMS.values() if each.name not in given]
    shown = problems.in_order([*papers, *options.problems])
    path = None if options.read_only else options.figures_folder / "figure2"
    drawn, missing = plots.figure(rows, {str(p.title): (p, None) for p in shown}, path)
    left_out = {}
    for problem in (each for each in shown if each.title in missing):
        requested = problem in options.problems
        reason = results.why_not_run(problem) if requested else "not requested"
        left_out[str(problem.title)] = reason
    caption = tables.caption("Figure 2", options.problems, left_out, rows)
    if drawn and path:
        tables.write_curves(drawn, path, caption)
        print(f"Figure 2: {path}.png and .pdf")
    stored = options.figures_folder / "figure2.png"
    if drawn and options.read_only and stored.exists():
        print(f"Figure 2, stored: {stored}")
    print(terminal.wrap(caption))
    return status


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
