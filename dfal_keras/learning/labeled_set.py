"""The labeled set L_k: samples, labels and adversarial examples."""

import dataclasses
import os
import pathlib
import zipfile
import zlib
from typing import TYPE_CHECKING

import numpy as np

from dfal_keras import _files

if TYPE_CHECKING:
    from dfal_keras.strategies import Query

_READ_ERRORS = (
    *(OSError, EOFError, KeyError, TypeError, ValueError),
    *(zipfile.BadZipFile, zlib.error),
    RuntimeError,  # from zipfile, if a damaged file seems to be encrypted
)


@dataclasses.dataclass
class LabeledSet:
    """A labeled set, as indices into a pool.

    Attributes:
        indices: Int array of shape `(num_annotations,)`, the labeled rows of the pool,
            in the order of the queries.
        labels: Int array of shape `(num_annotations,)`.
        adversarial_examples: Float32 array of shape `(num_adversarial, ...)`, or of
            shape `(0,)` if there are none.
        adversarial_rows: Int array of shape `(num_adversarial,)`, the position in
            `indices` of the sample that each adversarial example belongs to. The two
            share a label.
        pseudo_indices: Int array of shape `(num_pseudo_labels,)`, the pseudo-labeled
            rows of the pool.
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
        """Return an empty set."""
        integers = np.empty(0, np.int64)
        images = np.empty(0, np.float32)
        return cls(integers, integers, images, integers, integers, integers)

    @property
    def num_annotations(self) -> int:
        """Number of labels from the annotator."""
        return len(self.indices)

    @property
    def adversarial_labels(self) -> np.ndarray:
        """Labels of the adversarial examples, of shape `(num_adversarial,)`."""
        return self.labels[self.adversarial_rows]

    def __len__(self) -> int:
        """Size of the training set, adversarial examples and pseudo-labels included."""
        return len(self.indices) + len(self.adversarial_rows) + len(self.pseudo_indices)

    def add(self, query: "Query", labels: np.ndarray) -> None:
        """Add the samples and adversarial examples of a query.

        The query's pseudo-labels replace those of the set.

        Args:
            query: A `dfal_keras.strategies.Query` with indices into the pool.
            labels: Int array of shape `(num_queries,)`.
        """
        num_annotations = self.num_annotations
        self.indices = np.concatenate([self.indices, query.indices])
        self.labels = np.concatenate([self.labels, labels])
        rows, examples = query.adversarial_rows, query.adversarial_examples
        if examples is not None and rows is not None and len(rows):
            known = [self.adversarial_examples] if len(self.adversarial_rows) else []
            self.adversarial_examples = np.concatenate(
                [*known, examples], dtype=np.float32
            )
            self.adversarial_rows = np.concatenate(
                [self.adversarial_rows, num_annotations + np.asarray(rows)]
            )
        self.pseudo_indices = query.pseudo_indices
        self.pseudo_labels = query.pseudo_labels

    def find(self, indices: np.ndarray) -> np.ndarray:
        """Return where samples are in `indices`; -1 for samples that are not labeled.

        Args:
            indices: Int array, rows of the pool.

        Returns:
            Int array of the same shape.
        """
        rows = {index: row for row, index in enumerate(self.indices.tolist())}
        return np.array([rows.get(index, -1) for index in indices.tolist()], np.int64)

    def relabel(self, rows: np.ndarray, labels: np.ndarray) -> None:
        """Change labels; the adversarial examples take them too.

        Args:
            rows: Int array, positions in `indices`.
            labels: Int array of the same shape.
        """
        self.labels = self.labels.copy()
        self.labels[rows] = labels

    def keep(self, rows: np.ndarray) -> None:
        """Keep only some samples, in a given order, with their adversarial examples.

        Args:
            rows: Int array, distinct positions in `indices`.
        """
        places = np.full(self.num_annotations, -1)
        places[rows] = np.arange(len(rows))
        places = places[self.adversarial_rows]
        order = np.argsort(places, kind="stable")
        order = order[places[order] >= 0]
        self.indices, self.labels = self.indices[rows], self.labels[rows]
        self.adversarial_rows = places[order]
        self.adversarial_examples = (
            self.adversarial_examples[order] if len(order) else np.empty(0, np.float32)
        )

    def first(self, num_annotations: int) -> "LabeledSet":
        """Return the set after its first annotations, without pseudo-labels.

        Args:
            num_annotations: Number of annotations, from 1 to that of the set.

        Returns:
            A new `LabeledSet` with the adversarial examples of these annotations.

        Raises:
            ValueError: If `num_annotations` is out of range.
        """
        if not 1 <= num_annotations <= self.num_annotations:
            raise ValueError(
                "Argument `num_annotations` must be from 1 to the set's "
                f"{self.num_annotations}. Received: num_annotations={num_annotations!r}"
            )
        integers = np.empty(0, np.int64)
        first = dataclasses.replace(
            self, pseudo_indices=integers, pseudo_labels=integers
        )
        first.keep(np.arange(num_annotations))
        return first

    def arrays(self, pool) -> tuple[np.ndarray, np.ndarray]:
        """Return the training set.

        Args:
            pool: The pool that the indices refer to, of shape `(num_samples, ...)`.

        Returns:
            `(images, labels)`: float32 images of shape `(len(self), ...)`, and int64
            labels of shape `(len(self),)`. Annotated and pseudo-labeled samples come
            first, adversarial examples last.
        """
        rows = np.concatenate([self.indices, self.pseudo_indices])
        images = np.asarray(pool[rows], np.float32)
        if len(self.adversarial_rows):
            images = np.concatenate([images, self.adversarial_examples])
        labels = [self.labels, self.pseudo_labels, self.adversarial_labels]
        return images, np.concatenate(labels)

    def save(self, path: str | os.PathLike, **extra) -> None:
        """Write the set to an `.npz` file. The write is atomic.

        Args:
            path: The file to write.
            **extra: Further arrays to store, by name.
        """
        with _files.replacing(path) as file:
            np.savez(file, **vars(self), **extra)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "tuple[LabeledSet, dict]":
        """Read a file that `save` wrote.

        Args:
            path: The file to read.

        Returns:
            The set, and a dict of the further arrays.

        Raises:
            ValueError: If `save` did not write the file.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        try:
            with np.load(pathlib.Path(path), allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            return cls(**{name: arrays.pop(name) for name in names}), arrays
        except _READ_ERRORS as error:
            raise ValueError(
                "Argument `path` must be a file that `LabeledSet.save` wrote. "
                f"Received: {path} ({error})"
            ) from error
