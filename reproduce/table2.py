"""Table 2: annotations and labeled data needed to reach full-set accuracy."""

import sys
from collections.abc import Sequence

from experiments import entry_point, results, runs
from experiments.analysis import tables, terminal
from experiments.options import make_parser, parse


def main(arguments: Sequence[str] | None = None) -> int:
    """Complete the runs, then print and write the table."""
    options = parse(make_parser(__doc__), arguments)
    rows, status = results.complete(runs.curve_runs(options), options)

    blank = []
    for problem in options.problems:
        table, target = tables.table2(rows, problem)
        if not tables.has_ours(table):
            blank.append(problem)
            continue
        notes = tables.notes("Table 2", [problem], rows)
        tables.save(table, options, f"table2_{problem.file_name}", notes)
        print(f"\nTable 2, {problem.title}: {tables.aim(problem, target)}\n")
        print(terminal.fit(table))
    shown = [problem for problem in options.problems if problem not in blank]
    notes = tables.notes("Table 2", shown, rows)
    print(terminal.wrap(results.not_run(blank) + notes))
    return status


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
