"""A labeling session: a folder in which images are labeled between trainings."""

import dataclasses
import datetime
import os
import pathlib
from collections.abc import Callable, Sequence

import filelock

from dfal_keras import ActiveLearner, _validation, strategies
from dfal_keras.session import decoding, model_files, settings, telling
from dfal_keras.session.answer import CANT_TELL, Answer
from dfal_keras.session.image_store import Changes, ImageStore
from dfal_keras.session.label_history import Entry, LabelHistory, is_unknown
from dfal_keras.session.settings import Settings
from dfal_keras.session.telling import Told


class Session:
    """A folder in which images are labeled between trainings.

    | file | content |
    |---|---|
    | `settings.json` | what the session was created with |
    | `images.csv`, `pool.npy` | the images, decoded once |
    | `labels.csv` | the history of all answers; the latest of each image counts |
    | `learner.npz` | the state of the `ActiveLearner` |
    | `initial_model.keras`, `model.keras` | the model given, and the latest trained |
    | `history.csv`, `metrics.json` | the trainings; the latest results by class |

    An answer is in `labels.csv` before it is in `learner.npz`. If a command is killed
    in between, the next one continues.

    While a `Session` is open, other processes can't open it. Close it, or use it as a
    context manager.

    Args:
        folder: A folder that `create` made.
        progress: Called with the number of images read so far and of all, while images
            are read. Defaults to `None`.

    Attributes:
        settings: A `Settings`.
        store: The `ImageStore`. Its rows are those of `learner`.
        changes: What changed in the folder of images since the last time.
        answers: The `LabelHistory`.
        learner: The `ActiveLearner`, without a model.

    Raises:
        ValueError: If the folder is not a session, or is damaged; or if another
            process uses it.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        progress: Callable[[int, int], None] | None = None,
    ):
        self.folder = pathlib.Path(folder)
        self.settings = Settings.load(self.folder / _SETTINGS)
        self._lock = _locked(self.folder)
        try:
            for unfinished in self.folder.glob("*.tmp"):  # of a process that was killed
                unfinished.unlink()
            self.store, self.changes = _open_store(self.folder, self.settings, progress)
            self.answers = LabelHistory(self.path("labels.csv"))
            self.learner = ActiveLearner.load(
                self.path(_LEARNER),
                _no_training,
                strategies.get(self.settings.strategy),
                pool=self.store.pool,
            )
            self._catch_up()
            self._drop_absent()
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(
        cls,
        folder: str | os.PathLike,
        *,
        images: str | os.PathLike,
        model: str | os.PathLike,
        classes: Sequence[str],
        strategy="dfal",
        num_candidates: int | None = None,
        seed: int = 0,
        image_size: Sequence[int] | None = None,
        is_trained: bool = True,
        allow_lambda: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> "Session":
        """Make a session, and open it.

        Args:
            folder: A new or empty folder, or what a killed call of the same left.
            images: The folder of images, with its subfolders.
            model: A `.keras` file, a classifier of images with pixels from 0 to 255.
            classes: Names of the classes, in the order of the model's outputs.
            strategy: As for `dfal_keras.strategies.get`. Defaults to `"dfal"`.
            num_candidates: Size of the random subset of the images to choose from.
                Defaults to `None`, the strategy's.
            seed: Seed of queries and trainings. Defaults to 0.
            image_size: `(height, width)`, for a model that accepts any size. Defaults
                to `None`, the model's.
            is_trained: Whether the model is trained. If not, the first queries are
                drawn at random. Defaults to `True`.
            allow_lambda: Whether to load a model that contains Python code. Defaults
                to `False`.
            progress: As for the constructor. Defaults to `None`.

        Raises:
            ValueError: If an argument is invalid.
        """
        folder = pathlib.Path(folder)
        names = settings.check_classes(classes)
        chosen = strategies.get(strategy)
        if num_candidates is not None:
            chosen.num_candidates = _validation.check_count(
                "num_candidates", num_candidates
            )
        loaded = model_files.load_model(model, allow_lambda=allow_lambda, compile=True)
        model_files.check_num_classes(loaded, names)
        made = Settings(
            images=os.path.relpath(images, folder),
            classes=tuple(names),
            sample_shape=_sample_shape(loaded, image_size),
            strategy=strategies.serialize(chosen),
            seed=_validation.check_count("seed", seed, minimum=0),
            is_trained=is_trained,
            allow_lambda=allow_lambda,
        )
        model_files.check_trains(loaded, made.sample_shape)
        is_new = not folder.exists()
        if not is_new and not _is_free(folder, made):
            raise ValueError(
                "Argument `session` must be a new or an empty folder. "
                f"Received: session={str(folder)!r}"
            )
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with _locked(folder):
                store, _ = _open_store(folder, made, progress)
                ActiveLearner(_no_training, chosen, seed=seed, pool=store.pool).save(
                    folder / _LEARNER
                )
                model_files.copy(model, folder / _INITIAL_MODEL)
                model_files.copy(model, folder / _MODEL)
                made.save(folder / _SETTINGS)  # last: it makes the folder a session
        except ValueError:
            for path in folder.iterdir() if is_new else ():
                path.unlink()
            if is_new:
                folder.rmdir()
            raise
        return cls(folder)

    def path(self, name: str) -> pathlib.Path:
        """Return the path of a file of the session."""
        return self.folder / name

    def labels(self) -> dict[int, str]:
        """Return the label of each answered image, by row; `?` for "can't tell"."""
        found = {}
        for checksum, label in self.answers.latest().items():
            row = self.store.find(None, checksum)
            if row is not None:
                found[row] = label
        return found

    def tell(
        self, answers: Sequence[Answer], *, new_classes: Sequence[str] = ()
    ) -> Told:
        """Add or correct labels. The latest answer of an image counts.

        Args:
            answers: At most one answer for each image. Images are found by checksum,
                else by name.
            new_classes: Names to add to the classes. Those that are there already, as
                after a command that was killed, have no effect.

        Returns:
            A `Told`.

        Raises:
            ValueError: If a label is not the name of a class, or an image is answered
                in two ways. No answer is added.
        """
        known_classes = self.settings.classes
        added = [name for name in new_classes if str(name).strip() not in known_classes]
        classes = settings.check_classes([*known_classes, *added])
        rows, missing = self._find(answers, classes)
        if added:
            self.settings = dataclasses.replace(self.settings, classes=tuple(classes))
            self.settings.save(self.path(_SETTINGS))
        known = self.labels()
        kinds = []
        entries = []
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        for row, answer in sorted(rows.items()):
            label = CANT_TELL if answer.label is None else answer.label
            kinds.append(telling.kind(known.get(row), label))
            if known.get(row) != label:
                image = self.store.names[row], self.store.hashes[row]
                entries.append(Entry(now, answer.who, *image, label))
        if entries:
            self.answers.append(entries)
            self._catch_up()
        return Told.count(kinds, missing)

    def save(self) -> None:
        """Write the state of the learner."""
        num_told = len(self.answers.entries)
        self.learner.metadata = {
            "num_told": num_told,
            "told": self.answers.checksum(num_told),
        }
        self.learner.save(self.path(_LEARNER))

    def close(self) -> None:
        """Let other processes open the session."""
        self._lock.release()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_):
        self.close()

    def _find(self, answers, classes):
        """Return the answers by row, and the names of images that are not there."""
        rows: dict[int, Answer] = {}
        missing = []
        for answer in answers:
            if answer.label is not None and answer.label not in classes:
                raise ValueError(
                    f"Argument `label` must be one of {', '.join(classes)}. Add a "
                    f"class with --new-class. Received: {answer.label!r} for "
                    f"{answer.file or answer.sha256}"
                )
            row = self.store.find(answer.file or None, answer.sha256 or None)
            if row is None:
                missing.append(answer.file or answer.sha256)
            elif row in rows and rows[row].label != answer.label:
                raise ValueError(
                    "Argument `answers` must have one label for an image. Received: "
                    f"{rows[row].label!r} and {answer.label!r} for "
                    f"{self.store.names[row]}"
                )
            else:
                rows[row] = answer
        return rows, missing

    def _catch_up(self):
        """Tell the learner the answers that only labels.csv has, and save it."""
        num_told = self.learner.metadata.get("num_told", 0)
        told = self.learner.metadata.get("told", self.answers.checksum(0))
        if num_told > len(self.answers.entries) or told != self.answers.checksum(
            num_told
        ):
            raise ValueError(
                f"The first {num_told} answers in a session's labels.csv must not "
                "change. Restore the file, and tell corrections with the command "
                f"`tell`. Received: {self.path('labels.csv')}"
            )
        pending = {
            entry.sha256: entry.label for entry in self.answers.entries[num_told:]
        }
        answers = {}
        for checksum, label in pending.items():
            row = self.store.find(None, checksum)
            if row is not None:
                classes = self.settings.classes
                answers[row] = None if is_unknown(label) else classes.index(label)
        if pending:
            telling.tell(self.learner, answers)
            self.save()

    def _drop_absent(self):
        """Exclude images without a file from the open query."""
        query = self.learner.open_query
        if query is not None:
            absent = query.indices[~self.store.is_present[query.indices]]
            if len(absent):
                self.learner.tell(absent, [None] * len(absent))
                self.save()


def _open_store(folder, made, progress):
    """Return the images, and what changed among them."""
    images = pathlib.Path(os.path.normpath(folder / made.images))
    store = ImageStore(folder, images, made.sample_shape)
    changes: Changes = store.refresh(progress)
    return store, changes


def _sample_shape(model, image_size):
    """Return the shape of the images, which must be known."""
    shape = model_files.sample_shape(model, image_size)
    if shape is None or len(shape) != 3 or None in shape or shape[2] not in (1, 3, 4):
        raise ValueError(
            "Argument `model` must take images of a known size, with 1, 3 or 4 "
            "channels; set --image-size if it accepts any size. Received: a model for "
            f"samples of shape {shape}"
        )
    return decoding.check_sample_shape("image_size", shape)


def _locked(folder):
    lock = filelock.FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise ValueError(
            "Argument `session` must be a folder that no other command uses. "
            f"Received: session={str(folder)!r}"
        ) from error
    return lock


def _no_training(x, y, seed):
    raise AssertionError("Sessions train with the command `train`.")


def _is_free(folder, made):
    """Return whether a folder holds at most what a `create` left that was killed.

    A session with the same settings, of which nothing was asked, is what is left if it
    was killed at its end.
    """
    if not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir() if path.suffix != ".tmp"}
    if _SETTINGS in names:
        try:
            if Settings.load(folder / _SETTINGS) != made:
                return False
        except ValueError:  # of another program
            return False
    return names <= {_SETTINGS, *_MADE}


_SETTINGS, _LEARNER, _LOCK = "settings.json", "learner.npz", ".lock"
_INITIAL_MODEL, _MODEL = "initial_model.keras", "model.keras"
_MADE = {"images.csv", "pool.npy", _LEARNER, _LOCK, _INITIAL_MODEL, _MODEL}
