"""Figure 2: test accuracy against the number of annotations, every strategy."""

import sys

import core_hours
from experiments import cli, entry_point, paper, plan


def main(arguments=None) -> int:
    """Run what is not run yet, then draw the problems that were run."""
    options = cli.parse(cli.parser(__doc__), arguments)
    rows, status = cli.rows_of(plan.curves(options), options)
    from experiments import plots, tables

    places = {name: (problem, None) for problem, name in paper.PROBLEM_NAMES.items()}
    path = options.output / "figure2"
    drawn, missing = plots.figure(rows, places, path)
    left_out = {}
    for title in missing:
        problem, _ = places[title]
        why = "not asked for"
        if problem in options.problem:
            why = " ".join(cli.why_not_run(problem).split())
        left_out[title] = f"{why}, {core_hours.estimate(problem)}"
    caption = tables.caption("Figure 2", left_out, rows)
    if drawn:
        tables.write_curves(drawn, path, caption)
        print(f"Figure 2: {path}.png and .pdf")
    print(caption)
    return status


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
