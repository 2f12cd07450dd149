"""The report of `speed.py`: one page and one figure from the stored sections."""

import pathlib

import matplotlib.pyplot as plt
import pandas as pd
from experiments import files
from experiments.analysis import plots
from experiments.methods import CORE_SET, DFAL

from benchmarks import power_law
from benchmarks.sections import SECTIONS

MEMORY = "memory (MB)"


def read(folder: pathlib.Path) -> dict[str, pd.DataFrame]:
    """Return the stored tables by section."""
    return {
        section: pd.read_csv(folder / f"speed_{section}.csv")
        for section in SECTIONS
        if (folder / f"speed_{section}.csv").exists()
    }


def write(folder: pathlib.Path) -> str:
    """Write the stored sections as a page and a figure, and return the page.

    Args:
        folder: Folder of `speed_*.csv` and `speed_notes.txt`.
    """
    tables = read(folder)
    parts = ["# Speed", summary(tables).to_markdown(index=False, disable_numparse=True)]
    for section, table in tables.items():
        parts += [
            f"## {SECTIONS[section].title}",
            table.astype(object).fillna("").to_markdown(index=False),
        ]
    if "growth" in tables:
        parts.append(
            f"Fitted seconds: {'; '.join(curves(tables['growth'], 'seconds'))}."
        )
        memory = curves(tables["growth"], MEMORY)
        if memory:
            parts.append(f"Fitted {MEMORY}: {'; '.join(memory)}.")
    notes = folder / "speed_notes.txt"
    if notes.exists():
        parts.append(notes.read_text().strip())
    parts += _machines(folder, tables)
    page = "\n\n".join(parts) + "\n"
    files.write(folder / "speed.md", page)
    draw(tables, folder / "speed")
    return page


def _machines(folder, tables):
    """Return a line for each machine, with the sections that were timed on it."""
    titles: dict[str, list[str]] = {}
    for section in tables:
        path = folder / f"speed_{section}_machine.txt"
        if path.exists():
            machine = path.read_text().strip()
            titles.setdefault(machine, []).append(SECTIONS[section].title)
    return [f"Machine: {name} ({', '.join(of)})." for name, of in titles.items()]


def summary(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a row for each comparison: our seconds, the other's and the ratio."""
    rows = []
    for name, section in SECTIONS.items():
        if not section.is_race or name not in tables:
            continue
        for case, race in tables[name].groupby("case", sort=False):
            ours, *others = race.to_dict("records")
            rows += [
                {
                    "what": f"{section.title}: {case}",
                    "beside": other["contender"],
                    "ours (s)": f"{ours['seconds']:.3g}",
                    "theirs (s)": f"{other['seconds']:.3g}",
                    "times ours": f"{other['times ours']:.1f}",
                }
                for other in others
            ]
    return pd.DataFrame(rows)


def curves(table: pd.DataFrame, column: str) -> dict[str, pd.DataFrame]:
    """Return the rows of each work whose growth is measured by a column, by legend.

    Args:
        table: The table of the section "growth".
        column: The measured column. Earlier tables may lack it.

    Returns:
        Rows above 0. The legend is the work and the exponent of a fitted power law.
    """
    if column not in table:
        return {}
    measured = table[table[column] > 0]
    return {
        f"{what}, n^{power_law.fit(rows['size'], rows[column]).power:.2f}": rows
        for what, rows in measured.groupby("what", sort=False)
        if len(rows) > 1
    }


def draw(tables: dict[str, pd.DataFrame], path: pathlib.Path) -> None:
    """Draw the ratios of the comparisons and the growth of cost, and save the figure.

    Args:
        tables: The stored tables by section.
        path: Where to write, without a suffix.
    """
    races = summary(tables)
    figure, panels = plt.subplot_mosaic(
        [["ratios", "seconds"], ["ratios", MEMORY]],
        figsize=(3 * plots.COLUMN, 2 + 0.16 * max(len(races), 20)),
        layout="constrained",
    )
    if len(races):
        draw_ratios(panels["ratios"], races)
    for column in ("seconds", MEMORY):
        panel = panels[column]
        if "growth" in tables and curves(tables["growth"], column):
            draw_growth(panel, tables["growth"], column)
        else:
            panel.set_axis_off()
    if panels[MEMORY].axison:  # from 1 MB, so that little growth looks little
        panels[MEMORY].set_ylim(1, max(10, 2 * tables["growth"][MEMORY].max()))
    plots.save(figure, path)


def draw_ratios(panel, races: pd.DataFrame) -> None:
    """Draw the ratios of `summary` as bars."""
    names = races["what"].str.split(": ", n=1).str[1] + ": " + races["beside"]
    ratios = races["times ours"].astype(float)
    drawn = panel.barh(names[::-1], ratios[::-1], color=plots.COLORS[CORE_SET])
    panel.bar_label(drawn, fmt="%.1f", padding=2)
    panel.axvline(1, color=plots.COLORS[DFAL])
    panel.set(xscale="log", xlabel="times our seconds")
    panel.margins(x=0.2, y=0.01)


def draw_growth(panel, table: pd.DataFrame, column: str) -> None:
    """Draw `curves`, each work in one color whatever the column."""
    works = list(table["what"].unique())
    for name, rows in curves(table, column).items():
        color = f"C{works.index(rows['what'].iloc[0])}"
        panel.plot(
            *(rows["size"], rows[column]), color=color, marker="o", ms=3, label=name
        )
    panel.set(xscale="log", yscale="log", xlabel="size n", ylabel=column)
    panel.legend(loc="center left", bbox_to_anchor=(1, 0.5))
