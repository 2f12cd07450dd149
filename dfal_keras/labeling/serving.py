"""What the served page does with a session: answers, trainings, queries."""

import dataclasses
import logging
import threading
from collections.abc import Callable

import keras

from dfal_keras.labeling import asking, telling, training
from dfal_keras.labeling.formats.answer import CANT_TELL, Answer
from dfal_keras.labeling.formats.queried_image import QueriedImage
from dfal_keras.labeling.session import Session

_logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Task:
    """Images to label in place of queries: a random sample, or a review.

    Attributes:
        images: The images.
        title: The heading of the page.
        is_review: Whether existing labels are reviewed, too.
    """

    images: list[QueriedImage]
    title: str
    is_review: bool = False


class Desk:
    """A session that one person labels on the served page, with trainings in between.

    An answer is on disk when `answer` returns, also while a model is trained or the
    strategy chooses. The learner gets it before the next training, or when the session
    is opened the next time. Methods may be called by several threads.

    Args:
        session: The session, which is open.
        num_queries: Number of images to ask at a time.
        options: Options of `labeling.training.train`. Defaults to `None`, the defaults.
        task: Images to show in place of queries. Nothing is trained then. Defaults to
            `None`.

    Attributes:
        queried: The images of the last query, those that are answered included.
        task: The argument.
    """

    def __init__(
        self,
        session: Session,
        num_queries: int,
        options: dict | None = None,
        task: Task | None = None,
    ):
        self._session, self._num_queries = session, num_queries
        self._options = options or {}
        self.task = task
        self._answer_lock = threading.Lock()  # held while an answer is written
        self._learner_lock = threading.Lock()  # held while the learner changes
        self._start_lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._progress, self._message = 0.0, ""
        # The name of each image that was shown, by checksum.
        self._names = {entry.sha256: entry.file for entry in session.history.entries}
        self.queried: list[QueriedImage] = []
        if task is None:
            self._ask(resume=True)
        else:
            self._show_images(task.images)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self._session.settings.classes

    def images(self) -> list[QueriedImage]:
        """Return the images of the query, with the labels that are known."""
        known = self.labels()
        return [
            dataclasses.replace(image, label=known.get(image.sha256, ""))
            for image in self.queried
        ]

    def labels(self) -> dict[str, str]:
        """Return the label of each answered image of the query, by its checksum."""
        known = self._session.history.label
        return {
            image.sha256: label
            for image in self.queried
            if (label := known(image.sha256))
        }

    def path(self, sha256: str):
        """Return the path of an image's file, `None` if there is none."""
        row = self._session.store.find(None, sha256)
        return None if row is None else self._session.store.path(row)

    def answer(self, sha256: str, label: str, who: str) -> None:
        """Store an answer. An empty label removes the one before.

        Raises:
            ValueError: If the image was never queried, or the class is unknown.
        """
        file = self._names.get(sha256)
        if file is None:
            raise ValueError(f"the image {sha256!r:.80} was not queried")
        with self._answer_lock:
            if label:
                given = Answer(file, sha256, None if label == CANT_TELL else label, who)
                telling.tell(self._session, [given], apply=False)
            else:
                telling.retract(self._session, file, sha256, who, apply=False)

    def start_training(self) -> bool:
        """Train and ask again, in a thread; return whether it has been started."""
        with self._start_lock:
            if self.is_training or self.task is not None:
                return False
            self._progress, self._message = 0.0, ""
            self._thread = threading.Thread(target=self._train_and_ask, daemon=True)
            self._thread.start()
            return True

    @property
    def is_training(self) -> bool:
        """Whether a training is running."""
        return self._thread is not None and self._thread.is_alive()

    def state(self) -> dict:
        """Return what the page shows while it waits."""
        return {
            "is_training": self.is_training,
            "progress": self._progress,
            "message": self._message,
            "labels": self.labels(),
        }

    def close(self) -> None:
        """Apply the answers to the learner, and close the session."""
        with self._learner_lock:
            if not self.is_training:  # otherwise, the next command applies them
                self._session.catch_up()
            self._session.close()

    def _train_and_ask(self):
        try:
            with self._learner_lock:
                self._session.catch_up()
            if len(set(self._session.learner.labeled.labels.tolist())) > 1:
                training.train(
                    self._session,
                    allow_missing_classes=True,
                    callbacks=[_Progress(self._show, **self._sizes())],
                    **self._options,
                )
            with self._learner_lock:
                self._session.catch_up()
                self._ask()
        # A thread's exception would be lost: the page shows it.
        except Exception as error:
            _logger.exception("The training failed")
            self._message = " ".join(str(error).split())

    def _sizes(self):
        options = self._options
        return {
            "num_restarts": options.get("num_restarts", 5),
            "epochs": options.get("epochs", 100),
        }

    def _show(self, progress):
        self._progress = progress

    def _ask(self, resume=False):
        messages: list[str] = []
        queried = asking.ask(
            self._session, self._num_queries, resume=resume, report=messages.append
        )
        self._show_images(queried)
        self._message = ". ".join(messages)

    def _show_images(self, queried):
        self._names.update({image.sha256: image.file for image in queried})
        self.queried = queried


class _Progress(keras.callbacks.Callback):
    """Report the progress of a training with restarts."""

    def __init__(self, show: Callable[[float], None], num_restarts: int, epochs: int):
        super().__init__()
        self._show, self._num_restarts, self._epochs = show, num_restarts, epochs
        self._restart = -1

    def on_train_begin(self, logs=None):
        self._restart += 1

    def on_epoch_end(self, epoch, logs=None):
        done = self._restart + (epoch + 1) / self._epochs
        self._show(min(1.0, done / self._num_restarts))
