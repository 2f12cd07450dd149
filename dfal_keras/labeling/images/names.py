"""Find images by name, also by names that other programs have changed."""

import re
import unicodedata
from collections.abc import Mapping

# What Label Studio puts before the name of an uploaded file.
_UPLOADED = re.compile(r"[0-9a-f]{8}-(?=.)")


class NameIndex:
    """The images of a folder by name, as it was or as other programs write it.

    A name may use another Unicode normalization (NFC, NFD) or backslashes, begin with
    `./`, a folder, a drive or an upload prefix, lack its folder, or have spaces around
    it. It is found if exactly one image matches.

    Args:
        rows: The row of each name.

    Example:
        >>> index = NameIndex({"a/x.png": 0, "a/y.png": 1, "b/y.png": 2})
        >>> index.find("/home/ada/a/x.png"), index.find("x.png"), index.find("y.png")
        (0, 0, None)
    """

    def __init__(self, rows: Mapping[str, int]):
        self._exact = rows
        self._by_ending: dict[str, set[int]] = {}
        self._whole: dict[str, set[int]] = {}
        for name, row in rows.items():
            parts = _normalize(name).split("/")
            self._whole.setdefault("/".join(parts), set()).add(row)
            for start in range(len(parts)):
                ending = "/".join(parts[start:])
                self._by_ending.setdefault(ending, set()).add(row)

    def find(self, name: str) -> int | None:
        """Return the row of the only image that a name matches, else `None`."""
        if name in self._exact:
            return self._exact[name]
        parts = _normalize(name).split("/")
        for last in dict.fromkeys((parts[-1], _UPLOADED.sub("", parts[-1], count=1))):
            whole = [*parts[:-1], last]
            for start in range(len(whole)):  # the longest ending first
                rows = self._whole.get("/".join(whole[start:]))
                if rows:
                    return min(rows) if len(rows) == 1 else None
            rows = self._by_ending.get("/".join(whole))  # it lacks its folder
            if rows:
                return min(rows) if len(rows) == 1 else None
        return None


def _normalize(name):
    """Return a name in NFC, with slashes, without `.`, empty parts and outer spaces."""
    text = unicodedata.normalize("NFC", name).replace("\\", "/").strip()
    return "/".join(part for part in text.split("/") if part not in ("", ".")) or text
