"""The run store: one folder, and in it up to three files a run.

`<run>.csv` has a row for every round; `<run>.json` the settings and the environments
it was made in; `<run>.npz` the labelled set, from which an interrupted run goes on.
Each is replaced whole after every round, first the rows, then the labelled set, so a
killed run loses one round at most.
"""

import json
import pathlib

import pandas as pd

from dfal_keras import _files


def write(path: pathlib.Path, text: str):
    """Write a text file whole, or leave what was there as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _files.write_text(path, text)


class Store:
    """Runs in a folder, which is made when the first is written."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def path(self, run, suffix: str) -> pathlib.Path:
        """Return where a run's file of this kind is."""
        return self.folder / f"{run}{suffix}"

    def check(self, run, settings: dict):
        """Refuse to go on with a run that was stored under other settings.

        Raises:
            ValueError: If so. The run is neither overwritten nor mixed with the new.
        """
        path = self.path(run, ".json")
        if not path.exists():
            return
        stored = json.loads(path.read_text())["settings"]
        wanted = json.loads(json.dumps(settings))
        for name in sorted(stored.keys() | wanted.keys()):
            if stored.get(name) != wanted.get(name):
                raise ValueError(
                    f"{path} was made with {name}={stored.get(name)!r}, now it is "
                    f"{wanted.get(name)!r}. Use another --output, or remove the run."
                )

    def record(self, run, settings: dict, environment: dict):
        """Note the settings of a run, and where it is made or gone on with."""
        path = self.path(run, ".json")
        stored = json.loads(path.read_text()) if path.exists() else {}
        environments = [*stored.get("environments", []), environment]
        record = {"settings": settings, "environments": environments}
        write(path, json.dumps(record, indent=2) + "\n")

    def rows(self, run) -> pd.DataFrame:
        """Return a run's finished rounds, none if it never began."""
        path = self.path(run, ".csv")
        if not path.exists():
            return pd.DataFrame()
        # Every bit counts: a resumed run's file equals an undisturbed one's.
        return pd.read_csv(path, float_precision="round_trip")

    def write_rows(self, run, rows: list):
        """Replace a run's rows, given as dicts."""
        write(self.path(run, ".csv"), pd.DataFrame(rows).to_csv(index=False))

    def num_annotations(self, run) -> int:
        """Return how many annotations a run has reached."""
        rows = self.rows(run)
        return int(rows["num_annotations"].iloc[-1]) if len(rows) else 0

    def load(self, runs: list) -> pd.DataFrame:
        """Return the rows of many runs in one table, with columns that tell them."""
        tables = [
            self.rows(run).assign(
                problem=run.problem,
                strategy=run.strategy,
                trial=run.trial,
                source=run.source,
            )
            for run in runs
        ]
        tables = [table for table in tables if "accuracy" in table]
        if not tables:
            return pd.DataFrame(columns=COLUMNS)
        return pd.concat(tables, ignore_index=True)


COLUMNS = ["problem", "strategy", "trial", "source", "num_annotations", "accuracy"]
