"""Table 1: test accuracy by number of annotations, the paper's and ours."""

import sys
from collections.abc import Sequence

from experiments import entry_point, first_run, results, runs
from experiments.analysis import tables, terminal
from experiments.options import is_bare, make_parser, parse


def main(arguments: Sequence[str] | None = None) -> int:
    """Complete the runs, then print and write the table.

    Without options: print what is stored, then make the first runs on this machine.
    """
    options = parse(make_parser(__doc__), arguments)
    rows, status = results.complete(runs.curve_runs(options), options)

    blank = []
    for problem in options.problems:
        budgets = tables.budgets_of_table1(rows, problem, options.budget)
        table = tables.table1(rows, problem, budgets, full=options.full_sets)
        if not tables.has_ours(table):
            blank.append(problem)
            continue
        print(
            f"\nTable 1, {problem.title}: test accuracy (%)\n{terminal.compact(table)}"
        )
        notes = tables.notes("Table 1", [problem], rows)
        tables.save(table, options, f"table1_{problem.file_name}", notes)
    shown = [problem for problem in options.problems if problem not in blank]
    notes = tables.notes("Table 1", shown, rows)
    print(terminal.wrap(results.not_run(blank) + notes))
    print(results.ending(options))
    return max(status, first_run.show(rows)) if is_bare(arguments) else status


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
