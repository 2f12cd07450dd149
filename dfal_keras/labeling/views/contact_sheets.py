"""Contact sheets of a query: images, their adversarial examples and the differences."""

import os
import pathlib
import warnings
from collections.abc import Sequence

import numpy as np

from dfal_keras import _files, _validation
from dfal_keras.labeling.formats.queried_image import QueriedImage
from dfal_keras.labeling.views import fonts

_PER_PAGE = 20
# Inches. At 160 dots an inch, a full page of PNG has 1,600 x 2,000 pixels.
_WIDTH = 10
_DPI = 160
# For 1 or 3 panels an image: the number of images in a row, and its height.
_LAYOUTS = {1: (4, 2.5), 3: (2, 1.25)}
_CAPTION_HEIGHT = 0.33
_GAP = 0.06
_FONT_SIZE = 7
_LONGEST_NAME = 24  # characters


def is_drawable(images) -> bool:
    """Return whether samples are images of 1, 3 or 4 channels."""
    return np.ndim(images) == 4 and np.shape(images)[3] in (1, 3, 4)


def write_sheets(
    path: str | os.PathLike, queried: Sequence[QueriedImage]
) -> list[pathlib.Path]:
    """Write sheets of at most 20 images. The write of each file is atomic.

    Beside an image that has an adversarial example are the example and the difference.

    Args:
        path: A `.pdf` file, which gets all pages, or a `.png` file. If several pages
            are needed, the files are those of `page_paths`.
        queried: The images, most important first.

    Returns:
        The files that were written.

    Raises:
        ValueError: If the file has another suffix, or if the samples are not images.
    """
    for image in queried:
        if not is_drawable([image.image]):
            raise _validation.ArgumentError(
                "queried",
                "must hold images of shape (height, width, "
                "channels) with 1, 3 or 4 channels. Received: shape "
                f"{np.shape(image.image)}",
            )
    paths = page_paths(path, len(queried))
    pages = [
        queried[start : start + _PER_PAGE]
        for start in range(0, len(queried), _PER_PAGE)
    ]
    num_panels = 3 if any(i.adversarial_example is not None for i in queried) else 1
    names = (name for image in queried for name in _names_of(image))
    families = fonts.families("".join(names))
    figures = (_draw(page, num_panels, families) for page in pages)
    if paths[0].suffix == ".pdf":
        _save_pdf(paths[0], figures)
    else:
        for page_path, figure in zip(paths, figures, strict=True):
            with _files.replacing(page_path) as file:
                _save(figure, file, "png")
    return paths


