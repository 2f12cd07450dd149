"""Labeling sessions for tests."""

import pathlib

from helpers import image_folders

from dfal_keras.labeling.formats.answer import Answer
from dfal_keras.labeling.session import Session


def create(folder: pathlib.Path, num_images=40, *, image_side=16, **options):
    """Make `folder/images`, `folder/model.keras` and the session `folder/session`.

    Returns:
        The session's folder, and the class of each image by file name.
    """
    truth = image_folders.write(folder / "images", num_images, size=image_side)
    image_folders.write_model(folder / "model.keras")
    given = {
        "images": folder / "images",
        "model": folder / "model.keras",
        "classes": image_folders.CLASSES,
        "is_trained": True,
        "strategy": {"class_name": "DFAL", "config": {"num_candidates": 20}},
    }
    Session.create(folder / "session", **{**given, **options}).close()
    return folder / "session", truth


def answers(queried, truth, who="Ada"):
    """Return the true answers of queried images."""
    return [Answer(q.file, q.sha256, truth[q.file], who) for q in queried]


def labels_by_name(session):
    """Return the label that a session has for each answered image, by file name."""
    return {session.store.names[row]: name for row, name in session.labels().items()}


def learned_by_name(session):
    """Return the label that the learner has for each image, by file name."""
    labeled, classes = session.learner.labeled, session.settings.classes
    return {
        session.store.names[row]: classes[label]
        for row, label in zip(labeled.indices, labeled.labels, strict=True)
    }
