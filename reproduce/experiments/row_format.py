"""The CSV text of a run's rows, and its checks."""

import io
from collections.abc import Sequence

import numpy as np
import pandas as pd

from dfal_keras import Round
from experiments.runs import FULL

_TRAINING = (
    *("num_annotations", "num_labeled", "accuracy", "loss"),
    *("fit_seconds", "evaluate_seconds"),
)
_ROUND = ("round", *_TRAINING, "query_seconds")
_COUNTS = ("round", "num_annotations", "num_labeled")


def from_round(finished: Round) -> dict:
    """Return the row of a round, which a run stores."""
    return {name: getattr(finished, name) for name in _ROUND}


def to_csv(rows: Sequence[dict]) -> str:
    """Return rows as the text of a CSV file."""
    return pd.DataFrame(rows).to_csv(index=False, lineterminator="\n") if rows else ""


def from_csv(text: str, made_with: dict) -> pd.DataFrame:
    """Return the rows of a CSV file's text; an empty table if there is no text.

    Args:
        text: The text.
        made_with: The run's settings.

    Raises:
        ValueError: If these can't be rows of such a run.
    """
    if not text:
        return pd.DataFrame()
    is_full = made_with.get("strategy") == FULL
    is_learning = not is_full and not made_with.get("source")
    columns = list(_ROUND if is_learning else _TRAINING)
    table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    if list(table.columns) != columns:
        raise ValueError(f"its columns are {list(table.columns)}, not {columns}")
    # NumPy's parser keeps every bit, pandas's does not: the file of a resumed run must
    # equal that of an uninterrupted one.
    table = table.astype({name: int if name in _COUNTS else float for name in columns})
    if not len(table) or not np.isfinite(table.to_numpy(float)).all():
        raise ValueError("a number is missing or not finite")
    if not table["accuracy"].between(0, 1).all():
        raise ValueError("an accuracy is not from 0 to 1")
    if is_learning:
        k = np.arange(len(table))
        initial, size = made_with.get("num_initial", 0), made_with.get("num_queries", 0)
        if list(table["round"]) != list(k):
            raise ValueError("its rounds are not 0, 1, 2, ...")
        if list(table["num_annotations"]) != list(initial + k * size):
            raise ValueError("its annotations do not increase by the size of a query")
    elif not table["num_annotations"].is_unique:
        raise ValueError("it has two rows of the same number of annotations")
    return table
