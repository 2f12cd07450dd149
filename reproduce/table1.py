"""Table 1: test accuracy by number of annotations, the paper's and ours."""

import sys
from collections.abc import Sequence

from experiments import entry_point, paper, results, runs
from experiments.analysis import tables
from experiments.options import make_parser, parse
from experiments.running import estimate


def main(arguments: Sequence[str] | None = None) -> int:
    """Complete the runs, then print and write the table."""
    options = parse(make_parser(__doc__), arguments)
    rows, status = results.complete(runs.curve_runs(options), options)

    budgets = [budget for budget in paper.TABLE1_BUDGETS if budget <= options.budget]
    for problem in options.problems:
        table = tables.table1(
            rows, problem, budgets or [options.budget], full=options.full_sets
        )
        notes = tables.notes("Table 1", [problem], rows)
        path = options.tables_folder / f"table1_{problem.file_name}"
        tables.write(table, path, notes)
        print(f"\nTable 1, {problem.title}: test accuracy (%)\n")
        print(tables.markdown(table))
    print(tables.notes("Table 1", options.problems, rows))
    print(f"Tables: {options.tables_folder}\nRuns: {options.runs_folder}")
    if options.preset == "quick":
        print(estimate.whole_protocol(options))
    return status


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
