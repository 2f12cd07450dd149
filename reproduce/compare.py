"""All strategies compared as surveys do: areas, penalties, label efficiency."""

import sys
from collections.abc import Sequence

from experiments import entry_point, problems, results, runs
from experiments.analysis import field, tables, terminal
from experiments.options import make_parser, parse


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare the stored curves of each problem, then print and write the tables."""
    parser = make_parser(__doc__, performs_runs=False)
    parser.set_defaults(preset="paper", stored=True)
    options = parse(parser, arguments)
    rows = results.stored(runs.learning_runs(options), options)
    blank = []
    for problem in problems.in_order(options.problems):
        curves, budget = field.curves(rows, problem, options.methods, options.budget)
        if not curves:
            blank.append(problem)
            continue
        print(f"{problem.title}, to {budget} annotations\n")
        for name, table in field.all_tables(curves, budget).items():
            notes = f"\nTo {budget} annotations.\n{field.NOTES}"
            tables.save(table, options, f"{name}_{problem.file_name}", notes)
            print(terminal.fit(table), end="\n\n")
    print(terminal.wrap(results.not_run(blank) + field.NOTES))
    return 2 if rows.attrs["refused"] else 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
