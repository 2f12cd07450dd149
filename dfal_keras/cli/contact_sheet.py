"""Contact sheet of a query: images, their adversarial examples and the differences."""

import os
from collections.abc import Mapping

import numpy as np

from dfal_keras import _files

_NUM_ROWS = 5  # images in a column


def is_drawable(images) -> bool:
    """Return whether samples are images of 1, 3 or 4 channels."""
    return np.ndim(images) == 4 and np.shape(images)[3] in (1, 3, 4)


def draw(
    path: str | os.PathLike,
    images,
    captions: list,
    adversarial_examples: Mapping[int, tuple] | None = None,
) -> None:
    """Write a contact sheet as a PNG file. The write is atomic.

    Args:
        path: The file to write.
        images: Array of shape `(num_queries, height, width, channels)` with 1, 3 or 4
            channels.
        captions: A text for each image.
        adversarial_examples: For rows of `images`, the adversarial example and its
            caption. Defaults to `None`, a sheet of the images only.

    Raises:
        ValueError: If the samples are not images.
    """
    import matplotlib.figure

    images = np.asarray(images, np.float32)
    if not is_drawable(images):
        raise ValueError(
            "Argument `images` must have shape (num_queries, height, width, channels) "
            f"with 1, 3 or 4 channels. Received: shape {images.shape}"
        )
    num_panels = 3 if adversarial_examples else 1  # image, example, difference
    white = 255 if images.max() > 1 else 1
    num_rows = min(_NUM_ROWS, len(images))
    num_columns = -(-len(images) // _NUM_ROWS) * num_panels
    figure = matplotlib.figure.Figure(
        figsize=(1.35 * num_columns, 1.5 * num_rows + 0.3), layout="constrained"
    )
    panels = figure.subplots(num_rows, num_columns, squeeze=False)
    for panel in panels.flat:
        panel.set_axis_off()
    for i, (image, caption) in enumerate(zip(images, captions, strict=True)):
        row, block = i % _NUM_ROWS, i // _NUM_ROWS
        own_panels = panels[row, block * num_panels :]
        _show(own_panels[0], image / white, caption)
        if adversarial_examples and i in adversarial_examples:
            example, example_caption = adversarial_examples[i]
            example = np.asarray(example, np.float32)
            _show(own_panels[1], example / white, example_caption)
            _show_difference(own_panels[2], example - image)
    with _files.replacing(path) as file:
        figure.savefig(file, format="png", dpi=120)


def _show(panel, image, caption):
    """Show an image, clipped to [0, 1]."""
    gray = {"cmap": "gray", "vmin": 0, "vmax": 1} if image.shape[2] == 1 else {}
    panel.imshow(np.clip(image, 0, 1).squeeze(), **gray)
    panel.set_title(caption, fontsize=7)


def _show_difference(panel, difference):
    """Show a difference, scaled to its largest value; zero is gray, or white."""
    largest = max(np.abs(difference).max(), np.finfo(np.float32).tiny)
    if difference.shape[2] == 1:
        panel.imshow(difference.squeeze(2), cmap="RdBu_r", vmin=-largest, vmax=largest)
    else:
        panel.imshow(0.5 + difference[:, :, :3] / (2 * largest))
    panel.set_title(f"difference\nnorm {np.linalg.norm(difference):.3g}", fontsize=7)
