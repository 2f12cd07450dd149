"""The studies of 2026-11-26: size of a query, K, p, what DFAL adds, pseudo-labels.

`reproduce/pages/studies.md` registers them in words.
"""

import math

from experiments.methods import BALD, CEAL, CORE_SET, DFAL, RANDOM, against
from experiments.studies.study import Study

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
    titles={m: f"{m.title}, 10 a query" for m in (DFAL, DIVERSE_DFAL, CORE_SET)},
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
    titles={DFAL: "DFAL, K = 300"},
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
    titles={DFAL: "DFAL, p = 2"},
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

STUDIES = (BATCH, K, P, ADVERSARIAL, PSEUDO)
