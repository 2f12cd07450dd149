"""The run store: a folder with the files of many runs."""

import os
import pathlib
import re
from collections.abc import Iterator, Sequence

import pandas as pd

from experiments.files import RunFiles
from experiments.runs import Run

COLUMNS = ["problem", "strategy", "trial", "source", "num_annotations", "accuracy"]


class Store:
    """The stored runs of a folder.

    Args:
        folder: The folder. It is created with the first run.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = pathlib.Path(folder)

    def files(self, run: Run) -> RunFiles:
        """Return the files of a run, which need not exist."""
        return RunFiles(self.folder, str(run))

    def rows(self, run: Run) -> pd.DataFrame:
        """Return a run's rows; see `RunFiles.rows`."""
        return self.files(run).rows()

    def trials(self, run: Run) -> Iterator[pd.DataFrame]:
        """Yield the rows of all stored trials of a run's kind; none of damaged files.

        All transfers to a problem are of one kind: they train on the same amount of
        data.
        """
        origin = "_from_.+" if run.source else ""
        name = re.compile(rf"{re.escape(run.series)}_\d+{origin}")
        for path in sorted(self.folder.glob("*.csv")):
            if name.fullmatch(path.stem):
                try:
                    rows = RunFiles(self.folder, path.stem).rows()
                except ValueError:
                    continue
                if len(rows):
                    yield rows

    def num_annotations(self, run: Run) -> int:
        """Return the number of annotations of a run's last row, 0 if there is none."""
        try:
            rows = self.rows(run)
        except (ValueError, OSError):
            return 0
        return int(rows["num_annotations"].iloc[-1]) if len(rows) else 0

    def finished(self, run: Run) -> set[int]:
        """Return the numbers of annotations of a run's rows.

        Raises:
            ValueError: If the run can't be used: it was made under other settings, or
                its files are damaged.
        """
        files = self.files(run)
        files.check(run.settings)
        rows = files.rows()
        return set(rows["num_annotations"]) if len(rows) else set()

    def is_done(self, run: Run, budgets: tuple[int, ...]) -> bool:
        """Return whether a run can be used and has reached its budgets.

        Args:
            run: The run.
            budgets: As `Run.budgets` returns them.
        """
        try:
            finished = self.finished(run)
        except (ValueError, OSError):
            return False
        return not run.missing(budgets, finished)

    def load(self, runs: Sequence[Run]) -> tuple[pd.DataFrame, list[str]]:
        """Return the rows of many runs in one table.

        Args:
            runs: The runs.

        Returns:
            The rows, with the columns "problem", "strategy", "trial" and "source", and
            a message for each run that can't be used.
        """
        tables: list[pd.DataFrame] = []
        refused: list[str] = []
        known: dict[str, dict] = {}
        stored = {path.name.rpartition(".")[0] for path in self.folder.glob("*.*")}
        for run in runs:
            if str(run) not in stored:
                continue
            files, names = self.files(run), run.names
            try:
                # Where a data set is not installed, its runs must agree on it.
                files.check(known.get(names["problem"], {}) | run.settings)
                table = files.rows()
                record = files.record()
                if record is not None and len(table):
                    data = record["settings"].get("data")
                    known.setdefault(names["problem"], {"data": data})
            except (ValueError, OSError) as error:
                refused.append(str(error))
                continue
            tables.append(table.assign(**names))
        tables = [table for table in tables if "accuracy" in table]
        if not tables:
            empty = pd.DataFrame(columns=COLUMNS)
            return empty.astype({"accuracy": float, "num_annotations": int}), refused
        return pd.concat(tables, ignore_index=True), refused
