"""Figure 1: which sample to query? Four answers by margin, on a toy problem in 2-D."""

import sys
from collections.abc import Sequence

from experiments import entry_point
from experiments.analysis import margins, plots, tables, toy_figure
from experiments.argument_types import at_least
from experiments.options import make_parser, parse_with_extras
from experiments.running import environment, toy_problem


def main(arguments: Sequence[str] | None = None) -> int:
    """Train a network, query in four ways, then draw, write and print the result."""
    parser = make_parser(__doc__)
    about = "seed of data and network. Defaults to %(default)s"
    kind = at_least(0, 2**32 - 1)
    parser.add_argument(
        "--seed", metavar="N", type=kind, default=toy_problem.SEED, help=about
    )
    options, extras = parse_with_extras(parser, arguments, bare=())
    environment.start_tensorflow()
    x, y, model = toy_problem.make(extras["seed"])
    grid, segments = margins.boundary(model, toy_figure.VIEW)
    scenarios = toy_problem.choose(model, segments, x[toy_problem.NUM_LABELED :])
    table = toy_figure.summarize(scenarios)
    path = options.figures_folder / "figure1"
    tables.write(table, path)
    plots.save(toy_figure.draw(grid, x, y, scenarios), path)
    print(f"Figure 1: which of {toy_problem.NUM_POOL} points to label next?\n")
    print(f"{tables.markdown(table)}\n\nFigure 1: {path}.png and .pdf")
    if extras["seed"] == toy_problem.SEED:
        print("This seed was chosen for visibility and favors DeepFool; try others.")
    return 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
