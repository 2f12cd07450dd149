"""A labeling session: a folder in which images are labeled between trainings."""

import dataclasses
import json
import os
import pathlib
from collections.abc import Callable, Sequence

import filelock

from dfal_keras import ActiveLearner, _files, _validation, strategies
from dfal_keras.labeling import (
    check_sample,
    learner_labels,
    model_files,
    networks,
    predictions,
    settings,
    training_history,
)
from dfal_keras.labeling.images import decoding
from dfal_keras.labeling.images.store import Changes, ImageStore
from dfal_keras.labeling.label_history import RETRACTED, Entry, LabelHistory, is_unknown
from dfal_keras.labeling.settings import Settings


class Session:
    """A folder in which images are labeled between trainings.

    | file | content |
    |---|---|
    | `settings.json` | what the session was created with |
    | `images.csv`, `pool.npy` | the images, decoded once |
    | `labels.csv` | the history of all answers; the latest of each image counts |
    | `learner.npz` | the state of the `ActiveLearner` |
    | `initial_model.keras`, `model.keras` | the model given, and the latest trained |
    | `check.csv` | the random sample that is never trained on |
    | `history.csv`, `metrics.json` | the trainings; the latest results by class |

    An answer is in `labels.csv` before it is in `learner.npz`. If a command is
    interrupted in between, the next one continues.

    While a `Session` is open, other processes can't open it. Close it, or use it as a
    context manager.

    Args:
        folder: A folder that `create` made.
        progress: Called with the number of images read so far and of all, while images
            are read. Defaults to `None`.
        trust: Whether to run Python code that the session brings: `Lambda` layers of
            its models, and a strategy of its own. Only for sessions whose origin you
            trust. Defaults to `False`.

    Attributes:
        settings: A `Settings`.
        store: The `ImageStore`. Its rows are those of `learner`.
        changes: What changed in the folder of images since the last time.
        history: The `LabelHistory`.
        learner: The `ActiveLearner`, without a model.

    Raises:
        ValueError: If the folder is not a session, or is damaged; or if another
            process uses it.

    Example:
        >>> import pathlib
        >>> from PIL import Image
        >>> from dfal_keras.labeling import asking, telling
        >>> from dfal_keras.labeling.formats.answer import Answer
        >>> from dfal_keras.labeling.session import Session
        >>> pathlib.Path("images").mkdir()
        >>> for i in range(4):
        ...     Image.new("RGB", (20, 20), (60 * i, 0, 0)).save(f"images/{i}.png")
        >>> names = ["dark", "bright"]
        >>> with Session.create(
        ...     "session", images="images", classes=names, model="LeNet5"
        ... ) as session:
        ...     queried = asking.ask(session, num_queries=2)
        ...     answers = [Answer(each.file, each.sha256, "dark") for each in queried]
        ...     told = telling.tell(session, answers)
        >>> told.num_labeled
        2
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        progress: Callable[[int, int], None] | None = None,
        *,
        trust: bool = False,
    ):
        self.folder = pathlib.Path(folder)
        self._trust = trust
        self.settings = Settings.load(self.folder / _SETTINGS)
        if self.settings.has_own_strategy and not trust:
            raise _validation.ArgumentError(
                "trust",
                "must be given for a session that brings Python code, if you trust its "
                f"origin. Received: {str(folder)!r}, with the strategy "
                f"{self.settings.strategy['class_name']!r:.80}",
            )
        _check_links(self.folder)
        self._lock = _locked(self.folder)
        try:
            _files.remove_temporary(self.folder)
            self.store, self.changes = _open_store(self.folder, self.settings, progress)
            self._check_sample = check_sample.read_sample(self.folder)
            self.history = LabelHistory(self.path("labels.csv"))
            self.learner = ActiveLearner.load(
                self.path(_LEARNER),
                strategy=_strategy(self.settings, self.folder),
                pool=self.store.pool,
            )
            self.catch_up()
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
        classes: Sequence[str],
        model: str | os.PathLike = networks.DEFAULT,
        weights: str | os.PathLike = "imagenet",
        strategy="dfal",
        num_candidates: int | None = None,
        seed: int = 0,
        image_size: Sequence[int] | None = None,
        is_trained: bool | None = None,
        allow_lambda: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> "Session":
        """Make a session, and open it.

        Args:
            folder: A new or empty folder, or the remains of an interrupted `create`
                with the same arguments.
            images: The folder of images, with its subfolders.
            classes: Names of the classes, in the order of the model's outputs.
            model: A `.keras` file, a classifier of images with pixels from 0 to 255; or
                the name of a network, see `networks.build`. Defaults to a small
                network of `keras.applications`.
            weights: For the name of a network, its weights; see `networks.build`.
                Defaults to `"imagenet"`.
            strategy: As for `dfal_keras.strategies.get`. Defaults to `"dfal"`.
            num_candidates: Size of the random subset of the images to choose from.
                Defaults to `None`, the strategy's.
            seed: Seed of queries and trainings. Defaults to 0.
            image_size: `(height, width)`, for a model that accepts any size. Defaults
                to `None`, the model's.
            is_trained: Whether the model is trained. If not, the first queries are
                diverse images, or random ones without pretrained weights. Defaults to
                `None`: a model from a file is trained if it predicts several classes.
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
        decoding.set_pixel_bounds(chosen)
        # A file of another kind is named as such by `load_model`.
        is_file = networks.find(str(model)) is None and (
            str(model).endswith(".keras") or pathlib.Path(model).exists()
        )
        if is_file:
            loaded = model_files.load_model(
                model, allow_lambda=allow_lambda, compile=True
            )
        else:
            loaded = networks.build(
                str(model), len(names), weights=weights, image_size=image_size
            )
        model_files.check_num_classes(loaded, names)
        made = Settings(
            images=os.path.relpath(images, folder),
            classes=tuple(names),
            sample_shape=_sample_shape(loaded, image_size),
            # As it is stored: JSON has lists only.
            strategy=json.loads(json.dumps(strategies.serialize(chosen))),
            seed=_validation.check_seed(seed),
            is_trained=is_file and is_trained is not False,
            is_pretrained=not is_file and networks.has_frozen_layers(loaded),
        )
        model_files.check_trains(loaded, made.sample_shape)
        is_new = not folder.exists()
        if not is_new and not _is_free(folder, made):
            raise _validation.ArgumentError(
                "session",
                f"must be a new or an empty folder. Received: session={str(folder)!r}",
            )
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _check_links(folder)
            with _locked(folder):
                store, _ = _open_store(folder, made, progress)
                _check_can_query(chosen, loaded, store.pool if is_file else None)
                learner = ActiveLearner(strategy=chosen, seed=seed, pool=store.pool)
                learner.save(folder / _LEARNER)
                if is_file:
                    model_files.copy(model, folder / _INITIAL_MODEL)
                else:
                    model_files.save_model(loaded, folder / _INITIAL_MODEL)
                model_files.copy(folder / _INITIAL_MODEL, folder / _MODEL)
                if is_file and is_trained is None:
                    found = predictions.says_several_classes(loaded, store.pool)
                    made = dataclasses.replace(made, is_trained=found)
                made.save(folder / _SETTINGS)  # last: it makes the folder a session
        except ValueError:
            for path in folder.iterdir() if is_new else ():
                path.unlink()
            if is_new:
                folder.rmdir()
            raise
        return cls(folder, trust=True)

    def load_model(self, name: str, *, compile: bool = False):
        """Load one of the session's models; see `model_files.load_model`."""
        path = self.path(name)
        return model_files.load_model(path, allow_lambda=self._trust, compile=compile)

    def path(self, name: str) -> pathlib.Path:
        """Return the path of a file of the session."""
        return self.folder / name

    def trained_model(self):
        """Return the latest model, `None` if it is not trained."""
        if self.settings.is_trained or training_history.read(self.folder).trainings:
            return self.load_model(_MODEL)
        return None

    def check_rows(self) -> list[int]:
        """Return the rows of the random sample that is never trained on."""
        found = (self.store.find(None, checksum) for checksum in self._check_sample)
        return [row for row in found if row is not None]

    def set_check_rows(self, rows: Sequence[int]) -> None:
        """Write the rows of the random sample, none of which is labeled yet."""
        images = [(self.store.names[row], self.store.hashes[row]) for row in rows]
        check_sample.write_sample(self.folder, images)
        self._check_sample = check_sample.read_sample(self.folder)

    def labels(self) -> dict[int, str]:
        """Return the label of each answered image, by row; `?` for "can't tell"."""
        found = {}
        for checksum, label in self.history.latest().items():
            row = self.store.find(None, checksum)
            if row is not None and label != RETRACTED:
                found[row] = label
        return found

    def label(self, row: int) -> str | None:
        """Return the label of an image, `None` if it is not answered."""
        return self.history.label(self.store.hashes[row]) or None

    def record(self, entries: Sequence[Entry], *, apply: bool = True) -> None:
        """Add answers to the history, on disk, and apply them to the learner.

        Args:
            entries: The answers.
            apply: Whether to apply them now, or with the next `catch_up`. Defaults to
                `True`.
        """
        if entries:
            self.history.append(entries)
        if entries and apply:
            self.catch_up()

    def set_classes(self, classes: Sequence[str]) -> None:
        """Change the names of the classes, and write the settings."""
        self.settings = dataclasses.replace(self.settings, classes=tuple(classes))
        self.settings.save(self.path(_SETTINGS))

    def save(self) -> None:
        """Write the state of the learner, which may lack the latest answers."""
        self.learner.save(self.path(_LEARNER))

    def close(self) -> None:
        """Let other processes open the session."""
        self._lock.release()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_):
        self.close()

    def catch_up(self) -> None:
        """Apply the answers that only labels.csv has to the learner, and save it."""
        num_told = self.learner.metadata.get("num_told", 0)
        if type(num_told) is not int or num_told < 0:
            raise ValueError(
                "A session's learner.npz must be as the last command wrote it. "
                f"Received: {self.path(_LEARNER)}, with num_told={num_told!r:.80}"
            )
        told = self.learner.metadata.get("told", self.history.checksum(0))
        # Another thread may add answers meanwhile: these are left to the next call.
        num_known = len(self.history.entries)
        if num_told > num_known or told != self.history.checksum(num_told):
            raise ValueError(
                f"The first {num_told} answers in a session's labels.csv must not "
                "change. Restore the file, and tell corrections with the command "
                f"`tell`. Received: {self.path('labels.csv')}"
            )
        pending = {
            entry.sha256: entry.label
            for entry in self.history.entries[num_told:num_known]
        }
        answers = {}
        retracted = []
        for checksum, label in pending.items():
            row = self.store.find(None, checksum)
            if row is None or checksum in self._check_sample:
                continue
            if label == RETRACTED:
                retracted.append(row)
            else:
                classes = self.settings.classes
                if not is_unknown(label) and label not in classes:
                    raise self._unknown_class(checksum, label)
                answers[row] = None if is_unknown(label) else classes.index(label)
        if pending:
            learner_labels.apply_answers(self.learner, answers)
            learner_labels.remove_answers(self.learner, retracted)
            self.learner.metadata = {
                "num_told": num_known,
                "told": self.history.checksum(num_known),
            }
            self.save()

    def _unknown_class(self, checksum, label):
        """Return the error of a label in the history that is no class."""
        rows = enumerate(self.history.entries, 2)  # after the header
        found = [i for i, e in rows if (e.sha256, e.label) == (checksum, label)]
        return ValueError(
            f"The labels in a session's labels.csv must be among "
            f"{', '.join(self.settings.classes)}. Received: {label!r:.80} in row "
            f"{found[-1]} of {self.path('labels.csv')}"
        )

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
        raise _validation.ArgumentError(
            "model",
            "must take images of a known size, with 1, 3 or 4 "
            "channels; pass `image_size` if it accepts any size. Received: a model for "
            f"samples of shape {shape}",
        )
    return decoding.check_sample_shape("image_size", shape)


