"""Figures of Matplotlib, which is imported on first use."""


def new_figure(size):
    """Return a figure of pyplot, which notebooks and `plt.show()` display."""
    import matplotlib.pyplot as plt

    return plt.figure(figsize=size, layout="constrained")
