"""How fast? DeepFool, queries, training and whole rounds, beside other packages'."""

import argparse
import contextlib
import importlib
import importlib.metadata
import importlib.util
import pathlib
import sys

from experiments import entry_point, execution, store
from experiments.options import at_least, default_output, folder

# isort: split
import pandas as pd
import tqdm
from benchmarks import query_times
from table3 import describe_machine

SECTIONS = {  # what each is called, and the module in `benchmarks` with its function
    "deepfool": ("DeepFool", "attacks"),
    "query": ("A DFAL query", "attacks"),
    "giving_up": ("Giving up images that are too far away, in a query", "attacks"),
    "training": ("Training of a round", "training"),
    "core_set": ("A CORE-SET query of 10, |L| = 100, |U| = 800", "core_set"),
    "rounds": ("A whole round, in seconds", "rounds"),
    "growth": ("Growth of cost with the work", "growth"),
    "scoring": ("Scoring a pool by entropy", "scoring"),
}
PEERS = (("deepfool", "art"), ("deepfool", "foolbox"), ("query", "foolbox"))
RACES = ("deepfool", "query", "training", "scoring")
PRESETS = {
    "quick": {
        "networks": ["LeNet5"],
        "sizes": {"LeNet5": [256]},
        "growing": [200, 400, 800],
    },
    "paper": {
        "networks": ["LeNet5", "VGG8"],
        "sizes": {"LeNet5": [256, 800], "VGG8": [32, 256, 800]},
        "growing": [200, 400, 800, 1600, 3200],
    },
}
NOTES = """
Medians of runs in alternation, in one process, after one run of each that is not
counted; "times ours": how many times our seconds. Foolbox and ours add 1e-4 to each
step; ART checks without overshoot whether a step fooled, so its norms differ.
Training: five restarts of 20 epochs, all of the same steps. Everything is timed with
TensorFlow on {threads} threads.

Machine: {machine}; {packages}.
"""


def main(arguments=None) -> int:
    """Time the sections asked for, each written as it is done; print all there is."""
    options = parse(arguments)
    missing = entry_point.missing(
        dict.fromkeys(
            package for section, package in PEERS if section in options.section
        )
    )
    if missing and not options.stored:
        names = ", ".join(missing)
        print(f'Not installed: {names}. pip install -e ".[benchmark]"', file=sys.stderr)
        return 2
    if not options.stored:
        execution.start_tensorflow(num_threads=options.threads)
        for section in options.section:
            title, module = SECTIONS[section]
            module = importlib.import_module(f"benchmarks.{module}")
            rows = []
            for row in tqdm.tqdm(getattr(module, section)(options), title, unit="row"):
                rows.append(row)
                table = pd.DataFrame(rows).to_csv(index=False, float_format="%.4g")
                store.write(options.output / f"speed_{section}.csv", table)
        notes = NOTES.format(
            threads=options.threads, machine=describe_machine(), packages=packages()
        )
        store.write(options.output / "speed_notes.txt", notes)
    print(write_up(options.output))
    return 0


def parse(arguments) -> argparse.Namespace:
    """Parse, and fill in what the preset says."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--preset", choices=PRESETS, default="quick", help="default: %(default)s")
    add("--section", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="all")
    add("--repeats", type=at_least(2), default=3, help="default: %(default)s")
    add("--threads", type=at_least(1), default=2, help="of TensorFlow (2)")
    add("--output", type=folder, help="folder (reproduce/results/PRESET)")
    add("--stored", action="store_true", help="time nothing, show what is stored")
    options = parser.parse_args(arguments)
    for name, value in PRESETS[options.preset].items():
        setattr(options, name, value)
    options.output = options.output or default_output(options.preset)
    options.labeled = [100, 500, 1000]
    return options


def packages() -> str:
    """Return the versions of what is compared, where it is here."""
    found = []
    for name in ("tensorflow", "keras", "foolbox", "adversarial-robustness-toolbox"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(name)}")
    return ", ".join(found)


def read(folder: pathlib.Path) -> dict:
    """Return the tables that are stored, by section."""
    return {
        section: pd.read_csv(folder / f"speed_{section}.csv")
        for section in SECTIONS
        if (folder / f"speed_{section}.csv").exists()
    }


def write_up(folder: pathlib.Path) -> str:
    """Write what is stored as one page and a figure; return the page."""
    tables = read(folder)
    parts = ["# Speed", summary(tables).to_markdown(index=False, disable_numparse=True)]
    for section, table in tables.items():
        parts += [
            f"## {SECTIONS[section][0]}",
            table.astype(object).fillna("").to_markdown(index=False),
        ]
    if "growth" in tables:
        laws = [
            f"{what}: n^"
            f"{query_times.extrapolate(rows['size'], rows['seconds'], 1)[1]:.2f}"
            for what, rows in tables["growth"].groupby("what", sort=False)
        ]
        parts.append("Fitted: " + ", ".join(laws) + ".")
    path = folder / "speed_notes.txt"
    if path.exists():
        parts.append(path.read_text().strip())
    page = "\n\n".join(parts) + "\n"
    store.write(folder / "speed.md", page)
    draw(tables, folder / "speed")
    return page


def summary(tables: dict) -> pd.DataFrame:
    """Return every race in short: ours, the other, and the ratio."""
    rows = []
    for name in RACES:
        races = tables[name].groupby("case", sort=False) if name in tables else ()
        for case, race in races:
            ours, *others = race.to_dict("records")
            rows += [
                {
                    "what": f"{SECTIONS[name][0]}: {case}",
                    "beside": other["contender"],
                    "ours (s)": f"{ours['seconds']:.3g}",
                    "theirs (s)": f"{other['seconds']:.3g}",
                    "times ours": f"{other['times ours']:.1f}",
                }
                for other in others
            ]
    return pd.DataFrame(rows)


def draw(tables: dict, path: pathlib.Path):
    """Draw how many times longer others take, and growth on logarithmic axes."""
    import matplotlib.pyplot as plt
    from experiments import plots

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
    for what, rows in tables.get("growth", pd.DataFrame(columns=["what"])).groupby(
        "what", sort=False
    ):
        lines.plot(rows["size"], rows["seconds"], marker="o", ms=3, label=what)
    if lines.lines:
        lines.set(xscale="log", yscale="log", xlabel="size", ylabel="seconds")
        lines.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    plots.save(figure, path)


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
