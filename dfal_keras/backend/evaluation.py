"""Tests of a classifier on labeled images."""

from typing import NamedTuple

import numpy as np

from dfal_keras import _validation
from dfal_keras.backend import classifier, inference, targets


class Evaluation(NamedTuple):
    """Results of a test.

    Attributes:
        loss: Mean cross-entropy, in nats.
        accuracy: Accuracy, in [0, 1].
        recalls: The fraction of each class that is predicted correctly, NaN for a class
            without samples.
        metrics: The metrics that the model is compiled with, by name.
    """

    loss: float
    accuracy: float
    recalls: tuple[float, ...]
    metrics: dict[str, float]


def evaluate(model, x, y, *, batch_size: int | None = None) -> Evaluation:
    """Test a classifier.

    Args:
        model: A classifier.
        x: Images as the model takes them, of shape `(num_samples, ...)`.
        y: Integer class indices, of shape `(num_samples,)`.
        batch_size: Number of images in a batch. Defaults to `None`: up to 1024, as far
            as the model's activations fit in about 1 GB.

    Raises:
        ValueError: If an argument is invalid, or outputs are not finite.
    """
    classifier.check_model(model)
    _validation.check_images("x", x, sample_shape=classifier.sample_shape(model))
    probabilities = inference.predict_probabilities(model, x, batch_size=batch_size)
    num_samples, num_classes = probabilities.shape
    labels = _validation.check_labels(
        "y", y, num_samples=num_samples, num_classes=num_classes
    )
    correct = probabilities[np.arange(len(labels)), labels]
    loss = -np.log(np.maximum(correct, np.finfo(correct.dtype).tiny)).mean()
    is_right = probabilities.argmax(axis=1) == labels
    counts = np.bincount(labels, minlength=num_classes)
    right = np.bincount(labels[is_right], minlength=num_classes)
    with np.errstate(invalid="ignore"):
        recalls = tuple((right / counts).tolist())
    metrics = _compiled_metrics(model, x, labels)
    return Evaluation(float(loss), float(is_right.mean()), recalls, metrics)


def _compiled_metrics(model, x, labels):
    """Return the metrics that `model.evaluate` computes, without the loss.

    A model with metrics takes another pass over the images.
    """
    metrics = getattr(model, "metrics", [])
    if len(metrics) < 2 or getattr(model, "optimizer", None) is None:
        return {}
    y = targets.as_targets(model, labels, targets.num_outputs(model, x))
    found = model.evaluate(
        x, y, batch_size=inference.MAX_BATCH_SIZE, verbose=0, return_dict=True
    )
    return {name: float(value) for name, value in found.items() if name != "loss"}
