"""Text in cells of a CSV file that a spreadsheet program may open.

A spreadsheet program may run a cell as a formula if it begins with `=`, `+`, `-`, `@`,
the wide forms of these characters, a tab or a line break. Such text is written with an
apostrophe before it. Text that begins with an apostrophe gets one, too, so that
`unescape` returns the original.

Reference: OWASP, [CSV Injection](https://owasp.org/www-community/attacks/CSV_Injection).
"""

import re

_APOSTROPHE = "'"
_UNSAFE = re.compile(r"[\t\r\n]|\s*[=+\-@＝＋－＠']")


def escape(text: str) -> str:
    """Return text for a cell that no spreadsheet program runs as a formula.

    Args:
        text: Any text, such as a file name or the name of a class. Numbers need no
            escape.

    Example:
        >>> escape("=1+1"), escape("image.png")
        ("'=1+1", 'image.png')
    """
    return _APOSTROPHE + text if _UNSAFE.match(text) else text


def unescape(text: str) -> str:
    """Return the text that `escape` was given.

    Cells that other programs wrote are changed only if they begin like escaped ones.

    Args:
        text: The text of a cell.

    Example:
        >>> unescape("'=1+1"), unescape("image.png")
        ('=1+1', 'image.png')
    """
    is_escaped = text.startswith(_APOSTROPHE) and _UNSAFE.match(text[1:])
    return text[1:] if is_escaped else text
