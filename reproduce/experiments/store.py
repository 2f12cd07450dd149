"""The run store: a folder with up to three files for each run.

`<run>.csv` has a row for every round. `<run>.json`, the record, has the settings, the
environments and the checksum of the rows. `<run>.npz` has the labeled set, from which
an interrupted run resumes, with the settings and a checksum of the rows. After every
round each file is replaced atomically: the record, the rows, then the labeled set. A
killed run loses one round at most. Files that do not belong together are refused.
"""

import contextlib
import hashlib
import json
import os
import pathlib
from collections.abc import Callable, Iterator, Sequence

import filelock
import pandas as pd

from dfal_keras import _files
from experiments import row_format
from experiments.runs import Run, missing_budgets, settings

COLUMNS = ["problem", "strategy", "trial", "source", "num_annotations", "accuracy"]

_ADVICE = "Remove the files of this run, or use another --output."


def write(path: pathlib.Path, text: str) -> None:
    """Write a text file atomically. Create its folder if necessary."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _files.write_text(path, text)


class Store:
    """The stored runs of a folder.

    Args:
        folder: The folder. It is created with the first run.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = pathlib.Path(folder)

    def runs(self) -> list[Run]:
        """Return the runs that have a file of rows, by name."""
        found = []
        for path in sorted(self.folder.glob("*.csv")):
            with contextlib.suppress(ValueError):  # another file
                found.append(Run.parse(path.stem))
        return found

    def path(self, run: Run, suffix: str) -> pathlib.Path:
        """Return the path of a run's file with this suffix."""
        return self.folder / f"{run}{suffix}"

    @contextlib.contextmanager
    def lock(self, run: Run, on_wait: Callable[[], object]) -> Iterator[None]:
        """Lock a run for this process; wait while another process has locked it.

        The operating system releases the lock when the process ends.

        Args:
            run: The run.
            on_wait: Function without arguments, called once before waiting.
        """
        folder = self.folder / ".locks"
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / f"{run}.lock")
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            on_wait()
            lock.acquire(poll_interval=0.5)
        try:
            # Left by a killed process: with the lock held, no other one writes.
            for temporary in self.folder.glob(f"{run}.*.tmp"):
                temporary.unlink(missing_ok=True)
            yield
        finally:
            lock.release()

    def check(self, run: Run, expected: dict) -> None:
        """Check that a run is stored under the expected settings, or not at all.

        Args:
            run: The run.
            expected: Settings, as `runs.settings` returns them.

        Raises:
            ValueError: If settings differ or are missing.
        """
        path = self.path(run, ".json")
        record = self._record(run)
        if record is not None:
            check_settings(path, record["settings"], expected)
            return
        for other in (self.path(run, ".csv"), self.path(run, ".npz")):
            if other.exists():
                raise ValueError(
                    f"{other} can't be used without the run's settings: {path} is "
                    f"missing. {_ADVICE}"
                )

    def record(self, run: Run, made_with: dict, environment: dict) -> None:
        """Record the settings of a run, and the environment in which it continues."""
        record: dict = self._record(run) or {"environments": []}
        record |= {"settings": made_with, "rows": [checksum(self._text(run))]}
        record["environments"].append(environment)
        self._write_record(run, record)

    def rows(self, run: Run) -> pd.DataFrame:
        """Return a run's rows; an empty table if it is not stored.

        Raises:
            ValueError: If the file is damaged, or is not the one that was written.
        """
        record, before, text = self._record(run), None, ""
        while record != before:  # read again if another process wrote meanwhile
            text, before = self._text(run), record
            record = self._record(run)
        if record is None:
            self.check(run, {})
            return pd.DataFrame()
        try:
            table = row_format.from_csv(text, record["settings"])
            if checksum(text) not in record["rows"]:
                raise ValueError(
                    "it is missing, or its checksum is not the one in the .json file"
                )
        except ValueError as error:
            raise ValueError(
                f"{self.path(run, '.csv')} is not the file that was written: "
                f"{str(error).strip()}. {_ADVICE}"
            ) from error
        return table

    def write_rows(self, run: Run, rows: Sequence[dict]) -> None:
        """Replace the rows of a run. The run must have been recorded."""
        text = row_format.to_csv(rows)
        record = self._record(run)
        assert record is not None
        # The record fits the rows of before and of now: a kill leaves either.
        checksums = [checksum(self._text(run)), checksum(text)]
        self._write_record(run, record | {"rows": checksums})
        write(self.path(run, ".csv"), text)

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
        self.check(run, settings(run))
        rows = self.rows(run)
        return set(rows["num_annotations"]) if len(rows) else set()

    def is_done(self, run: Run, budgets: tuple[int, ...]) -> bool:
        """Return whether a run can be used and has reached its budgets.

        Args:
            run: The run.
            budgets: As `runs.budgets_of` returns them.
        """
        try:
            return not missing_budgets(run, budgets, self.finished(run))
        except (ValueError, OSError):
            return False

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
        for run in runs:
            try:
                # Where a data set is not installed, its runs must agree on it.
                self.check(run, known.get(run.problem, {}) | settings(run))
                table = self.rows(run)
                record = self._record(run)
                if record is not None and len(table):
                    data = record["settings"].get("data")
                    known.setdefault(run.problem, {"data": data})
            except (ValueError, OSError) as error:
                refused.append(str(error))
                continue
            tables.append(
                table.assign(
                    problem=run.problem,
                    strategy=run.strategy,
                    trial=run.trial,
                    source=run.source,
                )
            )
        tables = [table for table in tables if "accuracy" in table]
        if not tables:
            empty = pd.DataFrame(columns=COLUMNS)
            return empty.astype({"accuracy": float, "num_annotations": int}), refused
        return pd.concat(tables, ignore_index=True), refused

    def _text(self, run: Run) -> str:
        """Return the text of a run's rows, "" if there are none."""
        path = self.path(run, ".csv")
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is damaged: {error}. {_ADVICE}") from error

    def _record(self, run: Run) -> dict | None:
        """Return a run's record, `None` if there is none."""
        path = self.path(run, ".json")
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            kinds = {"settings": dict, "environments": list, "rows": list}
            if not all(isinstance(record[key], kind) for key, kind in kinds.items()):
                raise TypeError("unexpected content")
            return record
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else error
            raise ValueError(f"{path} is damaged: {reason}. {_ADVICE}") from error

    def _write_record(self, run: Run, record: dict) -> None:
        write(self.path(run, ".json"), json.dumps(record, indent=2) + "\n")


def check_settings(path: pathlib.Path, stored: dict, expected: dict) -> None:
    """Check the settings that a file was made with.

    Args:
        path: The file, for the message.
        stored: Its settings.
        expected: The settings that it must have. Without "data", as where a data set
            is not installed, "data" is not compared.

    Raises:
        ValueError: If a setting differs. The message names the file and the setting.
    """
    expected = json.loads(json.dumps(expected))  # tuples are lists in a file
    for name in sorted(stored.keys() | expected.keys()):
        is_known = name != "data" or name in expected
        if is_known and stored.get(name) != expected.get(name):
            raise ValueError(
                f"{path} was made with {name}={stored.get(name)!r}, now it is "
                f"{expected.get(name)!r}. {_ADVICE}"
            )


def checksum(text: str) -> str:
    """Return the checksum of a file's text."""
    return hashlib.sha256(text.encode()).hexdigest()
