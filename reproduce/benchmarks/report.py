"""The report of `speed.py`: one page and one figure from the stored sections."""

import pathlib

import matplotlib.pyplot as plt
import pandas as pd
from experiments import plots, store

from benchmarks import power_law
from benchmarks.sections import SECTIONS


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
        powers = [
            f"{what}: n^{power_law.fit(rows['size'], rows['seconds']).power:.2f}"
            for what, rows in tables["growth"].groupby("what", sort=False)
        ]
        parts.append("Fitted: " + ", ".join(powers) + ".")
    notes = folder / "speed_notes.txt"
    if notes.exists():
        parts.append(notes.read_text().strip())
    page = "\n\n".join(parts) + "\n"
    store.write(folder / "speed.md", page)
    draw(tables, folder / "speed")
    return page


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


def draw(tables: dict[str, pd.DataFrame], path: pathlib.Path) -> None:
    """Draw the ratios of the comparisons and the growth of cost, and save the figure.

    Args:
        tables: The stored tables by section.
        path: Where to write, without a suffix.
    """
    figure, (bars, lines) = plt.subplots(
        1, 2, figsize=(3 * plots.COLUMN, 4.2), layout="constrained"
    )
    races = summary(tables)
    if len(races):
        names = races["what"].str.split(": ", n=1).str[1] + ": " + races["beside"]
        ratios = races["times ours"].astype(float)
        drawn = bars.barh(names[::-1], ratios[::-1], color=plots.COLORS["core_set"])
        bars.bar_label(drawn, fmt="%.1f", padding=2)
        bars.axvline(1, color=plots.COLORS["dfal"])
        bars.set(xscale="log", xlabel="times our seconds")
        bars.margins(x=0.2)
    if "growth" in tables:
        for what, rows in tables["growth"].groupby("what", sort=False):
            lines.plot(rows["size"], rows["seconds"], marker="o", ms=3, label=what)
        lines.set(xscale="log", yscale="log", xlabel="size", ylabel="seconds")
        lines.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    plots.save(figure, path)
