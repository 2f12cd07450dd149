"""Models from `.keras` files."""

import os
import pathlib
import zipfile

import keras


def load_model(path: str | os.PathLike, *, allow_lambda: bool = False) -> keras.Model:
    """Load a `.keras` model without running Python code that the file contains.

    Args:
        path: A file that `model.save` wrote, ending in `.keras`.
        allow_lambda: Whether to load Python code, as in `Lambda` layers. Only for
            files whose origin you trust. Defaults to `False`.

    Raises:
        ValueError: If the file is not a model, or contains Python code.
    """
    path = pathlib.Path(path)
    if path.suffix != ".keras" or not path.is_file():
        raise ValueError(
            "Argument `model` must be a file that ends in .keras. Received: "
            f"model={str(path)!r}{'' if path.exists() else ', which does not exist'}"
        )
    try:
        return keras.models.load_model(path, compile=False, safe_mode=not allow_lambda)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        reason = str(error).split("\n")[0]
        if "ambda" in str(error):
            reason = "it contains Python code (a Lambda layer)"
        raise ValueError(
            "Argument `model` must be a .keras file of Keras's own layers. "
            f"Received: model={str(path)!r}: {reason}"
        ) from error
