"""Checks of arguments.

Each raises an `ArgumentError`, a ValueError that names the argument, what it
must be and its value.
"""

import numbers
import operator
from collections.abc import Iterable

import numpy as np

MAX_CLASSES = 2**31  # labels are int32 in TensorFlow


class ArgumentError(ValueError):
    """An argument is invalid.

    Args:
        argument: Name of the argument.
        reason: What it must be, and what was received: "must be ... Received: ...".

    Attributes:
        argument: Name of the argument.
        reason: As above. A command line shows it with the name of its flag.
    """

    def __init__(self, argument: str, reason: str):
        super().__init__(argument, reason)
        self.argument = argument
        self.reason = reason

    def __str__(self) -> str:
        return f"Argument `{self.argument}` {self.reason}"


def check_count(
    name: str, value, *, minimum: int = 1, maximum: int | None = None
) -> int:
    """Return `value` as an int, or raise ValueError if it is not one in the range."""
    is_integer = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if is_integer and maximum is not None and value > maximum:
        raise ArgumentError(
            name, f"must be at most {maximum}. Received: {name}={value!r:.80}"
        )
    if not is_integer or value < minimum:
        raise ArgumentError(
            name,
            f"must be an integer of at least {minimum}. Received: {name}={value!r}",
        )
    return int(value)


def check_seed(value) -> int:
    """Return the argument `seed` as an int, or raise ValueError."""
    return check_count("seed", value, minimum=0, maximum=2**64 - 1)


def check_optional_count(name: str, value) -> int | None:
    """Return `None`, or `value` as `check_count` does."""
    return None if value is None else check_count(name, value)


def check_number(
    name: str,
    value,
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    below: float | None = None,
):
    """Return `value`, or raise ValueError if it is not a number within the limits.

    NaN is not within any limit.

    Args:
        name: Name of the argument.
        value: The argument.
        minimum: Smallest value allowed. Defaults to `None`, no limit.
        above: Limit that the value must exceed. Defaults to `None`, no limit.
        maximum: Largest value allowed. Defaults to `None`, no limit.
        below: Limit that the value must stay below. Defaults to `None`, no limit.
    """
    limits = (
        ("of at least", minimum, operator.ge),
        ("above", above, operator.gt),
        ("of at most", maximum, operator.le),
        ("below", below, operator.lt),
    )
    given = [(words, limit, fits) for words, limit, fits in limits if limit is not None]
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not all(fits(value, limit) for _, limit, fits in given):
        expected = " and ".join(
            "finite" if words == "below" and limit == np.inf else f"{words} {limit:g}"
            for words, limit, _ in given
        )
        raise ArgumentError(
            name, f"must be a number {expected}. Received: {name}={value!r}"
        )
    return value


def check_choice(name: str, value, choices: Iterable) -> str:
    """Return `value`, or raise ValueError if it is not one of `choices`."""
    choices = tuple(choices)
    if not isinstance(value, str) or value not in choices:
        listed = ", ".join(map(repr, choices))
        raise ArgumentError(
            name, f"must be one of {listed}. Received: {name}={value!r}"
        )
    return value


def check_bounds(name: str, value) -> tuple[float, float]:
    """Return `(low, high)` as floats, infinite for None; raise if it is not a pair."""
    if value is None:
        return -np.inf, np.inf
    limits = as_array(name, value)
    is_pair = limits.shape == (2,) and limits.dtype.kind in "buif"
    if not is_pair or not limits[0] < limits[1]:
        raise ArgumentError(
            name,
            f"must be (low, high) with low < high, or None. Received: {name}={value!r}",
        )
    return float(limits[0]), float(limits[1])


def check_image_shape(input_shape, *, minimum: int = 1) -> None:
    """Raise ValueError if `input_shape` is not (height, width, channels)."""
    shape = tuple(input_shape) if np.iterable(input_shape) else ()
    sizes = (minimum, minimum, 1)
    if len(shape) != 3 or not all(
        isinstance(size, numbers.Integral) and size >= least  # type: ignore[operator]
        for size, least in zip(shape, sizes, strict=True)
    ):
        raise ArgumentError(
            "input_shape",
            "must be (height, width, channels) with height "
            f"and width of at least {minimum}. Received: input_shape={input_shape!r}",
        )


def check_images(
    name: str, x, *, sample_shape: tuple | None = None, finite: bool = True
) -> None:
    """Raise ValueError if `x` is not a non-empty array of numeric samples.

    Args:
        name: Name of the argument.
        x: Array, or object with `shape`, `dtype` and slices, of shape
            `(num_samples, ...)`.
        sample_shape: Required shape of a sample, with `None` for axes of any size.
            Defaults to `None`, any shape.
        finite: Whether NaN and infinity are errors. Defaults to `True`.
    """
    shape = getattr(x, "shape", None)
    if shape is None or len(shape) < 2 or shape[0] < 1:
        raise ArgumentError(
            name,
            f"must be an array of at least one sample, of shape "
            f"(num_samples, ...). Received: {_describe(x)}",
        )
    if not _is_numeric(x):
        raise ArgumentError(
            name,
            f"must be an array of integers or floats, such as a "
            f"NumPy array. Received: {_describe(x)}",
        )
    if sample_shape is not None and not _fits(shape[1:], sample_shape):
        raise ArgumentError(
            name,
            f"must have samples of shape {tuple(sample_shape)}, as "
            f"the model takes them. Received: {_describe(x)}",
        )
    if finite and np.dtype(x.dtype).kind == "f":
        _check_finite(name, x)


