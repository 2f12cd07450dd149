"""The studies beyond the paper, and the methods that they add to the paper's.

Plain data, without TensorFlow. `reproduce/pages/studies.md` registers the comparisons
in words. A new study is a `Study` here, with the methods that it adds, in `STUDIES`.
"""

import functools
import math

from dfal_keras import _validation
from experiments.methods import (
    BALD,
    CEAL,
    CORE_SET,
    DFAL,
    FULL,
    PRINTED,
    RANDOM,
    Method,
    against,
)
from experiments.study import Study

WHOLE_POOL = 10**9  # a number of candidates that no pool has
_FIRST = "2026-11-26"  # when the first studies were registered

# Reported beside Table 1, in no study.
BALD_POOL = BALD.but(
    "bald_pool", "BALD, whole pool", options={"num_candidates": WHOLE_POOL}
)

DIVERSE_DFAL = DFAL.but("diverse_dfal", "diverse DFAL", strategy="diverse_dfal")
_DFAL_SIZES = DFAL.of_size(1), DFAL, DFAL.of_size(50), DFAL.of_size(100)
_DIVERSE_SIZES = DIVERSE_DFAL, DIVERSE_DFAL.of_size(50), DIVERSE_DFAL.of_size(100)
_CORE_SET_SIZES = (
    *(CORE_SET.of_size(1), CORE_SET),
    *(CORE_SET.of_size(50), CORE_SET.of_size(100)),
)
BATCH = Study(
    "batch",
    "From which size of a query on does DFAL suffer, and does diversity help?",
    (*_DFAL_SIZES, *_DIVERSE_SIZES, *_CORE_SET_SIZES, RANDOM),
    (
        *against(DFAL, *(size for size in _DFAL_SIZES if size is not DFAL)),
        *against(DIVERSE_DFAL, *_DIVERSE_SIZES[1:]),
        *against(CORE_SET, *(size for size in _CORE_SET_SIZES if size is not CORE_SET)),
        *zip(_DIVERSE_SIZES, _DFAL_SIZES[1:], strict=True),
        *zip(_DIVERSE_SIZES, _CORE_SET_SIZES[1:], strict=True),
    ),
    budgets=(110, 210, 310),  # 10, and multiples of every size of a query
    panels=(_DFAL_SIZES, (*_DIVERSE_SIZES, RANDOM), _CORE_SET_SIZES),
    family=_FIRST,
    decides="interval",
)

_SUBSETS = [
    DFAL.but(f"dfal_k{k}", f"DFAL, K = {text}", options={"num_candidates": k})
    for k, text in ((100, "100"), (1000, "1000"), (10_000, "10,000"))
]
DFAL_POOL = DFAL.but(
    "dfal_pool", "DFAL, whole pool", options={"num_candidates": WHOLE_POOL}
)
K = Study(
    "k",
    "How many candidates does DFAL need?",
    (_SUBSETS[0], DFAL, *_SUBSETS[1:], DFAL_POOL),
    against(DFAL, *_SUBSETS, DFAL_POOL),
    family=_FIRST,
    decides="interval",
)

DFAL_P1 = DFAL.but("dfal_p1", "DFAL, p = 1", options={"ord": 1})
DFAL_PINF = DFAL.but("dfal_pinf", "DFAL, p = infinity", options={"ord": math.inf})
P = Study(
    "p",
    "Which norm should be minimized?",
    (DFAL_P1, DFAL, DFAL_PINF),
    against(DFAL, DFAL_P1, DFAL_PINF),
    family=_FIRST,
    decides="interval",
)

DFAL_ALONE = DFAL.but(  # the authors' AAAI version calls it "DFAL_"
    "dfal_no_adversarial",
    "DFAL without adversarial examples",
    options={"adversarial": False},
)
RANDOM_ADVERSARIAL = RANDOM.but(
    *("random_adversarial", "RANDOM with adversarial examples"),
    companions="adversarial",
)
ADVERSARIAL = Study(
    "adversarial",
    "What do the queries and the adversarial examples contribute?",
    (DFAL, DFAL_ALONE, RANDOM_ADVERSARIAL, RANDOM),
    (
        (DFAL, DFAL_ALONE),
        (RANDOM_ADVERSARIAL, RANDOM),
        (DFAL_ALONE, RANDOM),
        (DFAL, RANDOM_ADVERSARIAL),
    ),
    family=_FIRST,
    decides="interval",
)

COST_EFFECTIVE_DFAL = DFAL.but(
    "cost_effective_dfal", "cost-effective DFAL", strategy="cost_effective_dfal"
)
PSEUDO = Study(
    "pseudo",
    "Do pseudo-labels far from the boundary help DFAL?",
    (COST_EFFECTIVE_DFAL, DFAL, CEAL, RANDOM),
    ((COST_EFFECTIVE_DFAL, DFAL), (COST_EFFECTIVE_DFAL, CEAL)),
    family=_FIRST,
    decides="interval",
)

