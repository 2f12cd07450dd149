"""The studies of 2026-11-30 against newer strategies.

`reproduce/pages/studies.md` registers them in words.
"""

from experiments.methods import CORE_SET, DFAL, RANDOM, Method
from experiments.studies.controls import (
    CORE_SET_COPIES,
    DFAL_COPIES,
    RANDOM_COPIES,
)
from experiments.studies.first import DFAL_ALONE, DIVERSE_DFAL
from experiments.studies.study import Study

_CANDIDATES = {"num_candidates": DFAL.options["num_candidates"]}
_TITLES = {
    "badge": "BADGE",
    "margin": "margin",
    "typiclust": "TypiClust",
    "prob_cover": "ProbCover",
    "max_herding": "MaxHerding",
    "batch_bald": "BatchBALD",
    "falcun": "Falcun",
}


def with_copies(method: Method) -> Method:
    """Return a method that adds a copy of each queried sample."""
    return method.but(
        f"{method.name}_copies", f"{method.title} with copies", companions="copies"
    )


_NEWER = [Method(name, title, name, _CANDIDATES) for name, title in _TITLES.items()]
_NEWER_COPIES = [with_copies(method) for method in _NEWER]
BADGE, MARGIN, TYPICLUST, *_ = _NEWER
BADGE_COPIES, MARGIN_COPIES, TYPICLUST_COPIES, *_, FALCUN_COPIES = _NEWER_COPIES
# After five trials, those with the mean differences from DFAL with copies nearest to
# zero. As registered, ten trials decide their comparisons with it.
CLOSEST = (BADGE_COPIES, MARGIN_COPIES, FALCUN_COPIES)
# The methods that add nothing, and the same with copies.
WITH_COPIES = {
    DFAL_ALONE: DFAL_COPIES,
    CORE_SET: CORE_SET_COPIES,
    RANDOM: RANDOM_COPIES,
    **dict(zip(_NEWER, _NEWER_COPIES, strict=True)),
}

NEWER = Study(
    "newer",
    "Do newer strategies do better?",
    (
        *(DFAL, DFAL_COPIES, DFAL_ALONE, CORE_SET_COPIES, CORE_SET),
        *(RANDOM_COPIES, RANDOM, *_NEWER_COPIES, *_NEWER),
    ),
    (
        *((DFAL_COPIES, method) for method in _NEWER_COPIES),
        *((DFAL_ALONE, method) for method in _NEWER),
        *((DFAL, method) for method in _NEWER_COPIES),
    ),
    panels=((DFAL, *WITH_COPIES.values()), tuple(WITH_COPIES)),
    num_trials=dict.fromkeys((DFAL_COPIES, *CLOSEST), 10),
)

NEWER_CORE_SET = Study(
    "newer_core_set",
    "Do newer strategies do better than CORE-SET?",
    (CORE_SET_COPIES, *_NEWER_COPIES, CORE_SET, *_NEWER),
    (
        *((CORE_SET_COPIES, method) for method in _NEWER_COPIES),
        *((CORE_SET, method) for method in _NEWER),
    ),
    panels=((CORE_SET_COPIES, *_NEWER_COPIES), (CORE_SET, *_NEWER)),
)

_POWER = {"stochastic": "power"}
POWER_DFAL_COPIES = DFAL_COPIES.but(
    "power_dfal_copies", "power DFAL with copies", options=_POWER
)
POWER_MARGIN_COPIES = MARGIN_COPIES.but(
    "power_margin_copies", "power margin with copies", options=_POWER
)
DIVERSE_DFAL_COPIES = DIVERSE_DFAL.but(
    *("diverse_dfal_copies", "diverse DFAL with copies"),
    options={"adversarial": False},
    companions="copies",
)
_SIZES = (50, 100)
_BY_SIZE = {
    size: [
        method.of_size(size)
        for method in (
            *(POWER_DFAL_COPIES, DFAL_COPIES, DIVERSE_DFAL_COPIES, CORE_SET_COPIES),
            *(POWER_MARGIN_COPIES, BADGE_COPIES, TYPICLUST_COPIES),
        )
    ]
    for size in _SIZES
}
LARGE = Study(
    "large",
    "Which strategy for queries of 50 and 100 images? All with copies.",
    tuple(method for methods in _BY_SIZE.values() for method in methods),
    tuple(
        (methods[0], other) for methods in _BY_SIZE.values() for other in methods[1:]
    ),
    budgets=(110, 210, 310),
    panels=tuple(map(tuple, _BY_SIZE.values())),
)

AUGMENTED = Study(
    "augmented",
    "With shifts and rotations in the network, does a strategy still matter?",
    (DFAL, DFAL_COPIES, RANDOM_COPIES, RANDOM),
    (
        *((DFAL_COPIES, RANDOM_COPIES), (DFAL, DFAL_COPIES)),
        *((RANDOM_COPIES, RANDOM), (DFAL, RANDOM)),
    ),
    problem="mnist-augmented_lenet5",
)

_HARDER = (DFAL_COPIES, BADGE_COPIES, MARGIN_COPIES, CORE_SET_COPIES, RANDOM_COPIES)
_AGAINST = tuple((DFAL_COPIES, method) for method in _HARDER[1:])
IMBALANCED = Study(
    "imbalanced",
    "Which strategy with a tenth of the images of five classes? All with copies.",
    _HARDER,
    _AGAINST,
    problem="mnist_imbalanced-lenet5",
)
NOISY = Study(
    "noisy",
    "Which strategy with 10 % wrong labels? All with copies.",
    _HARDER,
    _AGAINST,
    problem="mnist_noisy-lenet5",
)

STUDIES = (NEWER, NEWER_CORE_SET, LARGE, AUGMENTED, IMBALANCED, NOISY)
