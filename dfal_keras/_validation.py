"""Checks of what users pass in: each names the argument, the need and what came."""

import numbers
from collections.abc import Iterable

import numpy as np


def check_count(name: str, value, *, minimum: int = 1) -> int:
    """Return `value` as an int, or say that it is no whole number >= `minimum`."""
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or value < minimum:
        raise ValueError(
            f"Argument `{name}` must be an integer of at least {minimum}. "
            f"Received: {name}={value!r}"
        )
    return int(value)


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

    Args:
        name: The argument's name, for the message.
        value: The argument.
        minimum: Smallest value allowed. Defaults to `None`, no limit.
        above: Limit that the value must exceed. Defaults to `None`, no limit.
        maximum: Largest value allowed. Defaults to `None`, no limit.
        below: Limit that the value must stay below. Defaults to `None`, no limit.
    """
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    limits = (
        ("of at least", minimum, lambda: value >= minimum),
        ("above", above, lambda: value > above),
        ("of at most", maximum, lambda: value <= maximum),
        ("below", below, lambda: value < below),
    )
    given = [(words, limit, fits) for words, limit, fits in limits if limit is not None]
    if not is_number or value != value or not all(fits() for _, _, fits in given):
        expected = " and ".join(
            "finite" if words == "below" and limit == np.inf else f"{words} {limit:g}"
            for words, limit, _ in given
        )
        raise ValueError(
            f"Argument `{name}` must be a number {expected}. Received: {name}={value!r}"
        )
    return value


def check_choice(name: str, value, choices: Iterable) -> str:
    """Return `value`, or raise ValueError if it is not one of `choices`."""
    choices = tuple(choices)
    if not isinstance(value, str) or value not in choices:
        listed = ", ".join(map(repr, choices))
        raise ValueError(
            f"Argument `{name}` must be one of {listed}. Received: {name}={value!r}"
        )
    return value


def check_bounds(name: str, value) -> tuple[float, float]:
    """Return `(low, high)` as floats, infinite for None; raise if it is not a pair."""
    if value is None:
        return -np.inf, np.inf
    limits = _as_array(name, value)
    is_pair = limits.shape == (2,) and limits.dtype.kind in "buif"
    if not is_pair or not limits[0] < limits[1]:
        raise ValueError(
            f"Argument `{name}` must be (low, high) with low < high, or None. "
            f"Received: {name}={value!r}"
        )
    return float(limits[0]), float(limits[1])


def check_image_shape(input_shape, *, minimum: int = 1) -> None:
    """Check a (height, width, channels) shape."""
    shape = tuple(input_shape) if np.iterable(input_shape) else ()
    sizes = (minimum, minimum, 1)
    if len(shape) != 3 or not all(
        isinstance(size, numbers.Integral) and size >= least  # type: ignore[operator]
        for size, least in zip(shape, sizes, strict=True)
    ):
        raise ValueError(
            "Argument `input_shape` must be (height, width, channels) with height "
            f"and width of at least {minimum}. Received: input_shape={input_shape!r}"
        )


def check_images(
    name: str, x, *, sample_shape: tuple | None = None, finite: bool = True
) -> None:
    """Check a non-empty array of numeric samples.

    Args:
        name: The argument's name, for the message.
        x: Array, or anything with `shape`, `dtype` and slices, of shape
            `(num_samples, ...)`.
        sample_shape: The shape one sample must have, `None` for any size of an axis.
        finite: Whether NaN and infinity are errors.
    """
    shape = getattr(x, "shape", None)
    if shape is None or len(shape) < 2 or shape[0] < 1:
        raise ValueError(
            f"Argument `{name}` must be an array of at least one sample, of shape "
            f"(num_samples, ...). Received: {_describe(x)}"
        )
    if not _is_numeric(x):
        raise ValueError(
            f"Argument `{name}` must be an array, such as NumPy's, that holds integers "
            f"or floats. Received: {_describe(x)}"
        )
    if sample_shape is not None and (
        len(shape) - 1 != len(sample_shape)
        or any(
            want not in (None, got)
            for want, got in zip(sample_shape, shape[1:], strict=True)
        )
    ):
        raise ValueError(
            f"Argument `{name}` must have samples of shape {tuple(sample_shape)}, "
            f"which is what the model takes. Received: {_describe(x)}"
        )
    if finite and np.dtype(x.dtype).kind == "f":
        for start in range(0, shape[0], 4096):  # never a mask as large as the pool
            is_finite = np.abs(x[start : start + 4096]) <= np.finfo(np.float32).max
            if not is_finite.all():
                row = start + int(np.argwhere(~is_finite)[0, 0])
                raise ValueError(
                    f"Argument `{name}` must hold finite numbers, in float32 too. "
                    f"Received: NaN or infinity in {name}[{row}]"
                )


def check_labels(
    name: str, y, *, num_samples: int, num_classes: int | None = None
) -> np.ndarray:
    """Return `y` as a one-dimensional int64 array of class indices.

    Args:
        name: The argument's name, for the message.
        y: Integer class indices, of shape `(num_samples,)` or `(num_samples, 1)`.
        num_samples: How many labels are needed.
        num_classes: If given, labels must be below it.
    """
    labels = _as_array(name, y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (num_samples,) or labels.dtype.kind not in "bui":
        raise ValueError(
            f"Argument `{name}` must hold {num_samples} integer class indices, one "
            f"for each sample. Received: {_describe(labels)}"
        )
    labels = labels.astype(np.int64)
    top = "" if num_classes is None else f" and below the {num_classes} classes"
    wrong = labels < 0
    if num_classes is not None:
        wrong |= labels >= num_classes
    if wrong.any():
        raise ValueError(
            f"Argument `{name}` must hold class indices from 0 on{top}. "
            f"Received: {name}[{wrong.argmax()}]={labels[wrong.argmax()]}"
        )
    return labels


def check_pair(name: str, data) -> None:
    """Check a pair of images and labels."""
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise ValueError(
            f"Argument `{name}` must be a pair of images and labels. "
            f"Received: {_describe(data)}"
        )
    check_images(f"{name}[0]", data[0])
    check_labels(f"{name}[1]", data[1], num_samples=data[0].shape[0])


def check_indices(name: str, indices, size: int | None = None) -> np.ndarray:
    """Return `indices` as an int64 array of rows, below `size` if that is given.

    Args:
        name: The argument's name, for the message.
        indices: Whole numbers.
        size: How many rows there are.
    """
    rows = _as_array(name, indices)
    is_whole = rows.dtype.kind in "iu" or rows.size == 0
    top = np.iinfo(np.int64).max if size is None else size
    if rows.ndim != 1 or not is_whole or (rows < 0).any() or (rows >= top).any():
        below = "" if size is None else f", below {size}"
        raise ValueError(
            f"Argument `{name}` must be a list of rows of the pool, whole numbers from "
            f"0 on{below}. Received: {name}={indices!r:.80}"
        )
    return rows.astype(np.int64)


def _as_array(name, values):
    """Make an array, or say that the values are ragged or too large."""
    try:
        return np.asarray(values)
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(
            f"Argument `{name}` must be one array. Received: {values!r:.80} ({error})"
        ) from error


def _is_numeric(x):
    """Whether an array holds NumPy's integers or floats."""
    try:
        return np.dtype(x.dtype).kind in "buif"
    except (AttributeError, TypeError):  # a table's columns, TensorFlow's dtypes
        return False


def _describe(x):
    """Shape and dtype of an array, or the type of anything else."""
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        return f"an array of shape {tuple(x.shape)} and dtype {x.dtype}"
    return f"{x!r:.80} (of type {type(x).__name__})"
