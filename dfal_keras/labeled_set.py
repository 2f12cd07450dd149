"""The labeled set L_k: which samples, their labels, and what came for free."""

import dataclasses
import os
import pathlib
import zipfile
import zlib

import numpy as np

from dfal_keras import _files

_UNREADABLE = (
    *(OSError, EOFError, KeyError, TypeError, ValueError),
    *(zipfile.BadZipFile, zlib.error),
    RuntimeError,  # of zipfile: a damaged file may look encrypted
)


@dataclasses.dataclass
class LabeledSet:
    """What is labeled, as indices into the pool, labels and adversarial twins.

    Attributes:
        indices: Int array of shape `(num_annotations,)`, rows of the pool in the order
            in which they were labeled.
        labels: Int array of shape `(num_annotations,)`.
        adversarial_examples: Float32 array of shape `(num_adversarial, ...)`; of
            shape `(0,)` if there are none.
        adversarial_rows: Int array of shape `(num_adversarial,)`, the position in
            `indices` of the sample that each was made from and shares the label of.
        pseudo_indices: Int array of shape `(num_pseudo_labels,)`, rows of the pool.
        pseudo_labels: Int array of shape `(num_pseudo_labels,)`.
    """

    indices: np.ndarray
    labels: np.ndarray
    adversarial_examples: np.ndarray
    adversarial_rows: np.ndarray
    pseudo_indices: np.ndarray
    pseudo_labels: np.ndarray

    @classmethod
    def empty(cls) -> "LabeledSet":
        """Return a set of nothing."""
        integers = np.empty(0, np.int64)
        twins = np.empty(0, np.float32)
        return cls(integers, integers, twins, integers, integers, integers)

    @property
    def num_annotations(self) -> int:
        """Labels that somebody had to give."""
        return len(self.indices)

    @property
    def adversarial_labels(self) -> np.ndarray:
        """Labels of the twins, int array of shape `(num_adversarial,)`."""
        return self.labels[self.adversarial_rows]

    def __len__(self) -> int:
        """Size of the training set: annotations, twins and pseudo-labels."""
        return len(self.indices) + len(self.adversarial_rows) + len(self.pseudo_indices)

    def add(self, query, labels: np.ndarray) -> None:
        """Add a query's samples, with their labels and what comes with them.

        Args:
            query: A `dfal_keras.strategies.Query` with indices into the pool.
            labels: Int array of shape `(num_queries,)`.
        """
        num_known = self.num_annotations
        self.indices = np.concatenate([self.indices, query.indices])
        self.labels = np.concatenate([self.labels, labels])
        if len(query.adversarial_rows):
            known = [self.adversarial_examples] if len(self.adversarial_rows) else []
            self.adversarial_examples = np.concatenate(
                [*known, query.adversarial_examples], dtype=np.float32
            )
            rows = num_known + np.asarray(query.adversarial_rows)
            self.adversarial_rows = np.concatenate([self.adversarial_rows, rows])
        # Pseudo-labels are the current model's guess: each query replaces them.
        self.pseudo_indices = query.pseudo_indices
        self.pseudo_labels = query.pseudo_labels

    def first(self, num_annotations: int) -> "LabeledSet":
        """Return the set as it was with this many annotations, without pseudo-labels.

        Raises:
            ValueError: If there are not so many.
        """
        if not 1 <= num_annotations <= self.num_annotations:
            raise ValueError(
                "Argument `num_annotations` must be from 1 to the set's "
                f"{self.num_annotations}. Received: num_annotations={num_annotations!r}"
            )
        has_parent = self.adversarial_rows < num_annotations
        integers = np.empty(0, np.int64)
        return LabeledSet(
            self.indices[:num_annotations],
            self.labels[:num_annotations],
            self.adversarial_examples[has_parent],
            self.adversarial_rows[has_parent],
            integers,
            integers,
        )

    def arrays(self, pool) -> tuple[np.ndarray, np.ndarray]:
        """Return the training set, float32 images and int64 labels."""
        rows = np.concatenate([self.indices, self.pseudo_indices])
        images = np.asarray(pool[rows], np.float32)
        if len(self.adversarial_rows):
            images = np.concatenate([images, self.adversarial_examples])
        labels = [self.labels, self.pseudo_labels, self.adversarial_labels]
        return images, np.concatenate(labels)

    def save(self, path: str | os.PathLike, **extra) -> None:
        """Write everything, and further arrays by name, to an `.npz` file.

        A reader, or whoever was killed on the way, finds the old file or the new one.
        """
        with _files.replacing(path) as file:
            np.savez(file, **vars(self), **extra)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "tuple[LabeledSet, dict]":
        """Read what `save` wrote; return the set and a dict of the further arrays."""
        names = [field.name for field in dataclasses.fields(cls)]
        try:
            with np.load(pathlib.Path(path), allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            return cls(**{name: arrays.pop(name) for name in names}), arrays
        except _UNREADABLE as error:
            raise ValueError(
                f"Argument `path` must be a file of a saved labeled set. "
                f"Received: {path} ({error})"
            ) from error
