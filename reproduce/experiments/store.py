"""The run store: one folder, and in it up to three files a run.

`<run>.csv` has a row for every round; `<run>.json` the settings, the environments it
was made in and the checksum of the rows; `<run>.npz` the labeled set, from which an
interrupted run goes on, with the settings and a checksum again. After every round each
is replaced whole: the record, the rows, then the labeled set. A killed run loses one
round at most, and files that do not belong together are refused.
"""

import contextlib
import hashlib
import io
import json
import pathlib

import filelock
import numpy as np
import pandas as pd

from dfal_keras import _files
from experiments import protocol

COLUMNS = ["problem", "strategy", "trial", "source", "num_annotations", "accuracy"]

_TRAINING = (
    *("num_annotations", "num_labeled", "accuracy", "loss"),
    *("fit_seconds", "evaluate_seconds"),
)
_ROUND = ("round", *_TRAINING, "query_seconds")
_COUNTS = ("round", "num_annotations", "num_labeled")
_ADVICE = "Remove the files of this run, or use another --output."


def write(path: pathlib.Path, text: str):
    """Write a text file whole, and make its folder if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _files.write_text(path, text)


class Store:
    """Runs in a folder, which is made when the first is written."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def path(self, run, suffix: str) -> pathlib.Path:
        """Return where a run's file of this kind is."""
        return self.folder / f"{run}{suffix}"

    @contextlib.contextmanager
    def lock(self, run, on_wait):
        """Hold a run for this process alone; wait while another process holds it.

        The lock is the operating system's: it ends with the process, even if that is
        killed.

        Args:
            run: The run.
            on_wait: Function without arguments, called once if there is a wait.
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
            # Left by a process that was killed: nobody else writes to this run now.
            for temporary in self.folder.glob(f"{run}.*.tmp"):
                temporary.unlink(missing_ok=True)
            yield
        finally:
            lock.release()

    def check(self, run, settings: dict):
        """Refuse a run that was stored under other settings, or without them.

        Args:
            run: The run.
            settings: What the run has to be made with. A name that is missing, such
                as "data" where a data set is not on this machine, is not compared.

        Raises:
            ValueError: If so. The run is left as it is.
        """
        path = self.path(run, ".json")
        record = self._record(run)
        if record is not None:
            check_settings(path, record["settings"], settings)
            return
        for other in (self.path(run, ".csv"), self.path(run, ".npz")):
            if other.exists():
                raise ValueError(
                    f"{other} can't be used without the run's settings: {path} is "
                    f"missing. {_ADVICE}"
                )

    def record(self, run, settings: dict, environment: dict):
        """Note the settings of a run, and where it is made or gone on with."""
        record = self._record(run) or {"environments": []}
        record |= {"settings": settings, "rows": [checksum(self._text(run))]}
        record["environments"].append(environment)
        self._write_record(run, record)

    def rows(self, run) -> pd.DataFrame:
        """Return a run's finished rounds, none if it never began.

        Raises:
            ValueError: If the file is damaged, or is not the one that was written.
        """
        record, before, text = self._record(run), None, ""
        while record != before:  # another process wrote while this one read
            text, before = self._text(run), record
            record = self._record(run)
        path = self.path(run, ".csv")
        if record is None:
            self.check(run, {})
            return pd.DataFrame()
        table, flaw = _parse(text, record["settings"])
        if not flaw and checksum(text) not in record["rows"]:
            flaw = "it is missing, or its checksum is not the one in the .json file"
        if flaw:
            raise ValueError(f"{path} is not as it was written: {flaw}. {_ADVICE}")
        return table

    def write_rows(self, run, rows: list):
        """Replace a run's rows, given as dicts. The run must have been recorded."""
        text = to_csv(rows)
        # Whichever of the two files a killed process leaves, they fit.
        checksums = [checksum(self._text(run)), checksum(text)]
        self._write_record(run, self._record(run) | {"rows": checksums})
        write(self.path(run, ".csv"), text)

    def num_annotations(self, run) -> int:
        """Return how many annotations a run has reached, 0 if it can't be used."""
        try:
            rows = self.rows(run)
        except (ValueError, OSError):
            return 0
        return int(rows["num_annotations"].iloc[-1]) if len(rows) else 0

    def load(self, runs: list, settings_of) -> tuple:
        """Return the rows of many runs in one table, with columns that tell them.

        Args:
            runs: The runs.
            settings_of: Function from a run to the settings that it must have.

        Returns:
            The table, and a list of messages: a run that can't be used is left out.
        """
        tables, refused, known = [], [], {}
        for run in runs:
            try:
                # Runs on a data set that is not here must be of one data set, too.
                settings = known.get(run.problem, {}) | settings_of(run)
                self.check(run, settings)
                table = self.rows(run)
                if len(table):
                    data = self._record(run)["settings"].get("data")
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
            nothing = pd.DataFrame(columns=COLUMNS)
            # The types of a table with rows, so that it can be reckoned with.
            return nothing.astype({"accuracy": float, "num_annotations": int}), refused
        return pd.concat(tables, ignore_index=True), refused

    def _text(self, run):
        """Return the text of a run's rows, "" if there is none."""
        path = self.path(run, ".csv")
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is damaged: {error}. {_ADVICE}") from error

    def _record(self, run):
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
            reason = f"no {error}" if isinstance(error, KeyError) else error
            raise ValueError(f"{path} is damaged: {reason}. {_ADVICE}") from error

    def _write_record(self, run, record):
        write(self.path(run, ".json"), json.dumps(record, indent=2) + "\n")