def page_paths(path: str | os.PathLike, num_images: int) -> list[pathlib.Path]:
    """Return the files that `write_sheets` writes.

    Args:
        path: The `.pdf` or `.png` file that `write_sheets` is given.
        num_images: Number of images.

    Raises:
        ValueError: If the file has another suffix.

    Example:
        >>> [path.name for path in page_paths("queries.png", 40)]
        ['queries-1.png', 'queries-2.png']
        >>> [path.name for path in page_paths("queries.pdf", 40)]
        ['queries.pdf']
    """
    path = pathlib.Path(path)
    _validation.check_choice("path", path.suffix, (".pdf", ".png"))
    num_images = _validation.check_count("num_images", num_images)
    num_pages = -(-num_images // _PER_PAGE)
    if num_pages == 1 or path.suffix == ".pdf":
        return [path]
    return [path.with_stem(f"{path.stem}-{page}") for page in range(1, num_pages + 1)]


def _draw(page, num_panels, families):
    """Return the figure of a page, with a number of panels for each image."""
    # `import matplotlib` alone does not import the submodule.
    import matplotlib.figure

    images_in_row, row_height = _LAYOUTS[num_panels]
    height = -(-len(page) // images_in_row) * row_height
    figure = matplotlib.figure.Figure((_WIDTH, height), dpi=_DPI, facecolor="white")
    # One panel of axes for all: many take seconds. Coordinates are inches from the top.
    axes = figure.add_axes((0, 0, 1, 1))
    panel_width = _WIDTH / images_in_row / num_panels
    for i, image in enumerate(page):
        row, column = divmod(i, images_in_row)
        for j, (pixels, colors, caption) in enumerate(_panels_of(image)):
            left = (column * num_panels + j) * panel_width
            center, top = left + panel_width / 2, row * row_height
            size = (panel_width - _GAP, row_height - _CAPTION_HEIGHT - _GAP)
            _place(axes, pixels, colors, center, top + _CAPTION_HEIGHT, size)
            axes.text(
                *(center, top + _CAPTION_HEIGHT - 0.04, caption),
                horizontalalignment="center",
                verticalalignment="bottom",
                fontsize=_FONT_SIZE,
                fontfamily=families,
                color="black",
                parse_math=False,  # a dollar sign in a name begins no formula
                usetex=False,  # whatever matplotlib is set to
            )
    axes.set(xlim=(0, _WIDTH), ylim=(height, 0))
    axes.set_axis_off()
    return figure


def _place(axes, pixels, colors, center, top, size):
    """Show pixels below `top`, as large as `size` in inches allows."""
    height, width = pixels.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    right, bottom = center + width * scale / 2, top + height * scale
    extent = (center - width * scale / 2, right, bottom, top)
    axes.imshow(pixels, extent=extent, interpolation="nearest", **colors)


def _panels_of(image):
    """Yield pixels, options of matplotlib and a caption for each panel of an image."""
    pixels = np.asarray(image.image, np.float32)
    name, predicted, adversarial_predicted = _names_of(image)
    caption = f"{image.rank}. {name}"
    if predicted:
        caption += f"\npredicted {predicted}"
    yield *_clipped(pixels), caption
    if image.adversarial_example is None:
        return
    example = np.asarray(image.adversarial_example, np.float32)
    yield *_clipped(example), f"adversarial\npredicted {adversarial_predicted}"
    difference = example - pixels
    norm = f"difference\nnorm {np.linalg.norm(difference):.3g}"
    yield *_scaled(difference), norm


def _names_of(image):
    """Return what the captions of an image name: its file and two classes, or ""."""
    names = (
        pathlib.PurePosixPath(image.file).name,
        image.predicted,
        image.adversarial_predicted or "",
    )
    return tuple(_shorten(name) for name in names)


def _clipped(image):
    """Return an image clipped to [0, 1], and its colors."""
    colors = {"cmap": "gray", "vmin": 0, "vmax": 1} if image.shape[2] == 1 else {}
    return _without_single_channel(np.clip(image / 255, 0, 1)), colors


def _scaled(difference):
    """Return a difference, scaled to its largest value; zero is gray, or white."""
    largest = max(np.abs(difference).max(), np.finfo(np.float32).tiny)
    if difference.shape[2] == 1:
        colors = {"cmap": "RdBu_r", "vmin": -1, "vmax": 1}
        return _without_single_channel(difference / largest), colors
    return 0.5 + difference[:, :, :3] / (2 * largest), {}


def _without_single_channel(image):
    return image[:, :, 0] if image.shape[2] == 1 else image


def _shorten(name):
    """Return a name that fits above a panel, without line breaks."""
    name = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)
    half = _LONGEST_NAME // 2
    return name if len(name) <= _LONGEST_NAME else f"{name[:half]}…{name[-half + 1 :]}"


def _save_pdf(path, figures):
    """Write figures as the pages of one file."""
    from matplotlib.backends.backend_pdf import PdfPages

    with _files.replacing(path) as file, PdfPages(file) as pages:
        for figure in figures:
            _save(figure, pages, "pdf")


def _save(figure, file, file_format):
    with warnings.catch_warnings():
        # Of characters that no font has, `fonts` has warned.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        # The whole figure, even where matplotlib is set to trim margins.
        figure.savefig(
            file, format=file_format, bbox_inches=figure.bbox_inches, dpi=_DPI
        )
