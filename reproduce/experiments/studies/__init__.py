"""The studies beyond the paper, and the methods that they add to the paper's.

Plain data, without TensorFlow. A new study is a `Study` in one of these modules, with
the methods that it adds, and in `STUDIES`.
"""

import functools

from dfal_keras import _validation
from experiments.methods import FULL, PRINTED, Method
from experiments.studies import controls, first, newer
from experiments.studies.study import Study

STUDIES = {
    study.name: study for study in (*first.STUDIES, *controls.STUDIES, *newer.STUDIES)
}
METHODS = {
    method.name: method
    for methods in (
        PRINTED,
        [FULL, first.BALD_POOL],
        *(s.methods for s in STUDIES.values()),
    )
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
