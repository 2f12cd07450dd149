"""About how long runs will take, from runs that were measured."""

import grid
import protocol
import runs
import store


def describe(wanted: list, options) -> str:
    """Say which runs are not done, and about how long they will take."""
    kept = store.Store(options.output)
    measured = [kept, store.Store(protocol.RESULTS / "paper")]
    lines, total, unknown = [], 0.0, 0
    for run in wanted:
        budget = options.transfer_budgets[-1] if run.source else options.budget
        reached = kept.num_annotations(run)
        if reached >= budget:
            continue
        whole = _seconds(run, budget, measured)
        lines.append(f"{run}: from {reached} to {budget} annotations")
        if whole is None:
            unknown += 1
            lines[-1] += ", time unknown"
        else:
            seconds = whole * (1 - grid.work(reached) / grid.work(budget))
            total += seconds
            lines[-1] += f", about {max(1, round(seconds / 60))} min"
    hours = total / 3600 / options.jobs
    lines.append(
        f"{len(lines)} of {len(wanted)} runs to do: about {hours:.1f} hours with "
        f"{options.jobs} jobs, not counting {unknown} runs of which none was measured"
    )
    return "\n".join(lines)


def whole_protocol(options) -> str:
    """Say how to run the paper's protocol, and how long it takes by the runs stored."""
    preset = protocol.PRESETS["paper"]
    kept = [store.Store(options.output)]
    lines = []
    for problem in options.problem:
        command = f"python reproduce/table1.py --preset paper --problem {problem}"
        seconds = [
            _seconds(runs.Run(problem, strategy, 0), preset.budget, kept)
            for strategy in options.strategy
        ]
        if None not in seconds:
            hours = sum(seconds) * preset.num_trials / options.jobs / 3600
            command += f" (about {hours:.0f} hours here with {options.jobs} jobs)"
        lines.append(command)
    return "\n".join(["The paper's protocol:", *lines])


def _seconds(run, budget, stores):
    """Seconds of a whole run, from the trial of the same that got farthest.

    The first store that has one decides: runs of this machine come before others.
    """
    for kept in stores:
        best = None
        for path in kept.folder.glob(f"{run.kind}_*.csv"):
            rows = kept.rows(path.stem)
            reached = rows["num_annotations"].iloc[-1]
            seconds = rows.filter(like="_seconds").to_numpy().sum()
            is_transfer = "_from_" in path.stem
            if is_transfer == bool(run.source) and (not best or reached > best[0]):
                best = reached, seconds
        if best:
            return best[1] * grid.work(budget) / grid.work(best[0])
    return None
