"""A queried image, as it is shown to annotators."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class QueriedImage:
    """A queried image, as it is shown to annotators.

    Attributes:
        rank: 1 for the image to label first.
        file: Name of the image, relative to its folder.
        sha256: Checksum of the file's content, in hexadecimal.
        score: The strategy's score, `None` if it has none.
        predicted: Name of the class that the model predicts; empty if the model is not
            trained yet.
        probability: The predicted probability of that class, or `None`.
        image: Array of shape `(height, width, channels)`, pixels from 0 to 255.
        adversarial_example: Array of the shape of `image`, or `None`.
        adversarial_predicted: Name of the class that the model predicts for the
            adversarial example, or `None`.
        label: Name of the class if the image is labeled already, else empty.
    """

    rank: int
    file: str
    sha256: str
    score: float | None
    predicted: str
    probability: float | None
    image: np.ndarray
    adversarial_example: np.ndarray | None = None
    adversarial_predicted: str | None = None
    label: str = ""