def check_settings(path, stored: dict, wanted: dict):
    """Refuse a file that was made under other settings.

    Raises:
        ValueError: If a setting differs; it names the file and the setting.
    """
    wanted = json.loads(json.dumps(wanted))  # tuples are lists in a file
    for name in sorted(stored.keys() | wanted.keys()):
        is_known = name != "data" or name in wanted
        if is_known and stored.get(name) != wanted.get(name):
            raise ValueError(
                f"{path} was made with {name}={stored.get(name)!r}, now it is "
                f"{wanted.get(name)!r}. {_ADVICE}"
            )


def to_csv(rows: list) -> str:
    """Return rows, given as dicts, as the text of a file."""
    return pd.DataFrame(rows).to_csv(index=False, lineterminator="\n") if rows else ""


def checksum(text: str) -> str:
    """Return a checksum of the text of a file."""
    return hashlib.sha256(text.encode()).hexdigest()


def _parse(text, settings):
    """Return the rows in a text, and what is wrong with them, if anything is."""
    if not text:
        return pd.DataFrame(), None
    is_full = settings.get("strategy") == protocol.FULL
    is_learning = not is_full and not settings.get("source")
    columns = list(_ROUND if is_learning else _TRAINING)
    try:
        table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    except ValueError as error:
        return None, str(error).strip()
    if list(table.columns) != columns:
        return None, f"its columns are {list(table.columns)}, not {columns}"
    try:
        # By NumPy, not by pandas's own parser: it keeps every bit, so that a resumed
        # run's file equals an undisturbed one's.
        table = table.astype(
            {name: int if name in _COUNTS else float for name in columns}
        )
    except ValueError as error:
        return None, str(error).strip()
    if not len(table) or not np.isfinite(table.to_numpy(float)).all():
        return None, "a number is missing or not finite"
    if not table["accuracy"].between(0, 1).all():
        return None, "an accuracy is not from 0 to 1"
    if is_learning:
        k = np.arange(len(table))
        expected = settings.get("num_initial", 0) + k * settings.get("num_queries", 0)
        if list(table["round"]) != list(k):
            return None, "its rounds are not 0, 1, 2, ..."
        if list(table["num_annotations"]) != list(expected):
            return None, "its annotations do not rise by the size of a query"
    elif not table["num_annotations"].is_unique:
        return None, "a number of annotations is there twice"
    return table, None
