"""Figure 3: VGG8 trained on the labeled sets that were selected for LeNet5."""

import sys
from collections.abc import Sequence

from experiments import entry_point, problems, results, runs
from experiments.analysis import plots, tables, terminal
from experiments.options import make_parser, parse


def main(arguments: Sequence[str] | None = None) -> int:
    """Complete the runs, then draw the curves of every transfer that was run.

    The paper's figure is of Shoe-Bag.
    """
    options = parse(make_parser(__doc__), arguments)
    pairs = results.transfer_pairs(options)
    rows, status = results.complete(runs.transfer_runs(options), options)

    places = {
        problems.transfer_title(source, target): (target, source)
        for source, target in pairs
    }
    path = None if options.read_only else options.figures_folder / "figure3"
    drawn, missing = plots.figure(rows, places, path)
    left_out = {title: results.why_not_run(places[title][1]) for title in missing}
    caption = tables.caption("Figure 3", options.problems, left_out, rows)
    if drawn and path:
        tables.write_curves(drawn, path, caption)
        print(f"Figure 3: {path}.png and .pdf")
    print(terminal.wrap(caption))
    return status


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
