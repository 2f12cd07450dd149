"""A check of the weights of a model."""

import keras
import numpy as np

from dfal_keras import _validation


def check_finite(model) -> None:
    """Raise ValueError if a weight of a model is NaN, or infinite and trainable.

    Outputs do not always tell: on some processors, ReLU turns NaN into 0. A weight that
    is not trained may be infinite, such as that of a mask.

    Args:
        model: A built Keras model. Functions have no weights and pass.
    """
    if not isinstance(model, keras.Model):
        return
    for variable in model.variables:
        if not keras.backend.is_float_dtype(variable.dtype):
            continue
        values = variable.numpy()
        is_valid = np.isfinite(values) if variable.trainable else ~np.isnan(values)
        if not is_valid.all():
            raise _validation.ArgumentError(
                "model",
                "must have finite weights. Received: the model "
                f"{model.name!r} with NaN or infinity in {variable.path!r}",
            )
