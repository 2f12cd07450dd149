"""Drawn photographs of five unbalanced classes."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SHARES = {"circle": 60, "square": 20, "triangle": 10, "cross": 5, "stripes": 5}
_COLORS = {
    "circle": (150, 30, 30),
    "square": (30, 30, 150),
    "triangle": (20, 110, 20),
    "cross": (10, 10, 10),
    "stripes": (130, 20, 130),
}
_SIZE = (640, 480)


def write(folder, num_images, seed=0):
    """Write photographs, and return the class of each by file name.

    Args:
        folder: A new folder.
        num_images: Number of images; the classes have shares of 60, 20, 10, 5 and 5 %.
        seed: Seed of all that is random. Defaults to 0.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    names = [c for c in SHARES for _ in range(round(num_images * SHARES[c] / 100))]
    truth = {}
    for number, label in enumerate(rng.permutation(names).tolist()):
        name = f"IMG_{number:04}.jpg"
        _draw(label, rng).save(folder / name, quality=90)
        truth[name] = label
    return truth


def _draw(label, rng):
    """Return a picture of one shape on a table, with noise and blur."""
    width, height = _SIZE
    low, high = rng.integers(120, 220, (2, 3))
    ramp = np.linspace(0, 1, height)[:, None, None]
    table = low * ramp + high * (1 - ramp) + rng.normal(0, 12, (height, width, 3))
    image = Image.fromarray(table.clip(0, 255).astype("uint8"))
    drawing = ImageDraw.Draw(image)
    color = tuple(value + int(rng.integers(0, 40)) for value in _COLORS[label])
    r = int(rng.integers(90, 150))
    x, y = rng.integers(r + 20, (width - r - 20, height - r - 20)).tolist()
    box = (x - r, y - r, x + r, y + r)
    if label == "circle":
        drawing.ellipse(box, fill=color)
    elif label == "square":
        drawing.rectangle(box, fill=color)
    elif label == "triangle":
        drawing.polygon([(x, y - r), (x - r, y + r), (x + r, y + r)], fill=color)
    elif label == "cross":
        for line in ((x - r, y, x + r, y), (x, y - r, x, y + r)):
            drawing.line(line, fill=color, width=r // 3)
    else:
        for shift in range(-r, r, r // 3):
            drawing.line((x - r, y + shift, x + r, y + shift), fill=color, width=r // 7)
    return image.filter(ImageFilter.GaussianBlur(1.5))
