"""What an annotator said about one image."""

import dataclasses
import unicodedata
import urllib.parse

from dfal_keras import _validation

_MAX_LENGTH = 10_000  # CSV readers stop at cells of 131,072 characters
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
        time: When it was given, as text that sorts by time; empty if unknown. Answers
            are compared without it.
    """

    file: str
    sha256: str
    label: str | None
    who: str = ""
    time: str = dataclasses.field(default="", compare=False, repr=False)


def without_prefix(name: str, prefix: str) -> str:
    """Return the name of an image without what precedes it.

    Args:
        name: A name, path or address. What follows the prefix in an address of a
            server is percent-encoded.
        prefix: What may precede the name.

    Example:
        >>> without_prefix("https://x.org/i/a%20b.png", "https://x.org/i/")
        'a b.png'
    """
    if not prefix or not name.startswith(prefix):
        return name
    rest = name.removeprefix(prefix)
    is_address = name.startswith(("http://", "https://"))
    return urllib.parse.unquote(rest) if is_address else rest


def check_text(name: str, text: str) -> str:
    """Return the name of a class or a person, or raise ValueError.

    Args:
        name: Name of the argument.
        text: At most 10,000 characters, none of them a control character.
    """
    controls = [c for c in text if unicodedata.category(c) in ("Cc", "Cs")]
    if len(text) > _MAX_LENGTH or controls:
        raise _validation.ArgumentError(
            name,
            f"must be at most {_MAX_LENGTH:,} characters long, without control "
            f"characters. Received: {text!r:.80}, {len(text):,} characters long",
        )
    return text
