"""Table 2: annotations and labeled data needed to reach full-set accuracy."""

import sys
from collections.abc import Sequence

from experiments import entry_point, results, runs
from experiments.analysis import tables
from experiments.options import make_parser, parse


def main(arguments: Sequence[str] | None = None) -> int:
    """Complete the runs, then print and write the table."""
    options = parse(make_parser(__doc__), arguments)
    rows, status = results.complete(runs.curve_runs(options), options)

    for problem in options.problems:
        table, target = tables.table2(rows, problem)
        notes = tables.notes("Table 2", [problem], rows)
        path = options.tables_folder / f"table2_{problem.file_name}"
        tables.write(table, path, notes)
        print(f"\nTable 2, {problem.title}: {tables.aim(problem, target)}\n")
        print(tables.markdown(table))
    print(tables.notes("Table 2", options.problems, rows))
    return status


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
