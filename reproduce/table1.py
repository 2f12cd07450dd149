"""Table 1: test accuracy for different numbers of annotations, paper beside ours."""

import sys

import cli
import paper
import protocol


def main(arguments=None) -> int:
    """Run what is not run yet, then print and write the table."""
    options = cli.parse(cli.parser(__doc__), arguments)
    import grid
    import report
    import store

    runs = store.Store(options.output)
    wanted = cli.grid(options)
    todo = [run for run in wanted if runs.num_annotations(str(run)) < options.budget]
    failures = {}
    if todo:
        print(
            f"{len(todo)} of {len(wanted)} runs to do, up to {options.budget} "
            f"annotations each; they go to {options.output}"
        )
        failures = grid.perform(
            todo,
            budget=options.budget,
            folder=str(options.output),
            num_jobs=options.jobs,
        )

    rows = runs.load(wanted)
    budgets = [budget for budget in paper.TABLE1_BUDGETS if budget <= options.budget]
    for problem in options.problem:
        table = report.table1(rows, problem, budgets or [options.budget])
        report.write(table, options.output / f"table1_{problem}")
        print(f"\nTable 1, {paper.PROBLEM_NAMES[problem]}: test accuracy (%)\n")
        print(table.to_markdown())
    print(f"\nTables and the runs they come from (CSV): {options.output}")
    if options.preset == "quick":
        print(protocol.HOW_TO_RUN_ALL)
    return cli.report_failures(failures)


if __name__ == "__main__":
    sys.exit(main())
