"""What the loss that a model is compiled with says about its outputs."""

import keras


def takes_logits(model) -> bool:
    """Return whether a model is compiled with a loss of logits."""
    return bool(getattr(getattr(model, "loss", None), "from_logits", False))


def takes_probabilities(model) -> bool:
    """Return whether a model is compiled with a loss of the probability of class 1.

    A binary cross-entropy of probabilities, for which Keras clips other outputs to
    [0, 1], which hides that a sigmoid is missing; or a distance from the label.
    """
    loss = resolved(getattr(model, "loss", None))
    if isinstance(loss, _CLASSES):
        return not getattr(loss, "from_logits", False)
    return loss in _FUNCTIONS


def resolved(loss):
    """Return the loss that a name means, as Keras does; return others unchanged."""
    if not isinstance(loss, str):
        return loss
    try:
        return keras.losses.get(loss)
    except ValueError:  # such as "crossentropy", which depends on the labels
        return loss


_CLASSES = (
    keras.losses.BinaryCrossentropy,
    keras.losses.BinaryFocalCrossentropy,
    keras.losses.MeanSquaredError,
    keras.losses.MeanAbsoluteError,
    keras.losses.Huber,
    keras.losses.LogCosh,
)
_FUNCTIONS = (
    keras.losses.binary_crossentropy,
    keras.losses.binary_focal_crossentropy,
    keras.losses.mean_squared_error,
    keras.losses.mean_absolute_error,
    keras.losses.huber,
    keras.losses.log_cosh,
)
