"""Figure 3: VGG8 trained on what DFAL and CORE-SET queried for LeNet5."""

import sys

import cli
import paper
import plan
import program
import protocol


def main(arguments=None) -> int:
    """Run what is not run yet, then draw the curves of every transfer.

    The paper shows Shoe-Bag; every data set that was run is drawn here.
    """
    options = cli.parse(cli.parser(__doc__), arguments)
    pairs = plan.transfer_pairs(options)
    rows, status = cli.rows_of(plan.transfers(options), options)
    import plots
    import report

    figure, panels = plots.plt.subplots(
        1,
        len(pairs),
        figsize=(plots.COLUMN * len(pairs), 2.4),
        layout="constrained",
        squeeze=False,
    )
    drawn = []
    for panel, (source, target) in zip(panels.flat, pairs, strict=True):
        network = protocol.PROBLEMS[target].network
        panel.set_title(f"{paper.PROBLEM_NAMES[source]} to {network}")
        lines = plots.learning_curves(panel, rows, target, source)
        drawn += lines
        if not lines:
            plots.say(panel, cli.why_not_run(source))
        panel.set_xlabel("annotations")
    panels[0, 0].set_ylabel("test accuracy (%)")
    plots.legend(figure, panels)
    plots.save(figure, options.output / "figure3")
    report.write_curves(drawn, options.output / "figure3")
    print(f"Figure 3: {options.output / 'figure3.png'} and .pdf")
    return status


if __name__ == "__main__":
    sys.exit(program.run(main))
