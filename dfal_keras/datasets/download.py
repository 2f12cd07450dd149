"""Downloads with tensorflow-datasets, which verifies files and shows the progress.

To hide the progress bar, call `tfds.disable_progress_bar()`.
"""

import contextlib
import pathlib
import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib

import tensorflow_datasets as tfds
from tensorflow_datasets.core.download import checksums, download_manager

from dfal_keras.datasets.source import DATA_DIR_VARIABLE, Source

_TIMEOUT = 20  # seconds


def url_infos(source: Source) -> dict:
    """Return the known sizes and checksums in the form of tensorflow-datasets."""
    return {
        file.url: checksums.UrlInfo(file.size, file.sha256, file.name)
        for file in source.files
        if file.sha256 is not None
    }


def describe_files(source: Source) -> str:
    """Return the names and addresses of the files of a data set."""
    files = ", ".join(f"{file.name} ({file.url})" for file in source.files)
    is_zipped = any(file.url.endswith(".zip") for file in source.files)
    return f"{files}{', unzipped' if is_zipped else ''}"


def fetch_missing(source: Source, folder: pathlib.Path) -> None:
    """Download the files that are missing in a folder.

    Files are downloaded one after the other, and each is moved into the folder when it
    is complete and verified. After an interruption, the next call downloads the rest.

    Args:
        source: `Source` of the data set.
        folder: The folder. It is created if needed.

    Raises:
        ValueError: If a file can't be downloaded, or its checksum differs.
    """
    missing = [file for file in source.files if not (folder / file.name).is_file()]
    try:
        for file in missing:
            _check_connection(file.url)
            folder.mkdir(parents=True, exist_ok=True)
            _fetch(source, file, folder)
    # OSError includes the exceptions of Requests.
    except (
        OSError,
        KeyError,
        zipfile.BadZipFile,
        zlib.error,
        tfds.download.DownloadError,
        download_manager.NonMatchingChecksumError,
    ) as error:
        names = ", ".join(file.name for file in missing)
        raise ValueError(
            f"Data set {source.name!r} is incomplete: {names} not found in {folder}, "
            f"and the download failed: {_summary(error)}. Expected files: "
            f"{describe_files(source)}. Put the files into the folder by hand, or set "
            "the argument `data_dir` or the environment variable "
            f"{DATA_DIR_VARIABLE} to a folder that contains them."
        ) from error


def _fetch(source, file, folder):
    # In a temporary folder: tensorflow-datasets leaves failed downloads behind, and an
    # interrupted one writes for a while.
    with tempfile.TemporaryDirectory(
        prefix=f"{file.name}.", suffix=".tmp", dir=folder, ignore_cleanup_errors=True
    ) as temporary:
        manager = tfds.download.DownloadManager(
            download_dir=temporary,
            url_infos=url_infos(source),
            dataset_name=source.name,
        )
        path = pathlib.Path(manager.download(file.url))
        if path.suffix == ".zip":
            path = _unzip(path, file)
        path.replace(folder / file.name)


def _unzip(archive, file):
    """Extract a file in blocks. tensorflow-datasets would load it into memory."""
    path = archive.parent / file.name
    with (
        zipfile.ZipFile(archive) as opened,
        opened.open(file.name) as compressed,
        path.open("wb") as output,
    ):
        shutil.copyfileobj(compressed, output, length=1 << 20)
    return path


def _check_connection(url):
    """Raise OSError without a connection. tensorflow-datasets would retry for minutes.

    HTTP errors are left to the download.
    """
    if not url.startswith("http"):
        return
    request = urllib.request.Request(url, method="HEAD")
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=_TIMEOUT).close()


def _summary(error):
    """Return the first lines of a message. The others refer to web pages."""
    lines = [line.strip() for line in str(error).splitlines()]
    return " ".join(lines[:3]).rstrip(".") or type(error).__name__
