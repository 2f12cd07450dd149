"""The numbers that the paper prints in Tables 1 to 4.

Values are copied as printed and never corrected. `ODDITIES` lists those that look like
errors.

Reference:
    - Ducoffe & Precioso, 2018, "Adversarial active learning for deep networks: a margin
      based approach".
"""

from collections.abc import Mapping
from typing import NamedTuple

from experiments.methods import Method
from experiments.problems import PROBLEMS, Problem


class Count(NamedTuple):
    """A number of samples in Table 2.

    Attributes:
        value: The number.
        at_least: Whether it is printed with ">=". Defaults to `False`.
    """

    value: int
    at_least: bool = False


class Oddity(NamedTuple):
    """An inconsistency or peculiarity of the printed numbers.

    Attributes:
        place: The table, figure or section.
        text: One sentence.
    """

    place: str
    text: str


# fmt: off

# Table 1: test accuracy (%) at these numbers of annotations.
TABLE1_BUDGETS =    (100,   500,   800,   1000)
TABLE1 = {
    "mnist-lenet5": {
        "dfal":        (82.77, 96.23, 97.71, 98.02),
        "bald":        (51.88, 91.96, 93.69, 94.24),
        "ceal":        (71.81, 94.81, 96.77, 97.33),
        "core_set":    (78.86, 96.52, 97.53, 98.03),
        "egl":         (58.44, 73.86, 78.57, 78.57),
        "uncertainty": (57.96, 92.52, 94.84, 96.41),
        "random":      (77.56, 92.83, 94.63, 95.31)},
    "mnist-vgg8": {
        "dfal":        (84.28, 96.90, 97.98, 98.59),
        "bald":        (53.73, 91.47, 94.32, 94.32),
        "ceal":        (50.87, 90.69, 90.69, 90.69),
        "core_set":    (78.80, 96.68, 97.46, 97.88),
        "egl":         (37.92, 91.84, 93.99, 93.99),
        "uncertainty": (45.57, 88.36, 94.27, 94.60),
        "random":      (69.79, 91.96, 94.05, 94.46)},
    "shoe_bag-lenet5": {
        "dfal":        (94.62, 98.50, 98.98, 99.10),
        "bald":        (93.10, 97.95, 97.95, 97.95),
        "ceal":        (84.65, 98.50, 99.00, 99.12),
        "core_set":    (92.50, 98.75, 99.07, 99.25),
        "egl":         (75.07, 95.47, 95.47, 95.47),
        "uncertainty": (95.78, 98.35, 98.85, 98.98),
        "random":      (95.50, 98.07, 98.07, 98.07)},
    "shoe_bag-vgg8": {
        "dfal":        (87.73, 98.53, 99.30, 99.50),
        "bald":        (86.78, 95.35, 97.83, 97.83),
        "ceal":        (84.20, 98.78, 99.25, 99.52),
        "core_set":    (0.50,  99.12, 99.12, 99.12),
        "egl":         (0.50,  97.28, 97.28, 97.28),
        "uncertainty": (83.75, 83.75, 83.75, 83.75),
        "random":      (86.78, 95.83, 97.08, 97.08)},
    "quick_draw-lenet5": {
        "dfal":        (82.56, 89.63, 90.72, 91.09),
        "bald":        (72.65, 87.18, 88.34, 88.45),
        "ceal":        (70.46, 87.04, 88.31, 89.39),
        "core_set":    (79.58, 88.93, 90.54, 90.53),
        "egl":         (57.48, 64.05, 64.05, 69.85),
        "uncertainty": (69.24, 86.89, 88.54, 89.09),
        "random":      (78.09, 87.03, 88.98, 89.42)},
    "quick_draw-vgg8": {
        "dfal":        (84.23, 91.52, 93.16, 93.91),
        "bald":        (82.00, 89.94, 91.92, 92.87),
        "ceal":        (64.45, 79.66, 85.73, 88.65),
        "core_set":    (66.71, 89.93, 92.28, 92.62),
        "egl":         (63.12, 86.80, 90.06, 90.06),
        "uncertainty": (52.77, 88.05, 89.31, 91.03),
        "random":      (78.28, 88.13, 89.71, 89.94)},
}
# Table 1, column "All" of (a)-(f): test accuracy (%) with the full training set.
TABLE1_ALL = dict(zip(
    PROBLEMS, (99.04, 98.98, 99.70, 99.50, 95.46, 96.75), strict=True))

