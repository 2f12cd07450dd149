"""Installed fonts that have the characters of file names and classes."""

import logging

_logger = logging.getLogger(__name__)


def families(text: str) -> list[str]:
    """Return font families for text that matplotlib draws, the default ones first.

    Matplotlib takes each character from the first family that has it. If none has, it
    draws a box, and a warning is logged.

    Args:
        text: All characters to draw.
    """
    import matplotlib
    from matplotlib import font_manager

    found = list(matplotlib.rcParams["font.family"])
    path = font_manager.findfont(font_manager.FontProperties(family=found))
    missing = _missing(path, filter(str.isprintable, text))
    for font in font_manager.fontManager.ttflist if missing else []:
        # As it is drawn. "Last Resort" has a box for every character.
        is_upright = font.style == "normal" and font.weight == 400
        if not is_upright or font.name.startswith("Last Resort"):
            continue
        still_missing = _missing(font.fname, missing)
        if still_missing < missing:
            found.append(font.name)
            missing = still_missing
    if missing:
        _logger.warning(
            "No installed font has %s: drawn as boxes.",
            ", ".join(f"{c} (U+{ord(c):04X})" for c in sorted(missing)),
        )
    return found


def _missing(path, characters):
    """Return the characters that a font file lacks."""
    from matplotlib import font_manager

    font = font_manager.get_font(path)
    return {c for c in characters if not font.get_char_index(ord(c))}
