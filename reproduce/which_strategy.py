"""Which strategy to use: accuracies, seconds of a query, and needs of each strategy."""

import sys
from collections.abc import Sequence

from experiments import entry_point, problems, results, runs
from experiments.analysis import strategy_table, tables, terminal
from experiments.options import make_parser, parse, refuse_budget, refuse_strategies

# isort: split
from benchmarks import report  # after `experiments`, which reports missing packages


def main(arguments: Sequence[str] | None = None) -> int:
    """Lay out the stored runs of all strategies, then print and write the tables."""
    parser = make_parser(__doc__, performs_runs=False)
    parser.set_defaults(preset="paper", stored=True)
    options = parse(parser, arguments)
    refuse_strategies(parser, options)
    refuse_budget(parser, options, strategy_table.BUDGETS[-1])
    rows = results.stored(runs.strategy_runs(options), options)
    seconds = report.query_seconds(options.timing_folder)
    blank = []
    for problem in problems.in_order(options.problems):
        table = strategy_table.lay_out(rows, problem, seconds)
        if not strategy_table.was_run(table).any():
            blank.append(problem)
            continue
        print(f"{problem.title}\n\n{terminal.fit(table)}\n")
        name = f"strategies_{problem.file_name}"
        tables.save(table, options, name, strategy_table.NOTES)
    print(terminal.wrap(results.not_run(blank) + strategy_table.NOTES))
    return 2 if rows.attrs["refused"] else 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
