"""Downloads, through tensorflow-datasets, which verifies them and shows the progress.

`tfds.disable_progress_bar()` silences it.
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

from dfal_keras.datasets import source as sources

_TIMEOUT = 20  # seconds


def url_infos(source: sources.Source) -> dict:
    """Return the sizes and checksums that are known, in tensorflow-datasets' form."""
    return {
        file.url: checksums.UrlInfo(file.size, file.sha256, file.name)
        for file in source.files
        if file.sha256 is not None
    }


def instructions(source: sources.Source) -> str:
    """Say which files a data set needs, and from where."""
    files = ", ".join(f"{file.name} ({file.url})" for file in source.files)
    zipped = any(file.url.endswith(".zip") for file in source.files)
    return f"{files}{', unzipped' if zipped else ''}"


def fetch(source: sources.Source, folder: pathlib.Path) -> None:
    """Download the files that `folder` lacks, into it.

    One after the other, each put in place when it is whole and verified: a download
    that was stopped goes on with the next file.

    Raises:
        ValueError: If a file can't be downloaded, or is not the one expected.
    """
    lacking = [file for file in source.files if not (folder / file.name).is_file()]
    try:
        for file in lacking:
            _reach(file.url)
            folder.mkdir(parents=True, exist_ok=True)
            _fetch(source, file, folder)
    # The errors of Requests are OSErrors, as is a full disk.
    except (
        OSError,
        KeyError,
        zipfile.BadZipFile,
        zlib.error,
        tfds.download.DownloadError,
        download_manager.NonMatchingChecksumError,
    ) as error:
        names = ", ".join(file.name for file in lacking)
        raise ValueError(
            f"Data set {source.name!r} is not in {folder}, which lacks {names}, and "
            f"downloading failed: {_reason(error)}. Expected there: "
            f"{instructions(source)}. Put the files there by hand, or name the folder "
            f"that has them as `data_dir` or in the environment variable "
            f"{sources.VARIABLE}."
        ) from error


def _fetch(source, file, folder):
    # A folder of its own, because tensorflow-datasets leaves a failed download there,
    # and one that was stopped goes on for a while.
    with tempfile.TemporaryDirectory(
        prefix=f"{file.name}.", suffix=".tmp", dir=folder, ignore_cleanup_errors=True
    ) as transit:
        manager = tfds.download.DownloadManager(
            download_dir=transit,
            url_infos=url_infos(source),
            dataset_name=source.name,
        )
        path = pathlib.Path(manager.download(file.url))
        if path.suffix == ".zip":
            path = _unzip(path, file)
        path.replace(folder / file.name)


def _unzip(archive, file):
    """Take a file out of an archive; tensorflow-datasets would hold it in memory."""
    path = archive.parent / file.name
    with (
        zipfile.ZipFile(archive) as opened,
        opened.open(file.name) as packed,
        path.open("wb") as output,
    ):
        shutil.copyfileobj(packed, output, length=1 << 20)
    return path


def _reach(url):
    """Fail at once where tensorflow-datasets would try again for minutes."""
    if not url.startswith("http"):
        return
    request = urllib.request.Request(url, method="HEAD")
    # An HTTPError is an answer, too: what it means is for the download to say.
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=_TIMEOUT).close()


def _reason(error):
    """What happened, without the pages that tensorflow-datasets refers to."""
    lines = [line.strip() for line in str(error).splitlines()]
    return " ".join(lines[:3]).rstrip(".") or type(error).__name__
