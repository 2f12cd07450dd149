"""Figure 3: VGG8 trained on what DFAL and CORE-SET queried for LeNet5."""

import sys

from experiments import cli, entry_point, paper, plan, protocol


def main(arguments=None) -> int:
    """Run what is not run yet, then draw the curves of every transfer.

    The paper shows Shoe-Bag; every data set that was run is drawn here.
    """
    options = cli.parse(cli.parser(__doc__), arguments)
    pairs = plan.transfer_pairs(options)
    rows, status = cli.rows_of(plan.transfers(options), options)
    from experiments import plots, tables

    places = {
        f"{paper.PROBLEM_NAMES[source]} to {protocol.PROBLEMS[target].network}": (
            target,
            source,
        )
        for source, target in pairs
    }
    path = options.output / "figure3"
    drawn, missing = plots.figure(rows, places, path)
    left_out = {
        title: " ".join(cli.why_not_run(places[title][1]).split()) for title in missing
    }
    caption = tables.caption("Figure 3", left_out, rows)
    if drawn:
        tables.write_curves(drawn, path, caption)
        print(f"Figure 3: {path}.png and .pdf")
    print(caption)
    return status


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
