"""The files of a run: its rows, its record and its labeled set.

`<run>.csv` has a row for every round. `<run>.json`, the record, has the settings, the
environments and checksums of the two other files. `<run>.npz` has the labeled set, from
which an interrupted run resumes, with the settings and a checksum of the rows. After
every round each file is replaced atomically: the record, the rows, then the labeled
set. A killed run loses one round at most. Files that do not belong together are
refused.
"""

import contextlib
import hashlib
import io
import json
import os
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import filelock
import numpy as np
import pandas as pd

from dfal_keras import Round, _files
from experiments.methods import FULL

_TRAINING = (
    *("num_annotations", "num_labeled", "accuracy", "loss"),
    *("fit_seconds", "evaluate_seconds"),
)
_ROUND = ("round", *_TRAINING, "query_seconds")
_COUNTS = ("round", "num_annotations", "num_labeled")

_READ_ERRORS = (TypeError, ValueError, AttributeError, KeyError, RecursionError)
_ADVICE = "Remove the files of this run, or use another --output."


def write(path: pathlib.Path, text: str) -> None:
    """Write a text file atomically. Create its folder if necessary."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _files.write_text(path, text)


class RunFiles:
    """The files of one run.

    Args:
        folder: Their folder. It is created with the first file.
        name: Their name without suffix.
    """

    def __init__(self, folder: pathlib.Path, name: str):
        self.folder = folder
        self.name = name
        self._started: tuple[dict, dict] | None = None

    def path(self, suffix: str) -> pathlib.Path:
        """Return the path of the file with this suffix."""
        return self.folder / f"{self.name}{suffix}"

    @contextlib.contextmanager
    def lock(self, on_wait: Callable[[], object]) -> Iterator[None]:
        """Lock the run for this process; wait while another process has locked it.

        The operating system releases the lock when the process ends.

        Args:
            on_wait: Function without arguments, called once before waiting.
        """
        folder = self.folder / ".locks"
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / f"{self.name}.lock")
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            on_wait()
            lock.acquire(poll_interval=0.5)
        try:
            # Left by a killed process: with the lock held, no other one writes.
            for temporary in self.folder.glob(f"{self.name}.*.tmp"):
                temporary.unlink(missing_ok=True)
            yield
        finally:
            lock.release()

    def resume(self, expected: dict) -> list[dict]:
        """Return the rows that a run continues after.

        Args:
            expected: Its settings.

        Raises:
            ValueError: If the files can't be used.
        """
        self.check(expected)
        return self.rows().to_dict("records")

    def check(self, expected: dict) -> None:
        """Check that the run is stored under the expected settings, or not at all.

        Args:
            expected: Settings, as `Run.settings` returns them.

        Raises:
            ValueError: If settings differ or are missing.
        """
        record = self.record()
        if record is not None:
            check_settings(self.path(".json"), record["settings"], expected)
            return
        for other in (self.path(".csv"), self.path(".npz")):
            if other.exists():
                raise ValueError(
                    f"{other} can't be used without the run's settings: "
                    f"{self.path('.json')} is missing. {_ADVICE}"
                )

    def record(self) -> dict | None:
        """Return the record, `None` if there is none.

        Raises:
            ValueError: If the file is damaged.
        """
        path = self.path(".json")
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            kinds = {"settings": dict, "environments": list, "rows": list}
            kinds |= {"labeled_set": list} if "labeled_set" in record else {}
            if not all(isinstance(record[key], kind) for key, kind in kinds.items()):
                raise TypeError("unexpected content")
            return record
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else error
            raise ValueError(f"{path} is damaged: {reason}. {_ADVICE}") from error

    def start(self, made_with: dict, environment: dict) -> None:
        """Let the next rows be recorded with settings and another environment."""
        self._started = made_with, environment

    def rows(self) -> pd.DataFrame:
        """Return the rows; an empty table if the run is not stored.

        Raises:
            ValueError: If the file is damaged, or is not the one that was written.
        """
        record, before, text = self.record(), None, ""
        while record != before:  # read again if another process wrote meanwhile
            text, before = self._text(), record
            record = self.record()
        if record is None:
            self.check({})
            return pd.DataFrame()
        try:
            table = from_csv(text, record["settings"])
            if checksum(text.encode()) not in record["rows"]:
                raise ValueError(
                    "it is missing, or its checksum is not the one in the .json file"
                )
        except ValueError as error:
            raise ValueError(
                f"{self.path('.csv')} is not the file that was written: "
                f"{str(error).strip()}. {_ADVICE}"
            ) from error
        return table

    def write(
        self,
        rows: Sequence[dict],
        save: Callable[[pathlib.Path], object] | None = None,
    ) -> None:
        """Replace the files. The run must have been started.

        Args:
            rows: All rows.
            save: Function that writes the labeled set to a path. Defaults to `None`:
                the run has none.
        """
        record, text = self.record() or {"environments": []}, to_csv(rows)
        if self._started:
            record["settings"], environment = self._started
            record["environments"].append(environment)
            self._started = None
        # The record fits the files of before and of now: a kill leaves either.
        record["rows"] = [checksum(each.encode()) for each in (self._text(), text)]
        path, temporary = self.path(".npz"), self.path(".npz.tmp")
        if save is not None:
            save(temporary)
            record["labeled_set"] = [
                checksum(each.read_bytes())
                for each in (path, temporary)
                if each.exists()
            ]
        for suffix, content in ((".json", _to_json(record)), (".csv", text)):
            write(self.path(suffix), content)
        if save is not None:
            os.replace(temporary, path)

    def read_labeled_set(self, load: Callable[[pathlib.Path], Any], expected: dict):
        """Return the learner that was saved as the labeled set.

        Args:
            load: Function that reads it from a path.
            expected: The settings of the run.

        Raises:
            ValueError: If there is none, if it is not the one that was written, or if
                it was made with other settings. The message names the file.
        """
        path, record = self.path(".npz"), self.record() or {}
        if not path.exists():
            raise ValueError(
                f"The run {self.name} has no labeled set: {path} is missing. Use "
                "another --output, where that run is made first."
            )
        known = record.get("labeled_set")  # older records have no checksum of it
        if known is not None and checksum(path.read_bytes()) not in known:
            raise ValueError(
                f"{path} is not the file that was written: its checksum is not the one "
                f"in the .json file. {_ADVICE}"
            )
        try:
            learner = load(path)
            made_with = dict(learner.metadata.get("settings", {}))
        except _READ_ERRORS as error:
            reason = str(error).strip() or type(error).__name__
            raise ValueError(f"{path} is damaged: {reason}. {_ADVICE}") from error
        check_settings(path, made_with, expected)
        return learner

    def _text(self) -> str:
        """Return the text of the rows, "" if there are none."""
        path = self.path(".csv")
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is damaged: {error}. {_ADVICE}") from error


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


def from_round(finished: Round) -> dict:
    """Return the row of a round, which a run stores."""
    return {name: getattr(finished, name) for name in _ROUND}


def to_csv(rows: Sequence[dict]) -> str:
    """Return rows as the text of a CSV file."""
    return pd.DataFrame(rows).to_csv(index=False, lineterminator="\n") if rows else ""


def from_csv(text: str, made_with: dict) -> pd.DataFrame:
    """Return the rows of a CSV file's text; an empty table if there is no text.

    Args:
        text: The text.
        made_with: The run's settings.

    Raises:
        ValueError: If these can't be rows of such a run.
    """
    if not text:
        return pd.DataFrame()
    is_full = made_with.get("strategy") == FULL.name
    is_learning = not is_full and not made_with.get("source")
    columns = list(_ROUND if is_learning else _TRAINING)
    table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    if list(table.columns) != columns:
        raise ValueError(f"its columns are {list(table.columns)}, not {columns}")
    # NumPy's parser keeps every bit, pandas's does not: the file of a resumed run must
    # equal that of an uninterrupted one.
    table = table.astype({name: int if name in _COUNTS else float for name in columns})
    if not len(table) or not np.isfinite(table.to_numpy(float)).all():
        raise ValueError("a number is missing or not finite")
    if not table["accuracy"].between(0, 1).all():
        raise ValueError("an accuracy is not from 0 to 1")
    if is_learning:
        k = np.arange(len(table))
        initial, size = made_with.get("num_initial", 0), made_with.get("num_queries", 0)
        if list(table["round"]) != list(k):
            raise ValueError("its rounds are not 0, 1, 2, ...")
        if list(table["num_annotations"]) != list(initial + k * size):
            raise ValueError("its annotations do not increase by the size of a query")
    elif not table["num_annotations"].is_unique:
        raise ValueError("it has two rows of the same number of annotations")
    return table


def checksum(content: bytes) -> str:
    """Return the checksum of a file's content."""
    return hashlib.new("sha256", content).hexdigest()


def _to_json(record):
    return json.dumps(record, indent=2) + "\n"
