"""Figure 2: test accuracy against the number of annotations, every strategy."""

import sys

import cli
import paper
import plan
import program


def main(arguments=None) -> int:
    """Run what is not run yet, then draw the six panels; a panel not run says so."""
    options = cli.parse(cli.parser(__doc__), arguments)
    rows, status = cli.rows_of(plan.curves(options), options)
    import curves
    import plots
    import report
    from runs import FULL

    figure, panels = plots.plt.subplots(
        3, 2, figsize=(2 * plots.COLUMN, 6.5), layout="constrained"
    )
    drawn = []
    for panel, (problem, title) in zip(
        panels.flat, paper.PROBLEM_NAMES.items(), strict=True
    ):
        panel.set_title(title)
        lines = plots.learning_curves(panel, rows, problem)
        everything = curves.select(rows, problem, FULL)
        if len(everything):
            plots.baseline(panel, everything.iloc[-1].mean(), "full set, ours")
        drawn += lines
        if lines:
            plots.baseline(panel, paper.TABLE1_ALL[problem], "full set, paper")
        else:
            plots.say(panel, cli.why_not_run(problem))
    for panel in panels[-1]:
        panel.set_xlabel("annotations")
    for panel in panels[:, 0]:
        panel.set_ylabel("test accuracy (%)")
    plots.legend(figure, panels)
    plots.save(figure, options.output / "figure2")
    report.write_curves(drawn, options.output / "figure2")
    print(f"Figure 2: {options.output / 'figure2.png'} and .pdf")
    print(report.notes("Figure 2"))
    return status


if __name__ == "__main__":
    sys.exit(program.run(main))