# Table 2: (# annotations, # labeled data) needed for the target test accuracy (%).
TABLE2 = {
    "mnist-lenet5": {
        "dfal":        (Count(1210), Count(2410)),
        "core_set":    (Count(1810), Count(1810)),
        "ceal":        (Count(6000, at_least=True), Count(6150, at_least=True))},
    "mnist-vgg8": {
        "dfal":        (Count(980), Count(1950)),
        "core_set":    (Count(1270), Count(1270)),
        "uncertainty": (Count(2800), Count(2800))},
    "shoe_bag-lenet5": {
        "dfal":        (Count(1070), Count(2130)),
        "core_set":    (Count(860), Count(860)),
        "ceal":        (Count(1130), Count(19157))},
    "shoe_bag-vgg8": {
        "dfal":        (Count(530), Count(1050)),
        "core_set":    (Count(400), Count(400)),
        "ceal":        (Count(580), Count(705))},
    "quick_draw-lenet5": {
        "dfal":        (Count(7470), Count(14930)),
        "core_set":    (Count(8590, at_least=True), Count(8590, at_least=True)),
        "uncertainty": (Count(10590, at_least=True), Count(10590, at_least=True))},
    "quick_draw-vgg8": {
        "dfal":        (Count(4810), Count(9610)),
        "core_set":    (Count(6750, at_least=True), Count(6750, at_least=True)),
        "bald":        (Count(5590), Count(5590))},
}
# Target test accuracies (%) of (a)-(f).
TABLE2_TARGET = dict(zip(
    PROBLEMS, (99.04, 98.98, 99.70, 99.50, 95.46, 96.75), strict=True))

# Table 3: seconds to select 10 queries on MNIST, |L| = 100, |U| = 800. The table's
# heading says "regularisation", the text "robustness".
TABLE3 = {
    "dfal":                         126.54,
    "core_set_with_regularisation": 891.78,
    "core_set_no_regularisation":   784.99,
}
# Table 3 at |L| = 1000, |U| = 800, from the authors' AAAI version. It is not in
# arXiv:1802.09841. Both versions print the same number for DFAL.
TABLE3_AAAI = {
    "dfal":                         126.54,
    "core_set_with_regularisation": 3739,
    "core_set_no_regularisation":   3046,
}

# Table 4: test accuracy (%) of the problem `target`, trained on the 1000 annotations
# that were queried for the problem `source`. Keys are (source, target).
TABLE4 = {
    ("mnist-lenet5", "mnist-vgg8"):
        dict(dfal=97.80, core_set=96.90, random=94.46),
    ("mnist-vgg8", "mnist-lenet5"):
        dict(dfal=97.93, core_set=97.40, random=95.31),
    ("quick_draw-lenet5", "quick_draw-vgg8"):
        dict(dfal=92.87, core_set=91.06, random=89.94),
    ("quick_draw-vgg8", "quick_draw-lenet5"):
        dict(dfal=89.23, core_set=89.41, random=89.42),
    ("shoe_bag-lenet5", "shoe_bag-vgg8"):
        dict(dfal=99.40, core_set=99.12, random=97.08),
    ("shoe_bag-vgg8", "shoe_bag-lenet5"):
        dict(dfal=98.75, core_set=98.50, random=98.07),
}

