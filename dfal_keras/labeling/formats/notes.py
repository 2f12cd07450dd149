"""What is ignored when a file of answers is read."""

import collections
import dataclasses


@dataclasses.dataclass
class Notes:
    """What is ignored when a file of answers is read.

    Attributes:
        conflicts: For each image with several labels, its name and the labels.
        left_out: Number of results that are not labels, by kind.
    """

    conflicts: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    left_out: collections.Counter = dataclasses.field(
        default_factory=collections.Counter
    )

    def lines(self) -> list[str]:
        """Return the notes as lines of text."""
        found = [
            f"{count} {kind} are left out" for kind, count in self.left_out.items()
        ]
        if self.conflicts:
            found.append(f"{len(self.conflicts)} images have several labels, not told:")
        for name, labels in self.conflicts.items():
            found.append(f"    {name}: {', '.join(labels)}")
        return found
