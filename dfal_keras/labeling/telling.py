"""What answers do to a learner."""

import collections
import dataclasses
from collections.abc import Iterable, Mapping

from dfal_keras import ActiveLearner
from dfal_keras.labeling.label_history import is_unknown


@dataclasses.dataclass(frozen=True)
class Told:
    """What became of answers.

    Attributes:
        num_labeled: Number of images that got a label, and had none.
        num_corrected: Number of images whose label, or "can't tell", changed.
        num_unknown: Number of images that got "can't tell", and had no label.
        num_unchanged: Number of images whose answer was told before.
        missing: Names of images that are not in the folder.
    """

    num_labeled: int
    num_corrected: int
    num_unknown: int
    num_unchanged: int
    missing: list[str]

    @classmethod
    def count(cls, kinds: Iterable[str], missing: list[str]) -> "Told":
        """Count the kinds of answers, as `kind` returns them."""
        counts = collections.Counter(kinds)
        return cls(
            num_labeled=counts["labeled"],
            num_corrected=counts["corrected"],
            num_unknown=counts["unknown"],
            num_unchanged=counts["unchanged"],
            missing=missing,
        )


def kind(before: str | None, label: str) -> str:
    """Return what an answer does to an image with the answer `before`, if any.

    Returns:
        `"labeled"`, `"corrected"`, `"unknown"` or `"unchanged"`; see `Told`.
    """
    if before == label:
        return "unchanged"
    if before is not None:
        return "corrected"
    return "unknown" if is_unknown(label) else "labeled"


def tell(learner: ActiveLearner, answers: Mapping[int, int | None]) -> None:
    """Tell a learner answers, in the order of the rows, whatever their order.

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
