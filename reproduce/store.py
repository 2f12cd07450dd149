"""The run store: one folder, and in it three files a run.

`<problem>_<strategy>_<trial>.csv` has a row for every round; `.json` the settings and
the environment; `.npz` the labelled set, from which an interrupted run goes on. Each is
replaced whole after every round, so a killed run loses one round at most.
"""

import json
import pathlib

import pandas as pd


def write(path: pathlib.Path, text: str):
    """Write a text file whole, or leave what was there as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(text)
    temporary.replace(path)


class StoredUnderOtherSettingsError(ValueError):
    """A run in the store was made with settings other than those asked for."""


class Store:
    """Runs in a folder, which is made when the first is written."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def path(self, run: str, suffix: str) -> pathlib.Path:
        """Return where a run's file of this kind is."""
        return self.folder / f"{run}{suffix}"

    def rows(self, run: str) -> pd.DataFrame:
        """Return a run's finished rounds, none if it never began."""
        path = self.path(run, ".csv")
        return pd.read_csv(path) if path.exists() else pd.DataFrame()

    def num_annotations(self, run: str) -> int:
        """Return how many annotations a run has reached."""
        rows = self.rows(run)
        return int(rows["num_annotations"].iloc[-1]) if len(rows) else 0

    def check_settings(self, run: str, settings: dict):
        """Refuse to mix a stored run with one of other settings."""
        path = self.path(run, ".json")
        if not path.exists():
            return
        stored = json.loads(path.read_text())["settings"]
        wanted = json.loads(json.dumps(settings))
        for name in sorted(stored.keys() | wanted.keys()):
            if stored.get(name) != wanted.get(name):
                raise StoredUnderOtherSettingsError(
                    f"{path} was made with {name}={stored.get(name)!r}, now it is "
                    f"{wanted.get(name)!r}. Use another --output, or remove the run."
                )

    def load(self, runs: list) -> pd.DataFrame:
        """Return the rows of many runs in one table, with columns that tell them."""
        tables = [
            self.rows(str(run)).assign(
                problem=run.problem, strategy=run.strategy, trial=run.trial
            )
            for run in runs
            if self.path(str(run), ".csv").exists()
        ]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
