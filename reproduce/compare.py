"""All strategies compared as surveys do: areas, penalties, label efficiency."""

import sys
from collections.abc import Sequence

from experiments import entry_point, paper, problems, results, runs
from experiments.analysis import comparisons, field, tables
from experiments.options import make_parser, parse

NOTES = """
Mean accuracy: over the annotations, by the trapezoid rule (the area under the curve), ±
standard deviation over n trials; its differences with 95 % intervals by Student's t, p
adjusted over all pairs of strategies. Penalties: the share of budgets (20, 30, 50, 90,
170, 330, 650 annotations) at which the row is above the column by a paired t-test at
5 %. Label efficiency: RANDOM's annotations over those at which a strategy's mean curve
reaches the same accuracy.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare the stored curves of each problem, then print and write the tables."""
    parser = make_parser(__doc__)
    parser.set_defaults(preset="paper")
    options = parse(parser, arguments)
    rows = results.stored(runs.learning_runs(options), options)
    for problem in problems.in_order(rows["problem"]):
        found = {
            strategy: comparisons.curves(rows, problem, strategy, options.budget)
            for strategy in options.strategies
        }
        curves = {name: curve for name, curve in found.items() if curve.size}
        made = {"areas": field.area_table(curves)}
        made["penalties"] = field.penalty_matrix(curves).round(2)
        if "random" in curves:
            budgets = [b for b in paper.TABLE1_BUDGETS if b <= options.budget]
            made["label_efficiency"] = field.label_efficiency(curves, tuple(budgets))
        print(f"{problems.get(problem).title}\n")
        for name, table in made.items():
            path = options.tables_folder / f"{name}_{problems.file_name(problem)}"
            tables.write(table, path, NOTES)
            print(tables.markdown(table), end="\n\n")
    print(NOTES)
    return 2 if rows.attrs["refused"] else 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
