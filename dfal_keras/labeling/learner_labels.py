"""The labels of a session's learner."""

from collections.abc import Mapping, Sequence

import numpy as np

from dfal_keras import ActiveLearner


def apply_answers(learner: ActiveLearner, answers: Mapping[int, int | None]) -> None:
    """Apply answers to a learner, in the order of the rows, whatever their order.

    Args:
        learner: The learner. Samples of its open query are told; others are added,
            corrected, or ignored.
        answers: Class index of each row; `None` for "can't tell".
    """
    query = learner.open_query
    queried = set() if query is None else set(query.indices.tolist())
    labeled = set(learner.labeled.indices.tolist())
    rows = sorted(answers)
    told = [row for row in rows if row in queried]
    if told:
        learner.tell(told, [answers[row] for row in told])
    others = [row for row in rows if row not in queried]
    known = [row for row in others if answers[row] is not None]
    unknown = [row for row in others if answers[row] is None]
    corrected = [row for row in known if row in labeled]
    added = [row for row in known if row not in labeled]
    learner.relabel(corrected, [answers[row] for row in corrected])
    learner.add_labels(added, [answers[row] for row in added])
    learner.unlabel([row for row in unknown if row in labeled])
    learner.ignore(unknown)


def remove_answers(learner: ActiveLearner, rows: Sequence[int]) -> None:
    """Remove the labels of rows, and "can't tell": they may be asked again."""
    labeled = set(learner.labeled.indices.tolist())
    learner.unlabel([row for row in rows if row in labeled])
    learner.ignored = np.setdiff1d(learner.ignored, np.array(rows, np.int64))
