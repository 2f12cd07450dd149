"""Tables and notes as text that fits a terminal."""

import textwrap

import pandas as pd

WIDTH = 100  # columns
HEADER_PADDING = 2  # that tabulate adds
MIN_WIDTH = 24  # of a column whose lines are broken


def compact(table: pd.DataFrame) -> str:
    """Return Table 1 as text of at most 100 columns: "paper / ours".

    The best so far is left out. The numbers of trials stand above the table if they
    are the same everywhere, else in the cells.
    """
    ours = table[[column for column in table if column.endswith(": ours")]]
    counts = set(ours.stack().str.extract(r"\(n=(\d+)\)")[0].dropna())
    pattern = r" \(n=\d+\)" if len(counts) == 1 else " $"
    shown = {
        column.removesuffix(": ours"): table[column.replace("ours", "paper")]
        + " / "
        + ours[column].str.replace(pattern, "", regex=True).str.replace("± ", "±")
        for column in ours
        if column != "All: ours"
    }
    text = pd.DataFrame(shown).to_markdown(tablefmt="simple", disable_numparse=True)
    head = f"paper / ours, n = {counts.pop()}" if len(counts) == 1 else "paper / ours"
    lines = [head, "", text]
    if "All: ours" in table and (table["All: ours"] != "").any():
        line = table[["All: paper", "All: ours"]].loc[table["All: ours"] != ""].iloc[0]
        lines.append(f"\nwith all labels: {' / '.join(line)}")
    return "\n".join(lines)


def fit(table: pd.DataFrame) -> str:
    """Return a table as text of at most `WIDTH` columns.

    The lines of long cells are broken. If that is not enough, the table is printed in
    parts, one below the other.
    """
    names = [table.index.name or "", *table.columns]
    longest = [_longest(table.index, names[0]), *(_longest(table[n], n) for n in table)]
    rest = WIDTH - 2 * len(longest)
    while sum(longest) > rest and max(longest) > MIN_WIDTH:
        longest[longest.index(max(longest))] -= 1
    parts, start = [], 1
    while start < len(names):
        end = start + 1
        while end < len(names) and sum(longest[:1] + longest[start : end + 1]) <= rest:
            end += 1
        part = table[names[start:end]].astype(object).reset_index()
        widths = longest[:1] + longest[start:end]
        parts.append(
            part.to_markdown(
                tablefmt="simple",
                disable_numparse=True,
                index=False,
                maxcolwidths=widths,
                maxheadercolwidths=[width - HEADER_PADDING for width in widths],
            )
        )
        start = end
    return "\n\n".join(parts)


def _longest(cells, name):
    """Return the width that a column needs, 1 at least."""
    return max(1, len(name) + HEADER_PADDING, *(len(str(cell)) for cell in cells))


def wrap(text: str) -> str:
    """Return notes with lines of at most `WIDTH` columns, but for messages on files."""
    return "\n".join(
        line
        if line.startswith("Left out: ")
        else textwrap.fill(line, WIDTH, break_long_words=False, break_on_hyphens=False)
        for line in text.splitlines()
    )