def check_labels(
    name: str, y, *, num_samples: int, num_classes: int | None = None
) -> np.ndarray:
    """Return `y` as a one-dimensional int64 array of class indices.

    Args:
        name: Name of the argument.
        y: Integer class indices, of shape `(num_samples,)` or `(num_samples, 1)`.
        num_samples: Required number of labels.
        num_classes: Number of classes. Defaults to `None`, no limit.
    """
    labels = as_array(name, y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (num_samples,) or labels.dtype.kind not in "bui":
        raise ArgumentError(
            name,
            f"must hold {num_samples} integer class indices, one "
            f"for each sample. Received: {_describe(labels)}",
        )
    labels = labels.astype(np.int64)
    is_wrong = labels < 0
    if num_classes is not None:
        is_wrong |= labels >= num_classes
    if is_wrong.any():
        limit = "" if num_classes is None else f" and below {num_classes}"
        row = is_wrong.argmax()
        raise ArgumentError(
            name,
            f"must hold class indices of at least 0{limit}. "
            f"Received: {name}[{row}]={labels[row]}",
        )
    return labels


def check_pair(name: str, data) -> None:
    """Raise ValueError if `data` is not a pair of images and labels."""
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise ArgumentError(
            name, f"must be a pair of images and labels. Received: {_describe(data)}"
        )
    check_images(f"{name}[0]", data[0])
    check_labels(f"{name}[1]", data[1], num_samples=data[0].shape[0])


def check_indices(name: str, indices, size: int | None = None) -> np.ndarray:
    """Return `indices` as an int64 array of rows of a pool.

    Args:
        name: Name of the argument.
        indices: Integers from 0, as a list or a one-dimensional array.
        size: Number of rows of the pool. Defaults to `None`, no limit.
    """
    rows = as_array(name, indices)
    is_integer = rows.dtype.kind in "iu" or rows.size == 0
    limit = np.iinfo(np.int64).max if size is None else size
    if rows.ndim != 1 or not is_integer or (rows < 0).any() or (rows >= limit).any():
        below = "" if size is None else f" and below {size}"
        raise ArgumentError(
            name,
            f"must be a list of rows of the pool, integers of at "
            f"least 0{below}. Received: {name}={indices!r:.80}",
        )
    return rows.astype(np.int64)


def check_distinct(name: str, indices, size: int | None = None) -> np.ndarray:
    """Return `indices` as `check_indices` does; raise if one occurs twice."""
    rows = check_indices(name, indices, size)
    found, counts = np.unique(rows, return_counts=True)
    if (counts > 1).any():
        raise ArgumentError(
            name,
            f"must hold distinct samples. Received: sample "
            f"{found[counts.argmax()]} more than once",
        )
    return rows


def check_answers(
    indices, labels, *, size: int | None = None, optional: bool = False
) -> tuple[np.ndarray, list]:
    """Return the arguments `indices`, as an int64 array, and `labels`, as a list.

    Args:
        indices: Distinct rows of the pool.
        labels: A class index for each.
        size: Number of rows of the pool. Defaults to `None`, no limit.
        optional: Whether labels may be `None`. Defaults to `False`.
    """
    rows = check_distinct("indices", indices, size)
    labels = list(labels) if np.iterable(labels) else []
    or_none, unknown = (", or None,", ", or None for unknown labels")
    if not optional:
        or_none = unknown = ""
    if len(labels) != len(rows):
        raise ArgumentError(
            "labels",
            f"must have a label{or_none} for each of `indices`. "
            f"Received: {len(labels)} labels for {len(rows)} indices",
        )
    for row, label in zip(rows.tolist(), labels, strict=True):
        if not (optional and label is None) and not _is_class_index(label):
            raise ArgumentError(
                "labels",
                f"must hold class indices of at least 0{unknown}. "
                f"Received: {label!r} for sample {row}",
            )
    return rows, labels


def _is_class_index(label):
    """Return whether a label is an integer that can be a class index."""
    is_integer = isinstance(label, numbers.Integral) and not isinstance(label, bool)
    return is_integer and 0 <= label < MAX_CLASSES


def as_array(name, values):
    """Return an array, or raise ValueError if values are ragged or too large."""
    try:
        return np.asarray(values)
    except (ValueError, TypeError, OverflowError) as error:
        raise ArgumentError(
            name, f"must be one array. Received: {values!r:.80} ({error})"
        ) from error


def _is_numeric(x):
    """Return whether an array has a NumPy dtype of integers or floats."""
    try:
        return np.dtype(x.dtype).kind in "buif"
    except (AttributeError, TypeError):  # data frames, dtypes of TensorFlow
        return False


def _fits(shape, expected):
    """Return whether a shape is the expected one, with `None` for any size."""
    return len(shape) == len(expected) and all(
        wanted in (None, size) for wanted, size in zip(expected, shape, strict=True)
    )


def _check_finite(name, x):
    """Raise ValueError if an array holds NaN, or numbers beyond float32."""
    for start in range(0, x.shape[0], 4096):  # bounds the memory of the mask
        is_finite = np.abs(x[start : start + 4096]) <= np.finfo(np.float32).max
        if not is_finite.all():
            row = start + int(np.argwhere(~is_finite)[0, 0])
            raise ArgumentError(
                name,
                f"must hold finite numbers, also as float32. "
                f"Received: NaN or infinity in {name}[{row}]",
            )


def _describe(x):
    """Return the shape and dtype of an array, or the value and type of an object."""
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        return f"an array of shape {tuple(x.shape)} and dtype {x.dtype}"
    return f"{x!r:.80} (of type {type(x).__name__})"


def check_flag(name: str, value) -> bool:
    """Return a bool; raise if `value` is neither one, nor 0 or 1."""
    if not isinstance(value, bool | int | np.bool_) or value not in (0, 1):
        raise ArgumentError(name, f"must be True or False. Received: {name}={value!r}")
    return bool(value)
