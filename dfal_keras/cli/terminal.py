"""Text for a terminal, which names of files must not control."""

import unicodedata


def printable(text: str) -> str:
    r"""Return text whose control characters are escaped, such as `\x1b`.

    So are characters that change the direction of text, and invalid ones. Line breaks
    and tabs stay.

    Example:
        >>> printable("a\x1b[2Jb")
        'a\\x1b[2Jb'
    """
    return "".join(map(_printable, text))


def _printable(character):
    is_control = unicodedata.category(character)[0] == "C"
    if not is_control or character in "\n\t\u200d":  # \u200d joins emojis
        return character
    return character.encode("unicode_escape", "surrogatepass").decode()


class PrintableStream:
    """A text stream that escapes control characters.

    Args:
        stream: The stream to write to.
    """

    def __init__(self, stream):
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text as `printable` returns it."""
        return self._stream.write(printable(text))

    def __getattr__(self, name):
        return getattr(self._stream, name)
