"""How the figures look: one size, one colour for a strategy everywhere."""

import pathlib

import matplotlib

matplotlib.use("Agg")  # files only, no screen

import matplotlib.pyplot as plt

COLUMN = 3.3  # inches, the width of a column of the paper

# Okabe & Ito's colours, which the colour-blind can tell apart.
COLORS = {
    "dfal": "#D55E00",
    "core_set": "#0072B2",
    "bald": "#CC79A7",
    "ceal": "#009E73",
    "egl": "#F0E442",
    "uncertainty": "#56B4E9",
    "random": "#000000",
}

plt.rcParams.update(
    {
        "font.size": 8,
        "axes.titlesize": 8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
        "lines.linewidth": 1.2,
        "savefig.dpi": 200,
        "savefig.bbox": "tight",
        "pdf.fonttype": 42,
    }
)


def save(figure, path: pathlib.Path):
    """Write a figure as PNG and as PDF, each whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for suffix in ("png", "pdf"):
        temporary = path.with_name(f"{path.name}.{suffix}.tmp")
        # Without a date the same figure is the same file.
        metadata = {"CreationDate": None} if suffix == "pdf" else None
        figure.savefig(temporary, format=suffix, metadata=metadata)
        temporary.replace(path.with_name(f"{path.name}.{suffix}"))
    plt.close(figure)
