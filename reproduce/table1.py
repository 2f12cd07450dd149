"""Table 1: test accuracy for different numbers of annotations, paper beside ours."""

import sys

from experiments import cli, entry_point, paper, plan


def main(arguments=None) -> int:
    """Run what is not run yet, then print and write the table."""
    options = cli.parse(cli.parser(__doc__), arguments)
    rows, status = cli.rows_of(plan.curves(options), options)
    from experiments import tables

    budgets = [budget for budget in paper.TABLE1_BUDGETS if budget <= options.budget]
    for problem in options.problem:
        table = tables.table1(
            rows, problem, budgets or [options.budget], full=options.full_sets
        )
        notes = tables.notes("Table 1", [problem], rows)
        tables.write(table, options.output / f"table1_{problem}", notes)
        print(f"\nTable 1, {paper.PROBLEM_NAMES[problem]}: test accuracy (%)\n")
        print(tables.markdown(table))
    print(tables.notes("Table 1", options.problem, rows))
    print(f"Tables and the runs they come from (CSV): {options.output}")
    if options.preset == "quick":
        from experiments import estimate

        print(estimate.whole_protocol(options))
    return status


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