DFAL_COPIES = DFAL_ALONE.but("dfal_copies", "DFAL with copies", companions="copies")
DFAL_NOISE = DFAL_ALONE.but("dfal_noise", "DFAL with noise", companions="noise")
RANDOM_COPIES = RANDOM.but("random_copies", "RANDOM with copies", companions="copies")
RANDOM_NOISE = RANDOM.but("random_noise", "RANDOM with noise", companions="noise")
CORE_SET_ADVERSARIAL, CORE_SET_COPIES, CORE_SET_NOISE = (
    CORE_SET.but(f"core_set_{kind}", f"CORE-SET with {title}", companions=kind)
    for kind, title in (
        ("adversarial", "adversarial examples"),
        ("copies", "copies"),
        ("noise", "noise"),
    )
)
_COPIES_PANELS = (
    (DFAL, DFAL_COPIES, DFAL_NOISE, DFAL_ALONE),
    (RANDOM_ADVERSARIAL, RANDOM_COPIES, RANDOM_NOISE, RANDOM),
    (CORE_SET_ADVERSARIAL, CORE_SET_COPIES, CORE_SET_NOISE, CORE_SET),
)
COPIES = Study(
    "copies",
    "Do copies of the queried images do what adversarial examples do?",
    tuple(method for panel in _COPIES_PANELS for method in panel),
    (
        (DFAL, DFAL_COPIES),
        (DFAL_COPIES, DFAL_ALONE),
        (RANDOM_ADVERSARIAL, RANDOM_COPIES),
        (RANDOM_COPIES, RANDOM),
        (DFAL_COPIES, RANDOM_COPIES),
        (DFAL_ALONE, RANDOM),
        (DFAL_NOISE, DFAL_COPIES),
        (RANDOM_NOISE, RANDOM_COPIES),
        (CORE_SET_NOISE, CORE_SET_COPIES),
        (CORE_SET_COPIES, CORE_SET),
        (CORE_SET_ADVERSARIAL, CORE_SET_COPIES),
        (DFAL_COPIES, CORE_SET_COPIES),
    ),
    panels=_COPIES_PANELS,
    num_trials=dict.fromkeys(
        (
            *(DFAL, DFAL_COPIES, DFAL_ALONE),
            *(RANDOM_ADVERSARIAL, RANDOM_COPIES, RANDOM),
        ),
        20,
    ),
)

_GROUPED = {"group_split": True}  # an image and its companion on one side
DFAL_GROUPED = DFAL.but("dfal_grouped", "DFAL, grouped split", training=_GROUPED)
RANDOM_COPIES_GROUPED = RANDOM_COPIES.but(
    *("random_copies_grouped", "RANDOM with copies, grouped split"), training=_GROUPED
)
SPLIT = Study(
    "split",
    "Does it matter that an image and its companion can be on both sides of the "
    "validation split?",
    (DFAL, DFAL_GROUPED, RANDOM_COPIES, RANDOM_COPIES_GROUPED, RANDOM),
    (
        (DFAL_GROUPED, DFAL),
        (RANDOM_COPIES_GROUPED, RANDOM_COPIES),
        (RANDOM_COPIES_GROUPED, RANDOM),
    ),
)

_TWICE = {"num_repeats": 2}
RANDOM_TWICE = RANDOM.but(
    "random_twice", "RANDOM, each image twice an epoch", training=_TWICE
)
DFAL_ALONE_TWICE = DFAL_ALONE.but(
    "dfal_no_adversarial_twice",
    "DFAL without adversarial examples, each image twice an epoch",
    training=_TWICE,
)
STEPS = Study(
    "steps",
    "Do more steps in an epoch suffice? Each training set is seen twice in an epoch, "
    "nothing is added",
    (
        *(RANDOM, RANDOM_TWICE, RANDOM_COPIES),
        *(DFAL_ALONE, DFAL_ALONE_TWICE, DFAL_COPIES),
    ),
    (
        *((RANDOM_TWICE, RANDOM), (RANDOM_TWICE, RANDOM_COPIES)),
        *((DFAL_ALONE_TWICE, DFAL_ALONE), (DFAL_ALONE_TWICE, DFAL_COPIES)),
    ),
)

COPIES_1000 = Study(
    "copies_1000",
    "What is left of it with 1000 annotations?",
    (DFAL, DFAL_COPIES, DFAL_ALONE, RANDOM),
    (
        *((DFAL, DFAL_COPIES), (DFAL_COPIES, DFAL_ALONE)),
        *((DFAL_COPIES, RANDOM), (DFAL_ALONE, RANDOM)),
    ),
    budgets=(100, 300, 500, 800, 1000),
)

STUDIES = {
    study.name: study
    for study in (
        *(BATCH, K, P, ADVERSARIAL, PSEUDO),
        *(COPIES, SPLIT, STEPS, COPIES_1000),
    )
}
METHODS = {
    method.name: method
    for methods in (PRINTED, [FULL, BALD_POOL], *(s.methods for s in STUDIES.values()))
    for method in methods
}


@functools.cache
def get_method(name: str) -> Method:
    """Return a method by its name, the same object in each call.

    Args:
        name: A key of `METHODS`; or "module:Class", a strategy of your own, which is
            constructed without arguments.

    Raises:
        ValueError: If there is no such method.
    """
    if ":" in name:
        return Method(name, name.split(":")[-1], strategy=name)
    _validation.check_choice("strategy", name, METHODS)
    return METHODS[name]


def family_of(study: Study) -> list[Study]:
    """Return the studies over whose comparisons p is adjusted, in their order."""
    return [each for each in STUDIES.values() if each.is_in_family_of(study)]
