"""How long runs will take, from runs that were measured.

A run's time is a range: from the shortest to the longest of the trials measured of its
kind. Where none was, it is unknown.
"""

import contextlib
import dataclasses
import re

from experiments import progress, protocol, runs, store


def describe(wanted: list, options) -> str:
    """Say which runs are not done, and how long they will take."""
    kept = store.Store(options.output)
    measured = [kept, store.Store(protocol.RESULTS / "paper")]
    lines, ranges = [], []
    for run in wanted:
        budget = options.transfer_budgets[-1] if run.source else options.budget
        reached = kept.num_annotations(run)
        if reached >= budget:
            continue
        seconds = _seconds(run, reached, budget, measured)
        ranges.append(seconds)
        work = f"from {reached} to {budget} annotations"
        if run.strategy == runs.FULL:
            work = "the full training set"
        lines.append(f"{run}: {work}, {_say(seconds, 60, 'min')}")
    head = f"{len(lines)} of {len(wanted)} runs to do"
    if lines:
        head += f": {_total(ranges, options)}"
    return "\n".join([*lines, head])


def whole_protocol(options) -> str:
    """Say how to run the paper's protocol, and how long it takes by the runs stored."""
    preset = protocol.PRESETS["paper"]
    kept = [store.Store(options.output)]
    lines = []
    for problem in options.problem:
        strategies = [*options.strategy, *([runs.FULL] if preset.full_sets else [])]
        ranges = [
            _seconds(runs.Run(problem, strategy, 0), 0, preset.budget, kept)
            for strategy in strategies
        ] * preset.num_trials
        lines.append(
            f"python reproduce/table1.py --preset paper --problem {problem}\n"
            f"  {_total(ranges, options)}"
        )
    return "\n".join(["The paper's protocol:", *lines])


def _total(ranges, options):
    """Say how long runs take side by side; those of unknown time come first.

    At the best all workers are busy to the end; at the worst the longest run starts
    last.
    """
    known = [seconds for seconds in ranges if seconds is not None]
    num_unknown = len(ranges) - len(known)
    if not known:
        return "time unknown, no run of these kinds was measured"
    jobs = 1 if options.cluster else options.jobs
    shortest, longest = zip(*known, strict=True)
    total = (
        max(sum(shortest) / jobs, max(shortest)),
        sum(longest) / jobs + (1 - 1 / jobs) * max(longest),
    )
    place = "of one worker" if options.cluster else f"with {jobs} jobs"
    unknown = f"time unknown for {num_unknown}, of kinds never measured; the others "
    return f"{unknown if num_unknown else ''}{_say(total, 3600, 'hours', 1)} {place}"


def _say(seconds, unit, name, digits=0):
    """Say a range of seconds, such as "2 to 3 min"."""
    if seconds is None:
        return "time unknown"
    low, high = (f"{max(value / unit, 10**-digits):.{digits}f}" for value in seconds)
    return f"about {low} {name}" if low == high else f"{low} to {high} {name}"


def _seconds(run, reached, budget, stores):
    """Return the least and the most seconds of the rest of a run, or None.

    They come from the trials of the same kind that got farthest towards the budget, in
    the first store that has any that got half-way: runs of this machine come before
    others. Without any such trial, the farthest of all is extrapolated, if it got a
    tenth of the way.
    """
    farthest, best = 0, []
    for kept in stores:
        for rows in _trials(run, kept):
            last = rows["num_annotations"].iloc[-1]
            seconds = rows.filter(like="_seconds").sum(axis=1)
            if run.strategy == runs.FULL:  # one training, which is not scaled
                got, rest = budget, seconds.sum()
            else:
                got = min(last, budget)
                within = rows["num_annotations"].between(reached + 1, budget)
                ahead = progress.work(budget) - progress.work(max(reached, got))
                rest = seconds[within].sum()
                rest += seconds.sum() * max(0, ahead) / progress.work(last)
            if got > farthest:
                farthest, best = got, []
            if got == farthest:
                best.append(rest)
        if best and 2 * farthest >= budget:
            break
    return (min(best), max(best)) if best and 10 * farthest >= budget else None


def _trials(run, kept):
    """Yield the rows of the measured runs that differ in the trial only.

    Transfers from different problems train on the same amount of data: they count as
    one kind.
    """
    name = re.compile(re.escape(run.kind) + r"_(\d+)(?:_from_(.+))?")
    for path in sorted(kept.folder.glob("*.csv")):
        found = name.fullmatch(path.stem)
        if found and bool(found[2]) == bool(run.source):
            other = dataclasses.replace(run, trial=int(found[1]), source=found[2])
            with contextlib.suppress(ValueError):  # a damaged file measures nothing
                rows = kept.rows(other)
                if len(rows):
                    yield rows
