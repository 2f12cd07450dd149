"""The labeled set L_k: samples, labels and companions."""

import dataclasses
import os
import pathlib
import zipfile
import zlib
from typing import TYPE_CHECKING

import numpy as np

from dfal_keras import _files, _validation

if TYPE_CHECKING:
    from dfal_keras.strategies import Query

_READ_ERRORS = (
    *(OSError, EOFError, KeyError, TypeError, ValueError),
    *(zipfile.BadZipFile, zlib.error),
    RuntimeError,  # from zipfile, if a damaged file seems to be encrypted
)


# Files keep these names, which are older than companions of other kinds.
_STORED_NAMES = {
    "companions": "adversarial_examples",
    "companion_rows": "adversarial_rows",
}


def stored_name(field: str) -> str:
    """Return the name in files of a field of a `LabeledSet` or a `Query`."""
    return _STORED_NAMES.get(field, field)


@dataclasses.dataclass
class LabeledSet:
    """A labeled set, as indices into a pool.

    Attributes:
        indices: Int array of shape `(num_annotations,)`, the labeled rows of the pool,
            in the order of the queries.
        labels: Int array of shape `(num_annotations,)`.
        companions: Float32 array of shape `(num_companions, ...)`, such as DFAL's
            adversarial examples, or of shape `(0,)` if there are none.
        companion_rows: Int array of shape `(num_companions,)`, the position in
            `indices` of the sample that each companion belongs to. The two share a
            label.
        pseudo_indices: Int array of shape `(num_pseudo_labels,)`, the pseudo-labeled
            rows of the pool.
        pseudo_labels: Int array of shape `(num_pseudo_labels,)`.

    Example:
        >>> import dfal_keras as dfal
        >>> labeled = LabeledSet.empty()
        >>> labeled.add(dfal.strategies.Query(np.array([7, 2])), np.array([1, 0]))
        >>> labeled.indices, labeled.num_annotations
        (array([7, 2]), 2)
    """

    indices: np.ndarray
    labels: np.ndarray
    companions: np.ndarray
    companion_rows: np.ndarray
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
    def companion_labels(self) -> np.ndarray:
        """Labels of the companions, of shape `(num_companions,)`."""
        return self.labels[self.companion_rows]

    @property
    def groups(self) -> np.ndarray:
        """The group of each row of `arrays`: a sample and its companions are one."""
        own = np.arange(len(self.indices) + len(self.pseudo_indices))
        return np.concatenate([own, self.companion_rows])

    def __len__(self) -> int:
        """Size of the training set, companions and pseudo-labels included."""
        return len(self.indices) + len(self.companion_rows) + len(self.pseudo_indices)

    def add(self, query: "Query", labels: np.ndarray) -> None:
        """Add the samples and companions of a query.

        The query's pseudo-labels replace those of the set.

        Args:
            query: A `dfal_keras.strategies.Query` with indices into the pool.
            labels: Int array of shape `(num_queries,)`.
        """
        num_annotations = self.num_annotations
        self.indices = np.concatenate([self.indices, query.indices])
        self.labels = np.concatenate([self.labels, labels])
        rows, examples = query.companion_rows, query.companions
        if examples is not None and rows is not None and len(rows):
            known = [self.companions] if len(self.companion_rows) else []
            self.companions = np.concatenate([*known, examples], dtype=np.float32)
            self.companion_rows = np.concatenate(
                [self.companion_rows, num_annotations + np.asarray(rows)]
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
        """Change labels; the companions take them too.

        Args:
            rows: Int array, positions in `indices`.
            labels: Int array of the same shape.
        """
        self.labels = self.labels.copy()
        self.labels[rows] = labels

    def keep(self, rows: np.ndarray) -> None:
        """Keep only some samples, in a given order, with their companions.

        Args:
            rows: Int array, distinct positions in `indices`.
        """
        places = np.full(self.num_annotations, -1)
        places[rows] = np.arange(len(rows))
        places = places[self.companion_rows]
        order = np.argsort(places, kind="stable")
        order = order[places[order] >= 0]
        self.indices, self.labels = self.indices[rows], self.labels[rows]
        self.companion_rows = places[order]
        self.companions = (
            self.companions[order] if len(order) else np.empty(0, np.float32)
        )

    def first(self, num_annotations: int) -> "LabeledSet":
        """Return the set after its first annotations, without pseudo-labels.

        Args:
            num_annotations: Number of annotations, from 1 to that of the set.

        Returns:
            A new `LabeledSet` with the companions of these annotations.

        Raises:
            ValueError: If `num_annotations` is out of range.
        """
        if not 1 <= num_annotations <= self.num_annotations:
            raise _validation.ArgumentError(
                "num_annotations",
                f"must be from 1 to the set's {self.num_annotations}. "
                f"Received: num_annotations={num_annotations!r}",
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
            first, companions last.
        """
        rows = np.concatenate([self.indices, self.pseudo_indices])
        images = np.asarray(pool[rows], np.float32)
        if len(self.companion_rows):
            images = np.concatenate([images, self.companions])
        labels = [self.labels, self.pseudo_labels, self.companion_labels]
        return images, np.concatenate(labels)

    def save(self, path: str | os.PathLike, **extra) -> None:
        """Write the set to an `.npz` file. The write is atomic.

        Args:
            path: The file to write.
            **extra: Further arrays to store, by name.
        """
        with _files.replacing(path) as file:
            own = {stored_name(name): value for name, value in vars(self).items()}
            np.savez(file, **own, **extra)

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
            own = {name: arrays.pop(stored_name(name)) for name in names}
            return cls(**own), arrays
        except _READ_ERRORS as error:
            raise _validation.ArgumentError(
                "path",
                "must be a file that `LabeledSet.save` wrote. "
                f"Received: {path} ({error})",
            ) from error
