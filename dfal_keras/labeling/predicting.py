"""Predict: a class for every image of a session's folder."""

import dataclasses
import os
import pathlib
import shutil
from collections.abc import Callable, Iterator

import numpy as np

from dfal_keras import _validation
from dfal_keras.backend import inference
from dfal_keras.labeling.formats.answer import CANT_TELL
from dfal_keras.labeling.session import Session

_NUM_PER_BLOCK = 512  # images that are read at a time
_NOT_IN_NAMES = '/\\:*?"<>|'


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What is known of the class of an image.

    Attributes:
        file: Name of the image, relative to its folder.
        sha256: Checksum of the file's content, in hexadecimal.
        label: Name of the class: that of the label, else the predicted one.
        is_labeled: Whether an annotator named the class.
        predicted: Name of the class that the model predicts.
        probability: The predicted probability of that class.
        second: Name of the class with the second largest probability.
        margin: The difference of the two largest probabilities.
    """

    file: str
    sha256: str
    label: str
    is_labeled: bool
    predicted: str
    probability: float
    second: str
    margin: float


def predict(
    session: Session, *, progress: Callable[[int], None] | None = None
) -> Iterator[Prediction]:
    """Predict the class of every image in the folder, in the order of rows.

    Images are read and predicted block by block: the memory does not depend on their
    number. Files with equal content get a prediction each.

    Args:
        session: The session, with a trained model.
        progress: Called with the number of images predicted since the last call.
            Defaults to `None`.

    Yields:
        A `Prediction` for each file.

    Raises:
        ValueError: If the model is not trained.
    """
    model = session.trained_model()
    if model is None:
        raise _validation.ArgumentError(
            "session", f"must have a trained model. Received: {session.folder}"
        )
    return _predict(session, model, progress)


def sort_into(
    session: Session,
    folder: str | os.PathLike,
    predictions: list[Prediction],
    *,
    link: bool = False,
) -> dict[str, int]:
    """Copy images into a folder for each class. The originals are never changed.

    Subfolders of the images are kept below the folder of the class.

    Args:
        session: The session.
        folder: A new or empty folder, outside the folder of images.
        predictions: What `predict` yielded.
        link: Whether to make symbolic links in place of copies. Defaults to `False`.

    Returns:
        The number of images in the folder of each class, by its name.

    Raises:
        ValueError: If the folder is not empty, or is within that of the images.
    """
    target = check_sort_folder(session, folder)
    names = class_folders(session.settings.classes)
    counts = {name: 0 for name in names.values()}
    for prediction in predictions:
        source = session.store.path_of_name(prediction.file)
        if source.is_file():
            place = (
                target
                / names[prediction.label]
                / source.relative_to(session.store.images)
            )
            place.parent.mkdir(parents=True, exist_ok=True)
            if link:
                place.symlink_to(source.resolve())
            else:
                shutil.copy2(source, place)
            counts[names[prediction.label]] += 1
    return counts


def check_sort_folder(session: Session, folder: str | os.PathLike) -> pathlib.Path:
    """Return the absolute path of a folder for `sort_into`, or raise ValueError."""
    target, images = pathlib.Path(folder).resolve(), session.store.images.resolve()
    if target.is_relative_to(images) or (
        target.exists() and (not target.is_dir() or any(target.iterdir()))
    ):
        raise _validation.ArgumentError(
            "sort_into",
            "must be a new or an empty folder outside of that of the images. "
            f"Received: sort_into={str(folder)!r}",
        )
    return target


def class_folders(classes) -> dict[str, str]:
    """Return a distinct name of a folder for each class, valid on any system.

    Example:
        >>> class_folders(["cat", "a/b", "a:b", ".."])
        {'cat': 'cat', 'a/b': 'a_b', 'a:b': 'a_b-2', '..': '_.'}
    """
    table = str.maketrans(dict.fromkeys(_NOT_IN_NAMES, "_"))
    found: dict[str, str] = {}
    used = set()
    for name in classes:
        made = name.translate(table)[:80].rstrip(" .") or "_."
        if made.startswith("."):
            made = "_" + made[1:]
        number, tried = 1, made
        while tried.lower() in used:
            number += 1
            tried = f"{made}-{number}"
        used.add(tried.lower())
        found[name] = tried
    return found


def _predict(session, model, progress):
    store, classes = session.store, session.settings.classes
    labels = session.labels()
    present = np.flatnonzero(store.is_present)
    for start in range(0, len(present), _NUM_PER_BLOCK):
        rows = present[start : start + _NUM_PER_BLOCK]
        probabilities = inference.predict_probabilities(model, store.pool[rows])
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :2]
        for row, each, (first, second) in zip(
            rows.tolist(), probabilities, order.tolist(), strict=True
        ):
            label = labels.get(row, CANT_TELL)
            is_labeled = label != CANT_TELL
            for file in store.files(row):
                yield Prediction(
                    file=file,
                    sha256=store.hashes[row],
                    label=label if is_labeled else classes[first],
                    is_labeled=is_labeled,
                    predicted=classes[first],
                    probability=float(each[first]),
                    second=classes[second],
                    margin=float(each[first] - each[second]),
                )
        if progress is not None:
            progress(len(rows))
