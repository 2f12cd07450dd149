"""The file of a saved learner, and the strategy that the learner continues with."""

import dataclasses
import json
import logging
import os

from dfal_keras import _validation, strategies
from dfal_keras.learning.labeled_set import LabeledSet, stored_name
from dfal_keras.learning.pool_fingerprint import PoolFingerprint
from dfal_keras.learning.rounds import Round

_logger = logging.getLogger(__name__)

NUMBERS = ("num_queries", "num_initial", "seed")
_ANNOTATIONS = {
    *("round", "ignored", "next_round", "num_before", "query_is_open"),
    *(
        f"query_{stored_name(field.name)}"
        for field in dataclasses.fields(strategies.Query)
    ),
}
_POOL = {f"pool_{field.name}" for field in dataclasses.fields(PoolFingerprint)}
_NAMES = {*NUMBERS, *_ANNOTATIONS, *_POOL, "metadata", "strategy", "history"}


@dataclasses.dataclass
class SavedLearner:
    """What is saved of a learner.

    Attributes:
        labeled: The labeled set.
        annotations: Dict of the other arrays that `Annotations` needs.
        numbers: Dict of the learner's numbers, with the keys `NUMBERS`.
        metadata: Dict of JSON-serializable values.
        strategy: The class name and the config of the strategy, as
            `dfal_keras.strategies.serialize` returns them. The config is `None` if the
            strategy can't be built from a file. `None` in older files.
        pool: The fingerprint of the pool, `None` if there is none.
        history: The finished rounds; none in older files.
    """

    labeled: LabeledSet
    annotations: dict
    numbers: dict[str, int]
    metadata: dict
    strategy: dict | None
    pool: PoolFingerprint | None
    history: list[Round]

    def write(self, path: str | os.PathLike) -> None:
        """Write an `.npz` file, atomically.

        Raises:
            ValueError: If `metadata` is not JSON-serializable.
        """
        try:
            metadata = json.dumps(self.metadata)
        except (TypeError, ValueError) as error:
            raise ValueError(
                "Attribute `metadata` must be JSON-serializable. "
                f"Received: metadata={self.metadata!r:.80} ({error})"
            ) from error
        pool = {} if self.pool is None else vars(self.pool)
        self.labeled.save(
            path,
            **self.annotations,
            **self.numbers,
            metadata=metadata,
            strategy=json.dumps(self.strategy),
            history=json.dumps([dataclasses.asdict(each) for each in self.history]),
            **{f"pool_{name}": value for name, value in pool.items()},
        )

    @classmethod
    def read(cls, path: str | os.PathLike) -> "SavedLearner":
        """Read a file that `write`, or an older version of it, wrote.

        Raises:
            ValueError: If the file is not one of a learner, or is damaged.
        """
        labeled, stored = LabeledSet.load(path)
        if not {*NUMBERS, "round"} <= stored.keys():
            raise _not_a_learner(path, "which holds a labeled set only")
        if not stored.keys() <= _NAMES:
            odd = ", ".join(sorted(stored.keys() - _NAMES))
            raise _not_a_learner(path, f"which also holds {odd}")
        names = stored.keys() & _ANNOTATIONS
        try:
            return cls(
                labeled=labeled,
                annotations={name: stored[name] for name in names},
                numbers={name: int(stored[name]) for name in NUMBERS},
                metadata=_metadata(stored),
                strategy=_strategy(stored),
                pool=_fingerprint(stored),
                history=_history(path, stored),
            )
        except _validation.ArgumentError:
            raise
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise _not_a_learner(path, f"which is damaged ({error})") from error
        except RecursionError as error:
            raise _not_a_learner(path, "which has too many nested levels") from error


def describe_strategy(strategy) -> dict:
    """Return what is saved of a strategy; see `SavedLearner`."""
    try:
        return json.loads(json.dumps(strategies.serialize(strategy)))
    except (TypeError, ValueError):  # no config, or none that JSON can hold
        return {"class_name": strategies.class_name(strategy), "config": None}


