"""settings.json: what a session was created with."""

import dataclasses
import json
import os
import pathlib

from dfal_keras import _files, _validation
from dfal_keras.labeling.formats import answer
from dfal_keras.labeling.formats.answer import CANT_TELL
from dfal_keras.labeling.images import decoding

_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a session was created with.

    Attributes:
        images: The folder of images, relative to the session's folder.
        classes: Names of the classes, in the order of the model's outputs.
        sample_shape: `(height, width, channels)` of an image.
        strategy: Config of the query strategy; see `dfal_keras.strategies.get`.
        seed: Seed of queries and trainings.
        is_trained: Whether the model was trained before the session.
        is_pretrained: Whether the model has pretrained weights but for its last layer.
    """

    images: str
    classes: tuple[str, ...]
    sample_shape: tuple[int, int, int]
    strategy: dict
    seed: int = 0
    is_trained: bool = True
    is_pretrained: bool = False

    @property
    def has_own_strategy(self) -> bool:
        """Whether the strategy is of a class that is not one of this package."""
        return ":" in str(self.strategy.get("class_name"))

    def save(self, path: str | os.PathLike) -> None:
        """Write the settings. The write is atomic."""
        content = {"version": _VERSION, **dataclasses.asdict(self)}
        _files.write_text(path, json.dumps(content, indent=2, ensure_ascii=False))

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Settings":
        """Read the settings.

        Raises:
            ValueError: If the file is missing or damaged, or of another version.
        """
        try:
            content = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
            if content.pop("version") != _VERSION:
                raise ValueError(f"not of version {_VERSION}")
            content["classes"] = tuple(check_classes(content["classes"]))
            content["sample_shape"] = decoding.check_sample_shape(
                "sample_shape", content["sample_shape"]
            )
            # A session must not declare itself trusted.
            content.pop("allow_lambda", None)
            settings = cls(**content)
            settings._check()
            return settings
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise _damaged(path, error) from error
        except RecursionError as error:
            raise _damaged(path, "too many nested levels") from error

    def _check(self):
        """Raise ValueError if a value is of another type."""
        for name, kind in (
            ("images", str),
            ("strategy", dict),
            ("is_trained", bool),
            ("is_pretrained", bool),
        ):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise ValueError(f"{name} is {value!r:.80}")
        _validation.check_seed(self.seed)


def _damaged(path, reason):
    return _validation.ArgumentError(
        "session",
        "must be a folder that the command `init` made. Received: "
        f"{os.path.dirname(path)!r}, whose settings.json can't be read ({reason})",
    )


def check_classes(classes, name: str = "classes") -> list[str]:
    """Return distinct names of classes, without space around them.

    Args:
        classes: The names.
        name: Name of the argument. Defaults to `"classes"`.

    Raises:
        ValueError: If there are fewer than two, or one is empty, `?` or repeated, too
            long, or has control characters.
    """
    names = [str(each).strip() for each in classes]
    if (
        len(names) < 2
        or len(set(names)) < len(names)
        or not all(names)
        or CANT_TELL in names
    ):
        raise _validation.ArgumentError(
            name,
            "must hold at least two distinct names, none of them "
            f"empty or {CANT_TELL!r}. Received: {name}={names!r:.200}",
        )
    for each in names:
        answer.check_text(name, each)
    return names
