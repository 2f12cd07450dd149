"""Made-up images of a query."""

import hashlib

import numpy as np

from dfal_keras.labeling.formats.queried_image import QueriedImage


def make(num_images, *, num_channels=3, size=64, examples=True, seed=0, **fields):
    """Return queried images of noise, with differing names; `fields` are for all."""
    rng = np.random.default_rng(seed)
    queried = []
    for i in range(num_images):
        image = rng.integers(0, 256, (size, size, num_channels), dtype=np.uint8)
        example = image + rng.normal(0, 9, image.shape)
        values = {
            "rank": i + 1,
            "file": f"images/{i}.png",
            "sha256": hashlib.sha256(image.tobytes()).hexdigest(),
            "score": 0.25 * i,
            "predicted": ("cat", "dog", "owl")[i % 3],
            "probability": 0.5,
            "image": image,
            "adversarial_example": example if examples else None,
            "adversarial_predicted": "owl" if examples else None,
        }
        queried.append(QueriedImage(**{**values, **fields}))
    return queried
