"""Table 1: test accuracy for different numbers of annotations, paper beside ours."""

import sys

import cli
import paper
import plan
import program


def main(arguments=None) -> int:
    """Run what is not run yet, then print and write the table."""
    options = cli.parse(cli.parser(__doc__), arguments)
    rows, status = cli.rows_of(plan.curves(options), options)
    import report

    budgets = [budget for budget in paper.TABLE1_BUDGETS if budget <= options.budget]
    for problem in options.problem:
        table = report.table1(
            rows, problem, budgets or [options.budget], full=options.full_sets
        )
        notes = report.notes("Table 1", [problem], rows)
        report.write(table, options.output / f"table1_{problem}", notes)
        print(f"\nTable 1, {paper.PROBLEM_NAMES[problem]}: test accuracy (%)\n")
        print(report.markdown(table))
    print(report.notes("Table 1", options.problem, rows))
    print(f"Tables and the runs they come from (CSV): {options.output}")
    if options.preset == "quick":
        import estimate

        print(estimate.whole_protocol(options))
    return status


if __name__ == "__main__":
    sys.exit(program.run(main))
