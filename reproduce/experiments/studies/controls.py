"""The controls of 2026-11-30 and 12-01: copies, noise, grouped splits, more steps.

`reproduce/pages/studies.md` registers them in words.
"""

from experiments.methods import CORE_SET, DFAL, RANDOM
from experiments.studies.first import DFAL_ALONE, RANDOM_ADVERSARIAL
from experiments.studies.study import Study

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

COPIES_DRAWINGS = Study(
    "copies_drawings",
    "Do copies do the same on drawings?",
    (
        *(DFAL, DFAL_COPIES, DFAL_ALONE),
        *(RANDOM_COPIES, RANDOM, CORE_SET_COPIES, CORE_SET),
    ),
    (
        *((DFAL, DFAL_COPIES), (DFAL_COPIES, DFAL_ALONE)),
        *((RANDOM_COPIES, RANDOM), (CORE_SET_COPIES, CORE_SET)),
        *((DFAL_COPIES, CORE_SET_COPIES), (DFAL_COPIES, RANDOM_COPIES)),
        (DFAL_ALONE, RANDOM),
    ),
    panels=(
        (DFAL, DFAL_COPIES, DFAL_ALONE),
        (RANDOM_COPIES, RANDOM),
        (CORE_SET_COPIES, CORE_SET),
    ),
    problem="quick_draw_small-lenet5",
)

STUDIES = (COPIES, SPLIT, STEPS, COPIES_1000, COPIES_DRAWINGS)
