"""The report of `speed.py`: one page and one figure from the stored sections."""

import pathlib

import matplotlib.pyplot as plt
import pandas as pd
from experiments import files
from experiments.analysis import plots
from matplotlib.figure import Figure

from benchmarks import power_law
from benchmarks.sections import SECTIONS

MEMORY = "memory (MB)"
MARKERS = "os^Dvp*"


def read(folder: pathlib.Path) -> dict[str, pd.DataFrame]:
    """Return the stored tables by section."""
    return {
        section: pd.read_csv(folder / f"speed_{section}.csv")
        for section in SECTIONS
        if (folder / f"speed_{section}.csv").exists()
    }


def query_seconds(folder: pathlib.Path) -> dict[str, float]:
    """Return seconds of a query by strategy, of the section "rounds"; {} if not timed.

    Args:
        folder: Folder of `speed_*.csv`.
    """
    rounds = read(folder).get("rounds")
    if rounds is None:
        return {}
    first = rounds[rounds["labeled"] == rounds["labeled"].min()]
    return dict(zip(first["strategy"], first["query"], strict=True))


def write(folder: pathlib.Path, text: str) -> None:
    """Write the page and the figures of the stored sections.

    Args:
        folder: Folder of `speed_*.csv` and `speed_notes.txt`.
        text: The page, as `page` returns it.
    """
    files.write(folder / "speed.md", text)
    draw(read(folder), folder / "speed")


def page(folder: pathlib.Path) -> str:
    """Return the stored sections as a page of Markdown.

    Args:
        folder: As for `write`.
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
    return "\n\n".join(parts) + "\n"


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
    """Draw the ratios of the comparisons and the growth of cost, in two figures.

    Args:
        tables: The stored tables by section.
        path: Where to write, without a suffix. That of growth gets "_growth".
    """
    races = {
        SECTIONS[name].title: tables[name]
        for name in SECTIONS
        if SECTIONS[name].is_race and name in tables
    }
    if races:
        plots.save(draw_races(races), path)
    if "growth" in tables:
        growth = draw_growth(tables["growth"])
        plots.save(growth, path.with_name(f"{path.name}_growth"))


def draw_races(races: dict[str, pd.DataFrame]) -> Figure:
    """Draw the ratios of comparisons: a row for each case, a marker for each peer.

    Args:
        races: The tables by title.
    """
    heights = [race["case"].nunique() + 1 for race in races.values()]
    figure, panels = plt.subplots(
        len(races),
        sharex=True,
        squeeze=False,
        height_ratios=heights,
        figsize=(2 * plots.COLUMN, 0.3 * sum(heights) + 1),
        layout="constrained",
    )
    peers = [race[race.groupby("case").cumcount() > 0] for race in races.values()]
    names = list(dict.fromkeys(pd.concat(peers)["contender"]))
    for panel, title, race in zip(panels[:, 0], races, peers, strict=True):
        cases = list(race["case"].unique())[::-1]
        for name, rows in race.groupby("contender", sort=False):
            number = names.index(name)  # the same color in all panels
            panel.plot(
                rows["times ours"],
                [cases.index(case) for case in rows["case"]],
                ls="",
                marker=MARKERS[number % len(MARKERS)],
                mfc="none",
                color=f"C{number}",
                label=name,
            )
        panel.axvline(1, color="gray", lw=1)
        panel.set(yticks=range(len(cases)), yticklabels=cases, xscale="log")
        panel.set_title(title, loc="left")
        panel.margins(y=0.5 / len(cases))
        panel.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    panels[-1, 0].set_xlabel("times our seconds")
    return figure


def draw_growth(table: pd.DataFrame) -> Figure:
    """Draw `curves` of seconds and memory, each work in one color."""
    figure, panels = plt.subplots(
        1, 2, figsize=(2 * plots.COLUMN, plots.COLUMN), layout="constrained"
    )
    works = list(table["what"].unique())
    for panel, column in zip(panels, ("seconds", MEMORY), strict=True):
        for name, rows in curves(table, column).items():
            color = f"C{works.index(rows['what'].iloc[0])}"
            panel.plot(
                *(rows["size"], rows[column]), color=color, marker="o", ms=3, label=name
            )
        panel.set(xscale="log", yscale="log", xlabel="size n", ylabel=column)
        panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2))
    if MEMORY in table:  # from 1 MB, so that little growth looks little
        panels[1].set_ylim(1, max(10, 2 * table[MEMORY].max()))
    return figure