ODDITIES = (
    Oddity("Table 1",
        "14 of the 42 rows have exact plateaus and only one of 126 steps decreases, "
        "which reads as a running maximum, although the text speaks of averages over "
        "five trials."),
    Oddity("Table 1(c), (d)",
        "All entries of the Shoe-Bag panels are multiples of 0.025, which is one image "
        "in the 4,000 of the test set: very probably single trials, not averages over "
        "five."),
    Oddity("Table 1(c)",
        'DFAL is below RANDOM at 100 annotations (94.62 against 95.50), while the text '
        'calls it "always better than random selection".'),
    Oddity("Table 1(c)",
        'CEAL is said to be "worse than uncertainty selection", which holds at 100 '
        "annotations only (84.65 against 95.78): at 500, 800 and 1000 it is ahead."),
    Oddity("Table 1(d)",
        "uncertainty is flat at 83.75 from 100 to 1000 annotations."),
    Oddity("Table 1(d)",
        'DFAL equals and CEAL exceeds, at 1000 annotations, the column "All" of the '
        "whole training set (99.50 and 99.52 against 99.50)."),
    Oddity("Table 1(d)",
        "CORE-SET and EGL at 100 annotations are printed as 0.50, which reads as the "
        "fraction for chance between two classes in a column of percentages."),
    Oddity("Table 1(e)",
        "CORE-SET falls from 90.54 at 800 annotations to 90.53 at 1000, the only "
        "decrease in the whole table."),
    Oddity("Table 4",
        "In all six cells RANDOM is the RANDOM of Table 1 at 1000 annotations for the "
        "target network, so nothing was transferred in that column."),
    Oddity("Table 2",
        'The targets are exactly the column "All" of Table 1, although the caption '
        "allows a tolerance of 0.5 either way."),
    Oddity("Figure 2",
        "The caption announces seven techniques and lists six, leaving out CORE-SET."),
    Oddity("Section 4.2",
        'CEAL is said to use "more than 20 %" of the training sets of MNIST and '
        "Shoe-Bag, while the counts in Table 2 come to about 10 % of each."),
    Oddity("Section 4.2",
        'DFAL is said to use "at most 2 %" of the training sets of MNIST and Shoe-Bag, '
        "while its 2410 samples in Table 2(a) are 4.0 % of MNIST's 60,000."),
    Oddity("Section 4.3",
        "The limit on outliers of the cited CORE-SET method, 1e-4 times the number of "
        "samples n and not itself printed, allows no outlier until n reaches 10,000."),
)

# fmt: on


def accuracies(
    problem: Problem, method: Method, source: Problem | None = None
) -> dict[int, float]:
    """Return the printed test accuracies of a method.

    Args:
        problem: The problem. The result is empty if it is not the paper's. Of a subset
            it is that of the whole data set.
        method: The method. The result is empty if the paper does not print it.
        source: The problem whose labeled set is used, as in Table 4. Defaults to
            `None`, the problem's own labeled set, as in Table 1.

    Returns:
        A dict from the number of annotations to the accuracy in percent.
    """
    if source is None:
        printed = TABLE1.get(problem.panel, {}).get(method.name, ())
        return dict(zip(TABLE1_BUDGETS, printed, strict=False))
    transfers = TABLE4.get((source.panel, problem.panel), {})
    return {1000: transfers[method.name]} if method.name in transfers else {}


def full_set(problem: Problem) -> float | None:
    """Return the printed accuracy with the full training set, in percent.

    Args:
        problem: As for `accuracies`. The result is `None` if it is not the paper's.
    """
    return TABLE1_ALL.get(problem.panel)


def target(problem: Problem) -> float | None:
    """Return the printed target accuracy of Table 2, as `full_set` does."""
    return TABLE2_TARGET.get(problem.panel)


def counts(problem: Problem) -> Mapping[str, tuple[Count, Count]]:
    """Return (# annotations, # labeled data) of Table 2 by method's name.

    Args:
        problem: As for `accuracies`.
    """
    return TABLE2.get(problem.panel, {})
