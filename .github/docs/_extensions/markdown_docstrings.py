"""Docstrings with a little Markdown, as reStructuredText: code, formulas, tables.

`code` is a link if it names something in the reference. An indented paragraph is a
formula in plain text and is shown as it stands. A Markdown table becomes a table.
"""

import re

_SECTION = re.compile(r"^(Args|Attributes|Returns|Yields|Raises|Example|Reference)s?:$")
_TABLE = re.compile(r"^\s*\|.*\|$")
# A word such as DFAL_ would be a link.
_UNDERSCORE = re.compile(r"(?<=\w)_(?=[\s\".,)]|$)")


def convert(lines):
    """Return the lines of a docstring as reStructuredText."""
    converted, in_section = [], False
    for block in _blocks(lines):
        first = block[0]
        if _SECTION.match(first):
            in_section = True
        if _TABLE.match(first):
            converted += _as_table(block)
        elif first.startswith("    ") and not in_section:
            converted += [".. code-block:: text", "", *block]
        elif first.startswith("Reference:"):
            converted += [".. rubric:: Reference", "", *_dedented(block[1:])]
        else:
            converted += [_UNDERSCORE.sub(r"\\_", line) for line in block]
        converted.append("")
    return converted


def _blocks(lines):
    """Yield the blocks of lines between empty ones; a table is a block of its own."""
    block = []
    for line in [*lines, ""]:
        is_other = block and bool(_TABLE.match(line)) != bool(_TABLE.match(block[-1]))
        if (not line.strip() or is_other) and block:
            yield block
            block = []
        if line.strip():
            block.append(line)


def _dedented(block):
    return [line[4:] for line in block]


def _as_table(block):
    """Return a list-table."""
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        for line in block
    ]
    table = [".. list-table::", "   :header-rows: 1", ""]
    for row in (rows[0], *rows[2:]):
        marks = ["   * - ", *["     - "] * (len(row) - 1)]
        table += [f"{mark}{cell}" for mark, cell in zip(marks, row, strict=True)]
    return table


def process(app, what, name, item, options, lines):
    """Convert a docstring in place, before napoleon reads its sections."""
    lines[:] = convert(lines)


def code_without_link(app, env, node, contnode):
    """Return `code` that names nothing in the reference, as it is."""
    if node.get("refdomain") == "py" and node.get("reftype") == "obj":
        return contnode
    return None


def setup(app):
    """Register the extension."""
    app.config.default_role = "py:obj"
    app.connect("autodoc-process-docstring", process, priority=400)
    app.connect("missing-reference", code_without_link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
