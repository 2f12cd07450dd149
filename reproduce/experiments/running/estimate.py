"""How long runs will take, from the times of stored runs.

An estimate is a range, from the shortest to the longest of the measured trials of the
same kind: problem, method, and whether it is a transfer. Without any it is unknown.
"""

import dataclasses
from collections.abc import Sequence

from experiments import protocol, store
from experiments.methods import FULL
from experiments.options import Options, default_output
from experiments.running import progress
from experiments.runs import Run


def describe(wanted: Sequence[Run], options: Options) -> str:
    """Return the runs that are not done and how long they will take, as text.

    Trials of the same kind that have as much to do share a line.
    """
    kept = store.Store(options.runs_folder)
    committed = dataclasses.replace(options, output=default_output("paper"))
    measured = [kept, store.Store(committed.runs_folder)]
    failing: list[str] = []
    ranges: list[tuple[float, float] | None] = []
    alike: dict[tuple, list] = {}
    for run in wanted:
        budgets = run.budgets(options)
        try:
            finished = kept.finished(run)
        except (ValueError, OSError) as error:
            failing.append(f"{run}: fails. {error}")
            continue
        missing = run.missing(budgets, finished)
        if not missing:
            continue
        reached = max((each for each in finished if each < missing[0]), default=0)
        seconds = _seconds(run, reached, budgets[-1], measured)
        ranges.append(seconds)
        work = f"from {reached} to {budgets[-1]} annotations"
        if run.is_full:
            work = "the full training set"
        alike.setdefault((run.series, run.source, work), []).append((run, seconds))
    head = f"{len(failing) + len(ranges)} of {len(wanted)} runs to do"
    if ranges:
        head += f": {_total(ranges, options)}"
    lines = [_line(work, found) for (*_, work), found in alike.items()]
    return "\n".join([*failing, *lines, head])


def _line(work, found):
    """Return the line of runs that differ by their trial only."""
    run, seconds = found[0]
    if len(found) == 1:
        return f"{run}: {work}, {_text(seconds, 60, 'min')}"
    known = [each for _, each in found if each is not None]
    limits = [value for each in known for value in each]
    text = _text((min(limits), max(limits)) if known else None, 60, "min")
    trials = [each.trial for each, _ in found]
    named = ", ".join(map(str, trials))
    if trials == list(range(trials[0], trials[-1] + 1)):
        named = f"{trials[0]} to {trials[-1]}"
    origin = f" from {run.source}" if run.source else ""
    each = " each" if known else ""
    return f"{run.series}{origin}, trials {named}: {work}, {text}{each}"


def whole_protocol(options: Options) -> str:
    """Return the commands of the paper's protocol and how long they take, as text."""
    preset = protocol.PRESETS["paper"]
    kept = [store.Store(options.runs_folder)]
    lines = []
    for problem in options.problems:
        methods = [*options.methods, *([FULL] if preset.full_sets else [])]
        ranges = [
            _seconds(Run(problem, method, 0), 0, preset.budget, kept)
            for method in methods
        ] * preset.num_trials
        lines.append(
            f"python reproduce/table1.py --preset paper {problem.arguments}\n"
            f"  {_total(ranges, options)}"
        )
    return "\n".join(["The paper's protocol:", *lines])


def _total(ranges, options):
    """Return how long runs take side by side, as text.

    The least time is that of workers that are all busy to the end; at most, the longest
    run starts last.
    """
    known = [seconds for seconds in ranges if seconds is not None]
    num_unknown = len(ranges) - len(known)
    if not known:
        return "time unknown: no run of these kinds was measured"
    jobs = 1 if options.cluster else options.num_jobs
    shortest, longest = zip(*known, strict=True)
    total = (
        max(sum(shortest) / jobs, max(shortest)),
        sum(longest) / jobs + (1 - 1 / jobs) * max(longest),
    )
    place = "of one worker" if options.cluster else f"with {jobs} jobs"
    unknown = f"time unknown for {num_unknown}, of kinds never measured; the others "
    return f"{unknown if num_unknown else ''}{_text(total, 3600, 'hours', 1)} {place}"


def _text(seconds, unit, name, digits=0):
    """Return a range of seconds as text, such as "2 to 3 min"."""
    if seconds is None:
        return "time unknown"
    low, high = (f"{max(value / unit, 10**-digits):.{digits}f}" for value in seconds)
    return f"about {low} {name}" if low == high else f"{low} to {high} {name}"


def _seconds(run, reached, budget, stores) -> tuple[float, float] | None:
    """Return the least and the most seconds of the rest of a run, `None` if unknown.

    They come from the trials of the same kind that got farthest towards the budget, in
    the first store with a trial that got half-way: runs of this machine come first.
    Without any such trial, the farthest of all is extrapolated if it got a tenth of the
    way.
    """
    farthest: int = 0
    best: list[float] = []
    for kept in stores:
        for rows in kept.trials(run):
            # One training on the full set, whose time does not depend on the budget.
            got = budget
            if not run.is_full:
                got = min(rows["num_annotations"].iloc[-1], budget)
            if got > farthest:
                farthest, best = got, []
            if got == farthest:
                best.append(_rest(run, rows, reached, budget))
        if best and 2 * farthest >= budget:
            break
    return (min(best), max(best)) if best and 10 * farthest >= budget else None


def _rest(run, rows, reached, budget) -> float:
    """Return the seconds of a trial after `reached`, extrapolated to the budget."""
    seconds = rows.filter(like="_seconds").sum(axis=1)
    if run.is_full:
        return seconds.sum()
    last = rows["num_annotations"].iloc[-1]
    within = rows["num_annotations"].between(reached + 1, budget)
    ahead = progress.work(budget) - progress.work(max(reached, min(last, budget)))
    extrapolated = seconds.sum() * max(0, ahead) / progress.work(last)
    return seconds[within].sum() + extrapolated
