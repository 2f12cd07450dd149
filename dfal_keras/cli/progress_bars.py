"""Progress bars of the commands."""

import contextlib
from collections.abc import Callable, Iterator

import tqdm


@contextlib.contextmanager
def reading() -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar while images are read, on a terminal only.

    Yields:
        A function of the number of images read so far and of all.
    """
    with tqdm.tqdm(unit=" images", desc="reading", leave=False, disable=None) as bar:

        def progress(num_read, num_images):
            bar.total = num_images
            bar.update(num_read - bar.n)

        yield progress
