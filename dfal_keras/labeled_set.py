"""The labelled set L_k: which samples, their labels, and what came for free."""

import dataclasses
import pathlib
import zipfile

import numpy as np

from dfal_keras import _files

_UNREADABLE = (
    *(OSError, EOFError, KeyError, TypeError, ValueError),
    zipfile.BadZipFile,
)


@dataclasses.dataclass
class LabeledSet:
    """What is labelled, as indices into the pool, labels and adversarial twins.

    Attributes:
        indices: Int array of shape `(num_annotations,)`, rows of the pool in the order
            in which they were labelled.
        labels: Int array of shape `(num_annotations,)`.
        adversarial_twins: Float32 array of shape `(num_twins, ...)`; of shape `(0,)`
            as long as there is none.
        twin_labels: Int array of shape `(num_twins,)`.
        pseudo_indices: Int array of shape `(num_pseudo_labels,)`, rows of the pool.
        pseudo_labels: Int array of shape `(num_pseudo_labels,)`.
    """

    indices: np.ndarray
    labels: np.ndarray
    adversarial_twins: np.ndarray
    twin_labels: np.ndarray
    pseudo_indices: np.ndarray
    pseudo_labels: np.ndarray

    @classmethod
    def empty(cls):
        """Return a set of nothing."""
        integers = np.empty(0, np.int64)
        twins = np.empty(0, np.float32)
        return cls(integers, integers, twins, integers, integers, integers)

    @property
    def num_annotations(self) -> int:
        """Labels that somebody had to give."""
        return len(self.indices)

    def __len__(self):
        """Size of the training set: annotations, twins and pseudo-labels."""
        return len(self.indices) + len(self.twin_labels) + len(self.pseudo_indices)

    def add(self, query, labels):
        """Add a query's samples, with their labels and what comes with them.

        Args:
            query: A `dfal_keras.strategies.Query` with indices into the pool.
            labels: Int array of shape `(num_queries,)`.
        """
        self.indices = np.concatenate([self.indices, query.indices])
        self.labels = np.concatenate([self.labels, labels])
        twins = query.adversarial_twins
        if twins is not None:
            known = [self.adversarial_twins] if len(self.twin_labels) else []
            self.adversarial_twins = np.concatenate([*known, twins], dtype=np.float32)
            self.twin_labels = np.concatenate([self.twin_labels, labels])
        # Pseudo-labels are the current model's guess: each query replaces them.
        self.pseudo_indices = query.pseudo_indices
        self.pseudo_labels = query.pseudo_labels

    def first(self, num_annotations: int):
        """Return the set as it was with this many annotations, without pseudo-labels.

        Twins came with the queries and are in their order, the initial set having none.
        """
        later = self.num_annotations - num_annotations
        if not 0 <= later < self.num_annotations:
            raise ValueError(
                "Argument `num_annotations` must be from 1 to the set's "
                f"{self.num_annotations}. Received: num_annotations={num_annotations!r}"
            )
        num_twins = max(0, len(self.twin_labels) - later)
        integers = np.empty(0, np.int64)
        return LabeledSet(
            self.indices[:num_annotations],
            self.labels[:num_annotations],
            self.adversarial_twins[:num_twins],
            self.twin_labels[:num_twins],
            integers,
            integers,
        )

    def arrays(self, pool) -> tuple:
        """Return the training set, float32 images and int64 labels."""
        rows = np.concatenate([self.indices, self.pseudo_indices])
        images = np.asarray(pool[rows], np.float32)
        if len(self.twin_labels):
            images = np.concatenate([images, self.adversarial_twins])
        labels = [self.labels, self.pseudo_labels, self.twin_labels]
        return images, np.concatenate(labels)

    def save(self, path, **extra):
        """Write everything, and further arrays by name, to an `.npz` file.

        A reader, or whoever was killed on the way, finds the old file or the new one.
        """
        with _files.replacing(path) as file:
            np.savez(file, **vars(self), **extra)

    @classmethod
    def load(cls, path):
        """Read what `save` wrote; return the set and a dict of the further arrays."""
        names = [field.name for field in dataclasses.fields(cls)]
        try:
            with np.load(pathlib.Path(path), allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            return cls(**{name: arrays.pop(name) for name in names}), arrays
        except _UNREADABLE as error:
            raise ValueError(
                f"Argument `path` must be a file of a saved labelled set. "
                f"Received: {path} ({error})"
            ) from error
