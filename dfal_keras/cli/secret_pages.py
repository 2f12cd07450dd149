"""Open a page with a secret address in the user's browser."""

import contextlib
import html
import os
import pathlib
import webbrowser
from collections.abc import Iterator


@contextlib.contextmanager
def opened(path: str | os.PathLike, address: str) -> Iterator[None]:
    """Open an address in the browser, by a file that is removed in the end.

    Other users of the machine can read the arguments of a browser's command. The
    address is not among them: the browser opens a page that leads to it, which only
    this user can read. Nothing is opened if the file can't be written.

    Args:
        path: The file to write, which is replaced.
        address: The address.
    """
    path = pathlib.Path(path)
    target = html.escape(address)
    text = (
        '<!DOCTYPE html><meta charset="utf-8"><title>Images to label</title>'
        f'<meta http-equiv="refresh" content="0; url={target}">'
        f'<a href="{target}">Label the images</a>'
    )
    try:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)  # what a killed command left
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            webbrowser.open(path.resolve().as_uri())
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
