"""Download the files of a data set, with a progress bar on standard error.

To hide the progress bar, set the environment variable `TQDM_DISABLE` to 1.
"""

import http.client
import logging
import pathlib
import shutil
import tempfile
import urllib.request
import zipfile
import zlib

import pooch

from dfal_keras.datasets import verification
from dfal_keras.datasets.source import DATA_DIR_VARIABLE, InvalidFileError, Source

_LOGGER = logging.getLogger(__name__)
_CONNECT_TIMEOUT = 10  # seconds
_READ_TIMEOUT = 60  # seconds without data
_BLOCK_SIZE = 1 << 20  # bytes


def describe_files(source: Source) -> str:
    """Return the names and addresses of the files of a data set."""
    files = ", ".join(f"{file.name} ({file.urls[0]})" for file in source.files)
    is_zipped = any(file.urls[0].endswith(".zip") for file in source.files)
    return f"{files}{', unzipped' if is_zipped else ''}"


def fetch_missing(source: Source, folder: pathlib.Path) -> None:
    """Download the files that are missing in a folder.

    Files are downloaded one after the other, and each is moved into the folder when it
    is complete and verified. After an interruption, the next call downloads the rest.
    The checksum of a file without a published one is recorded: see `verification`.

    Args:
        source: `Source` of the data set.
        folder: The folder. It is created if needed.

    Raises:
        ValueError: If a file can't be downloaded or is not the expected one.
    """
    missing = [file for file in source.files if not (folder / file.name).is_file()]
    try:
        for file in missing:
            url = _find_address(file)
            folder.mkdir(parents=True, exist_ok=True)
            _fetch(source, file, url, folder)
    except (
        OSError,  # includes the exceptions of Requests
        InvalidFileError,
        # Of archives that are damaged, encrypted or without the file.
        EOFError,
        KeyError,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        names = ", ".join(file.name for file in missing)
        raise ValueError(
            f"Data set {source.name!r} is incomplete: {names} not found in {folder}, "
            f"and the download failed: {_describe(error)}. Expected files: "
            f"{describe_files(source)}. Put the files into the folder by hand, or set "
            "the argument `data_dir` or the environment variable "
            f"{DATA_DIR_VARIABLE} to a folder that contains them."
        ) from error


def _find_address(file):
    """Return the first address that answers, and raise OSError if none does.

    Without a connection, this takes seconds and creates no folder.
    """
    failures = []
    for url in file.urls:
        request = urllib.request.Request(url, method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=_CONNECT_TIMEOUT).close()
        except (OSError, http.client.HTTPException) as error:
            failures.append(f"{url}: {_describe(error)}")
        else:
            _LOGGER.info("Downloading %s", url)
            if failures:
                _LOGGER.warning("Not used, as it failed: %s", "; ".join(failures))
            return url
    raise OSError("; ".join(failures))


def _fetch(source, file, url, folder):
    """Download a file to a temporary folder, check it and move it to its place."""
    with tempfile.TemporaryDirectory(
        prefix=f"{file.name}.", suffix=".tmp", dir=folder, ignore_cleanup_errors=True
    ) as temporary:
        path = pathlib.Path(temporary) / file.name
        # Not `pooch.retrieve`, which writes messages about checksums to stderr.
        download = pooch.HTTPDownloader(
            progressbar=True,
            chunk_size=_BLOCK_SIZE,
            timeout=(_CONNECT_TIMEOUT, _READ_TIMEOUT),
        )
        if url.endswith(".zip"):
            archive = path.with_suffix(".zip")
            download(url, archive, None)
            _unzip(archive, path)
        else:
            download(url, path, None)
        verification.check(source, file, path)
        target = folder / file.name
        if file.sha256 is None:
            verification.record_checksum(path, verification.record_path(target))
        path.replace(target)


def _unzip(archive, path):
    """Extract a file in blocks, without loading it into memory."""
    with (
        zipfile.ZipFile(archive) as opened,
        opened.open(path.name) as compressed,
        path.open("wb") as output,
    ):
        shutil.copyfileobj(compressed, output, length=_BLOCK_SIZE)


def _describe(error):
    """Return the message of an exception, without a final period."""
    if isinstance(error, InvalidFileError):
        return error.problem
    return str(error).rstrip(".") or type(error).__name__
