"""Downloads from servers on this machine that fail, or answer in other ways."""

import contextlib
import dataclasses
import http.server
import logging
import os
import subprocess
import sys
import threading
import time

import pytest
from helpers import data_folders

from dfal_keras.datasets import download

CLASSES = ("dolphin", "cat", "face", "angel")


@pytest.fixture
def remote(tmp_path, monkeypatch):
    """A folder with the files of a small data set, and no proxy."""
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "remote"


@contextlib.contextmanager
def misbehaving_server(answer):
    """Serve 1000 bytes, which `answer` writes, at every path; yield the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()

        def do_GET(self):
            self.do_HEAD()
            answer(self.wfile)

        def log_message(self, *args):
            pass

    with data_folders.running_server(Handler) as address:
        yield address


def test_a_connection_that_breaks(remote, tmp_path):
    source = data_folders.small_quick_draw(remote)
    with (
        misbehaving_server(lambda output: output.write(bytes(400))) as address,
        pytest.raises(ValueError, match=r"download failed: .*400 bytes read.*by hand"),
    ):
        download.fetch_missing(data_folders.served(source, address), tmp_path / "data")
    assert data_folders.names(tmp_path / "data") == []


def test_a_server_that_stops_sending(remote, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "_READ_TIMEOUT", 0.2)
    source = data_folders.small_quick_draw(remote)
    is_done = threading.Event()
    start = time.monotonic()
    with misbehaving_server(lambda output: is_done.wait(20)) as address:
        with pytest.raises(ValueError, match=r"download failed: .*timed out"):
            download.fetch_missing(
                data_folders.served(source, address), tmp_path / "data"
            )
        assert time.monotonic() - start < 10
        is_done.set()
    assert data_folders.names(tmp_path / "data") == []


def with_addresses(source, *addresses):
    """Return a copy of a source with several addresses for each file."""
    copies = [data_folders.served(source, address) for address in addresses]
    files = [
        dataclasses.replace(files[0], urls=tuple(file.urls[0] for file in files))
        for files in zip(*(copy.files for copy in copies), strict=True)
    ]
    return dataclasses.replace(source, files=tuple(files))


def test_http_is_used_where_https_fails(remote, tmp_path, caplog):
    """This server speaks no TLS, so the handshake fails."""
    source = data_folders.small_quick_draw(remote)
    with data_folders.server(remote) as address:
        secure = address.replace("http:", "https:")
        with caplog.at_level(logging.WARNING, "dfal_keras"):
            download.fetch_missing(
                with_addresses(source, secure, address), tmp_path / "data"
            )
    for file in source.files:
        expected = (remote / file.name).read_bytes()
        assert (tmp_path / "data" / file.name).read_bytes() == expected
    assert len(caplog.messages) == 4
    assert f"Not used, as it failed: {secure}/dolphin.npy: " in caplog.messages[0]
    assert "SSL" in caplog.messages[0]


def test_the_first_address_that_answers_is_used(remote, tmp_path, caplog):
    source = data_folders.small_quick_draw(remote)
    (tmp_path / "empty").mkdir()
    with (
        data_folders.server(tmp_path / "empty") as without_files,
        data_folders.server(remote) as first,
        data_folders.server(remote) as second,
        caplog.at_level(logging.INFO, "dfal_keras"),
    ):
        addresses = (without_files, first, second)
        download.fetch_missing(with_addresses(source, *addresses), tmp_path / "data")
    used = [line for line in caplog.messages if line.startswith("Downloading")]
    assert used == [f"Downloading {first}/{name}.npy" for name in CLASSES]


def test_no_address_answers(remote, tmp_path):
    source = data_folders.small_quick_draw(remote)
    with data_folders.server(remote) as address:
        pass  # stopped again
    secure = address.replace("http:", "https:")
    with pytest.raises(ValueError, match="download failed: ") as caught:
        download.fetch_missing(
            with_addresses(source, secure, address), tmp_path / "data"
        )
    for url in f"{secure}/dolphin.npy", f"{address}/dolphin.npy":
        assert f"{url}: <urlopen error [Errno 111] Connection refused>" in str(
            caught.value
        )
    assert not (tmp_path / "data").exists()


def test_complete_files_are_kept_and_not_downloaded_again(remote, tmp_path):
    """Each file stays when a later one fails; the next call needs only the others."""
    source = data_folders.small_quick_draw(remote)
    content = (remote / "face.npy").read_bytes()
    (remote / "face.npy").unlink()
    with data_folders.server(remote) as address:
        served = data_folders.served(source, address)
        with pytest.raises(ValueError, match="404"):
            download.fetch_missing(served, tmp_path / "data")
        assert data_folders.names(tmp_path / "data") == ["cat.npy", "dolphin.npy"]
        for name in "cat.npy", "dolphin.npy":
            (remote / name).unlink()
        (remote / "face.npy").write_bytes(content)
        download.fetch_missing(served, tmp_path / "data")
    assert data_folders.names(tmp_path / "data") == [
        "angel.npy", "cat.npy", "dolphin.npy", "face.npy",
    ]  # fmt: skip


@pytest.mark.parametrize("disable", ["", "1"])
def test_the_progress_bar(remote, tmp_path, disable):
    """It is written to stderr, and one variable hides it. Nothing else is written."""
    source = data_folders.small_quick_draw(remote)
    code = (
        "import pathlib, sys; from helpers import data_folders\n"
        "from dfal_keras.datasets import download\n"
        "source = data_folders.small_quick_draw(pathlib.Path(sys.argv[1]))\n"
        "source = data_folders.served(source, sys.argv[2])\n"
        "download.fetch_missing(source, pathlib.Path(sys.argv[3]))\n"
    )
    paths = [*sys.path, os.path.dirname(os.path.dirname(data_folders.__file__))]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    env.pop("TQDM_DISABLE", None)
    if disable:
        env["TQDM_DISABLE"] = disable
    with data_folders.server(remote) as address:
        arguments = [str(tmp_path / "again"), address, str(tmp_path / "data")]
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True,
            text=True,
            env=env,
            check=True,
        )
    assert len(data_folders.names(tmp_path / "data")) == len(source.files)
    assert done.stdout == ""
    if disable:
        assert done.stderr == ""
    else:
        assert done.stderr.count("100%") >= 4
        assert "Traceback" not in done.stderr