def _check_links(folder):
    """Raise ValueError if a file of the folder is a link, which would be followed.

    Hard links are files as others. They matter where a file is written in place.
    """
    links = [path.name for path in folder.iterdir() if path.is_symlink()]
    for name in _IN_PLACE:
        path = folder / name
        if path.is_file() and path.stat().st_nlink > 1:
            links.append(name)
    if links:
        raise _validation.ArgumentError(
            "session",
            "must be a folder of files, as files are not written through links. "
            f"Received: {str(folder)!r}, with the links {sorted(links)!r:.200}",
        )


def _check_can_query(strategy, model, pool):
    """Raise ValueError if a strategy can't query with a model, before any labeling.

    Args:
        strategy: The strategy.
        model: The model.
        pool: Images that it must classify, `None` for a network of `networks.build`.
    """
    if isinstance(strategy, strategies.Strategy):
        strategy.check_model(model)
    if pool is not None:
        predictions.check(model, pool)


def _strategy(made, folder):
    """Return the strategy of the settings."""
    try:
        return strategies.get(made.strategy)
    except (TypeError, ValueError) as error:
        raise _validation.ArgumentError(
            "session",
            "must have a known strategy with valid options in its settings.json. "
            f"Received: {str(folder)!r} ({error})",
        ) from error


def _locked(folder):
    lock = filelock.FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise _validation.ArgumentError(
            "session",
            "must be a folder that no other command uses. "
            f"Received: session={str(folder)!r}",
        ) from error
    return lock


def _is_free(folder, made):
    """Return whether a folder holds at most the remains of an interrupted `create`.

    An interruption at the end leaves a session with the same settings and no query.
    """
    if not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir() if not _files.is_temporary(path)}
    if _SETTINGS in names:
        try:
            stored = Settings.load(folder / _SETTINGS)
            if dataclasses.replace(stored, is_trained=made.is_trained) != made:
                return False
        except ValueError:  # of another program
            return False
    return names <= {_SETTINGS, *_MADE}


_SETTINGS, _LEARNER, _LOCK = "settings.json", "learner.npz", ".lock"
_INITIAL_MODEL, _MODEL = "initial_model.keras", "model.keras"
_IN_PLACE = {"labels.csv", _LOCK}
_MADE = {"images.csv", "pool.npy", _LEARNER, _LOCK, _INITIAL_MODEL, _MODEL}
_MADE.add(".pool.npy.lock")
