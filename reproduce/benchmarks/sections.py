"""The sections of `speed.py`: their titles, functions and the packages they need."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from benchmarks import (
    attacks,
    classes,
    core_set,
    growth,
    rate,
    rounds,
    scoring,
    training,
)
from benchmarks.workload import Workload


class Section(NamedTuple):
    """A section of the report.

    Attributes:
        title: The heading.
        measure: Function of the workload; yields rows as dicts.
        peers: Packages that are timed beside this one. Defaults to none.
        is_race: Whether the rows compare contenders, as `stopwatch.race` yields them.
            Defaults to `False`.
    """

    title: str
    measure: Callable[[Workload], Iterator[dict]]
    peers: tuple[str, ...] = ()
    is_race: bool = False


SECTIONS = {
    "deepfool": Section("DeepFool", attacks.deepfool, ("art", "foolbox"), True),
    "query": Section("A DFAL query", attacks.query, ("foolbox",), True),
    "giving_up": Section("Giving up distant images in a query", attacks.giving_up),
    "classes": Section("Many classes and large images, on one thread", classes.classes),
    "training": Section("Training of a round", training.training, is_race=True),
    "core_set": Section(
        "A CORE-SET query of 10, |L| = 100, |U| = 800", core_set.core_set
    ),
    "rounds": Section("A whole round, in seconds", rounds.rounds),
    "growth": Section("Growth of cost with the work", growth.growth),
    "scoring": Section("Scoring a pool by entropy", scoring.scoring, is_race=True),
    "rate": Section("The share of the machine's rate of matrix products", rate.rate),
}
