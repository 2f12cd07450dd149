"""Other users see the command of the browser, but not the secret address."""

import http.server
import os
import pathlib
import re
import threading
import time
import urllib.parse
import webbrowser

import pytest
from helpers import browser, sessions

from dfal_keras.cli import labeling_commands, secret_pages

ADDRESS = "http://127.0.0.1:9/a-secret/"


@pytest.fixture
def asked(monkeypatch):
    """The addresses that the browser is asked to open."""
    found = []
    monkeypatch.setattr(webbrowser, "open", found.append)
    return found


def to_path(address):
    assert address.startswith("file://")
    return pathlib.Path(urllib.parse.unquote(urllib.parse.urlsplit(address).path))


@pytest.mark.parametrize("left", [None, "file", "link", "folder"])
def test_the_address_is_in_a_file_of_the_user_only(tmp_path, asked, left):
    path, other = tmp_path / "a page?#.html", tmp_path / "other"
    other.write_text("mine")
    if left == "file":
        path.write_text("old")
        path.chmod(0o666)
    elif left == "link":
        path.symlink_to(other)
    elif left == "folder":
        path.mkdir()
    mask = os.umask(0)
    try:
        with secret_pages.opened(path, ADDRESS):
            assert len(asked) == (left != "folder")
            if asked:
                assert "secret" not in asked[0]
                assert to_path(asked[0]) == path
                assert ADDRESS in path.read_text()
                assert path.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(mask)
    assert path.exists() == (left == "folder")
    assert other.read_text() == "mine"


class Page(http.server.BaseHTTPRequestHandler):
    """A server's page, which counts the addresses that are asked for."""

    def do_GET(self):
        self.server.paths.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_the_file_leads_to_the_address(tmp_path, asked, name):
    server = http.server.HTTPServer(("127.0.0.1", 0), Page)
    server.paths = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/a?b=1&c=2"
    page = tmp_path / "page.html"
    with browser.start(name, tmp_path) as driver, secret_pages.opened(page, address):
        driver.get(asked[0])
        deadline = time.monotonic() + 60
        while "/a?b=1&c=2" not in server.paths:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    server.shutdown()
    server.server_close()


def test_label_opens_such_a_file(tmp_path, asked, capsys, monkeypatch):
    server = pytest.importorskip("dfal_keras.labeling.views.server")
    folder, _ = sessions.create(tmp_path, 40)
    contents = []

    def serve(desk, *, port, who, started):
        started(ADDRESS)
        contents.extend(path.read_text() for path in folder.glob("*.html"))

    monkeypatch.setattr(server, "serve", serve)
    for no_browser in (False, True):
        labeling_commands.label(
            folder, num_queries=2, restarts=1, port=0, no_browser=no_browser
        )
    assert len(asked) == 1
    assert "secret" not in asked[0]
    assert len(contents) == 1
    assert ADDRESS in contents[0]
    assert re.search(r"http\S+/", capsys.readouterr().out)[0] == ADDRESS
    assert not to_path(asked[0]).exists()