def choose_strategy(path: str | os.PathLike, saved: dict | None, given):
    """Return the strategy that a loaded learner continues with.

    Args:
        path: The file, for messages.
        saved: What is saved of a strategy; see `SavedLearner`.
        given: A strategy to use, as for `dfal_keras.strategies.get`. A warning is
            logged if it differs from the saved one. `None` for the saved one.

    Raises:
        ValueError: If the strategy is not given and can't be built again.
    """
    if given is not None:
        strategy = strategies.get(given)
        saved = _with_new_options(saved, strategy)
        _warn_if_different(path, saved, describe_strategy(strategy))
        return strategy
    if saved is None:
        raise _not_given(path, "which does not name a strategy")
    name = saved["class_name"]
    if saved["config"] is None:
        raise _not_given(path, f"whose strategy {name} was saved without its options")
    try:
        return strategies.get(saved)
    except Exception as error:  # of any kind, since the class may be the user's own
        reason = f"whose strategy {name} can't be built again ({error})"
        raise _not_given(path, reason) from error


def _metadata(stored):
    """Return the metadata; older files hold none."""
    metadata = json.loads(str(stored.get("metadata", "{}")))
    if not isinstance(metadata, dict):
        raise ValueError(f"metadata is {metadata!r:.80}")
    return metadata


def _strategy(stored):
    """Return what is saved of a strategy, `None` in older files."""
    strategy = json.loads(str(stored.get("strategy", "null")))
    if strategy is not None:
        _check_described(strategy)
    return strategy


def _check_described(value):
    """Raise ValueError if a value does not describe a strategy."""
    if not (
        isinstance(value, dict)
        and {"class_name", "config"} <= value.keys()
        and isinstance(value["class_name"], str)
        and isinstance(value["config"], dict | type(None))
    ):
        raise ValueError(f"strategy is {value!r:.80}")
    for each in _inner(value):
        _check_described(each)


def _inner(described):
    """Return the strategies among the options of a strategy, as they are saved."""
    options = (described["config"] or {}).values()
    options = [each for each in options if isinstance(each, dict)]
    return [each for each in options if {"class_name", "config"} <= each.keys()]


def _fingerprint(stored):
    """Return the fingerprint of the pool; older files hold its shape only."""
    if "pool_shape" not in stored:
        return None
    shape = tuple(map(int, stored["pool_shape"]))
    if "pool_rows" not in stored:
        return PoolFingerprint.of_shape(shape)
    dtype = str(stored["pool_dtype"])
    return PoolFingerprint(shape, dtype, stored["pool_rows"], stored["pool_digests"])


def _history(path, stored):
    """Return the finished rounds; older files hold none."""
    try:
        rows = json.loads(str(stored.get("history", "[]")))
        return [Round(**{**row, "recalls": tuple(row["recalls"])}) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise _not_a_learner(path, f"whose history is damaged ({error})") from error


def _with_new_options(saved, strategy):
    """Return what is saved, with the defaults of options that older files lack."""
    # Classes that a file names are not imported if another strategy is given.
    if saved is None or not _class_names(saved) <= _class_names(
        describe_strategy(strategy)
    ):
        return saved
    try:
        return describe_strategy(type(strategy).from_config(saved["config"]))
    except Exception:  # of any kind, since the class may be the user's own
        return saved


def _class_names(described):
    """Return the names of a strategy's class, and of those of strategies in it."""
    return {described["class_name"]}.union(*map(_class_names, _inner(described)))


def _warn_if_different(path, saved, given):
    """Log a warning if a strategy has another class or other options."""
    if saved is None or saved == given:
        return
    before, now = saved["config"] or {}, given["config"] or {}
    if saved["class_name"] == given["class_name"]:
        if not before or not now:  # not known
            return
        changed = {name for name in before.keys() | now.keys()}
        changed = {name for name in changed if before.get(name) != now.get(name)}
        before, now = ({n: c[n] for n in changed if n in c} for c in (before, now))
    _logger.warning(
        # The file may be somebody else's: its names must not control the terminal.
        "%s was saved with another strategy, %r. The learner continues with %r",
        path,
        _describe(saved["class_name"], before),
        _describe(given["class_name"], now),
    )


def _describe(name, config):
    options = ", ".join(f"{key}={value!r}" for key, value in sorted(config.items()))
    return f"{name}({options})"


def _not_a_learner(path, reason):
    return _validation.ArgumentError(
        "path",
        f"must be a file that `ActiveLearner.save` wrote. Received: {path}, {reason}",
    )


def _not_given(path, reason):
    return _validation.ArgumentError(
        "strategy", f"must be given for {path}, {reason}. Received: strategy=None"
    )
