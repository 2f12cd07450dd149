"""A picture of a query: each image beside its adversarial twin and the difference."""

import os

import numpy as np

from dfal_keras import _files

_ROWS = 5  # of images; more go to further columns


def is_drawable(images) -> bool:
    """Whether samples are images of 1, 3 or 4 channels."""
    return np.ndim(images) == 4 and np.shape(images)[3] in (1, 3, 4)


def draw(
    path: str | os.PathLike,
    images,
    captions: list,
    twins: list | None = None,
    twin_captions: list | None = None,
) -> None:
    """Write a contact sheet as PNG, whole or not at all.

    Args:
        path: Where to write.
        images: Of shape `(num_queries, height, width, channels)`, 1, 3 or 4 channels.
        captions: A short text for each image.
        twins: A list of the adversarial twin of each image, `None` where it has none;
            `None` for a sheet without twins.
        twin_captions: A short text for each image's twin.

    Raises:
        ValueError: If the samples are no images.
    """
    import matplotlib

    images = np.asarray(images, np.float32)
    if not is_drawable(images):
        raise ValueError(
            "Argument `images` must be images of 1, 3 or 4 channels to be drawn. "
            f"Received: samples of shape {images.shape[1:]}"
        )
    num_places = 1 if twins is None else 3  # image, twin, difference
    white = 255 if images.max() > 1 else 1
    num_blocks = -(-len(images) // _ROWS)
    num_rows = min(_ROWS, len(images))
    num_columns = num_blocks * num_places
    figure = matplotlib.figure.Figure(
        figsize=(1.35 * num_columns, 1.5 * num_rows + 0.3), layout="constrained"
    )
    panels = figure.subplots(num_rows, num_columns, squeeze=False)
    for panel in panels.flat:
        panel.set_axis_off()
    for i in range(len(images)):
        row, block = i % _ROWS, i // _ROWS
        places = panels[row, block * num_places :]
        _show(places[0], images[i] / white, captions[i])
        if twins is not None and twins[i] is not None:
            twin = np.asarray(twins[i], np.float32)
            _show(places[1], twin / white, twin_captions[i])  # type: ignore[index]
            length = np.linalg.norm(twin - images[i])
            caption = f"difference\nlength {length:.3g}"
            _show_difference(places[2], twin - images[i], caption)
    with _files.replacing(path) as file:
        figure.savefig(file, format="png", dpi=120)


def _show(panel, image, caption):
    """Show an image with pixels in [0, 1]; whatever lies beyond is clipped."""
    gray = {"cmap": "gray", "vmin": 0, "vmax": 1} if image.shape[2] == 1 else {}
    panel.imshow(np.clip(image, 0, 1).squeeze(), **gray)
    panel.set_title(caption, fontsize=7)


def _show_difference(panel, difference, caption):
    """Show a difference, stretched to its largest: gray (or white) is none."""
    largest = max(np.abs(difference).max(), np.finfo(np.float32).tiny)
    if difference.shape[2] == 1:
        panel.imshow(difference.squeeze(2), cmap="RdBu_r", vmin=-largest, vmax=largest)
    else:
        panel.imshow(0.5 + difference[:, :, :3] / (2 * largest))
    panel.set_title(caption, fontsize=7)
