"""What an annotator said about one image."""

import dataclasses

# What an annotator who can't tell enters instead of a class.
CANT_TELL = "?"


@dataclasses.dataclass(frozen=True)
class Answer:
    """What an annotator said about one image.

    Attributes:
        file: Name of the image, relative to its folder; empty if unknown.
        sha256: Checksum of the file's content, in hexadecimal; empty if unknown.
        label: Name of the class, or `None` if the annotator can't tell.
        who: Name of the annotator; empty if unknown.
    """

    file: str
    sha256: str
    label: str | None
    who: str = ""
