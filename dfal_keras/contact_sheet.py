"""A picture of a query: each image beside its adversarial twin and the difference."""

import numpy as np

from dfal_keras import _files

_ROWS = 5  # of images; more go to further columns


def is_drawable(images) -> bool:
    """Whether samples are images of 1, 3 or 4 channels."""
    return np.ndim(images) == 4 and np.shape(images)[3] in (1, 3, 4)


def draw(path, images, captions, twins=None, twin_captions=None):
    """Write a contact sheet as PNG, whole or not at all.

    Args:
        path: Where to write.
        images: Of shape `(num_queries, height, width, channels)`, 1, 3 or 4 channels.
        captions: A short text for each image.
        twins: Adversarial twins of the same shape; `None` for a sheet without.
        twin_captions: A short text for each twin.

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
    columns = [images]
    if twins is not None:
        columns += [np.asarray(twins, np.float32), np.asarray(twins) - images]
    white = 255 if images.max() > 1 else 1
    num_blocks = -(-len(images) // _ROWS)
    num_rows = min(_ROWS, len(images))
    num_columns = num_blocks * len(columns)
    figure = matplotlib.figure.Figure(
        figsize=(1.35 * num_columns, 1.5 * num_rows + 0.3), layout="constrained"
    )
    panels = figure.subplots(num_rows, num_columns, squeeze=False)
    for panel in panels.flat:
        panel.set_axis_off()
    for i in range(len(images)):
        row, block = i % _ROWS, i // _ROWS
        places = panels[row, block * len(columns) :]
        _show(places[0], images[i] / white, captions[i])
        if twins is not None:
            _show(places[1], columns[1][i] / white, twin_captions[i])
            length = np.linalg.norm(columns[2][i])
            _show_difference(
                places[2], columns[2][i], f"difference\nlength {length:.3g}"
            )
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
