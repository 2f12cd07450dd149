"""The site: it is built without a warning, and its internal links lead somewhere."""

import html.parser
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse
import zlib

import pytest

import dfal_keras as dfal

pytest.importorskip("sphinx", reason="needs the extra `docs`")
pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).parents[2]
SOURCES = ROOT / ".github" / "docs"
# Modules of which each public name has an entry in the reference.
MODULES = ("strategies", "kcenter", "pools", "plots")
NOT_IN_THE_REFERENCE = {"kcenter.FORMULATIONS"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site. The folder of the sources gets copies of other pages."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "-n", "-q", "--keep-going"]
    done = subprocess.run(
        [*command, "-d", str(folder / "doctrees"), str(SOURCES), str(folder / "html")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


class Page(html.parser.HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors.add(found.get("id"))
        self.links += [found[name] for name in ("href", "src") if found.get(name)]


def broken_links(folder):
    """Return the internal links that lead nowhere, by page."""
    paths = [path for path in folder.rglob("*.html") if "_static" not in path.parts]
    pages = {path: Page(path) for path in paths}  # without the theme's templates
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            name = urllib.parse.unquote(parts.path)
            target = (path.parent / name).resolve() if name else path
            anchor = urllib.parse.unquote(parts.fragment)
            has_anchor = target not in pages or anchor in pages[target].anchors
            if not target.exists() or (anchor and not has_anchor):
                broken.append(f"{path.relative_to(folder)}: {link}")
    return broken


def test_internal_links_lead_somewhere(site):
    assert len(list(site.rglob("*.html"))) > 40
    assert broken_links(site) == []


def test_broken_links_are_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html#here">1</a><a href="b.html#there">2</a><a href="c.html">3</a>'
        '<a href="#top">4</a><img src="missing.png"><a href="https://x.org/y">5</a>'
    )
    (tmp_path / "b.html").write_text('<p id="here"></p><a href="a.html">6</a>')
    assert broken_links(tmp_path) == [
        "a.html: b.html#there",
        "a.html: c.html",
        "a.html: #top",
        "a.html: missing.png",
    ]


def test_pages_load_nothing_from_elsewhere(site):
    """They are complete without a network, and tell nobody who reads them."""
    loaded = re.compile(
        r"""<(?:script|img|iframe)[^>]* src="https?:[^>]*|"""
        r"""<link[^>]* rel="stylesheet"[^>]* href="https?:[^>]*"""
    )
    found = [
        (path.name, tag)
        for path in site.rglob("*.html")
        if "_static" not in path.parts
        for tag in loaded.findall(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_formulas_are_written_as_mathml(site):
    text = (site / "guides" / "strategies.html").read_text(encoding="utf-8")
    assert text.count("<math ") > 20
    assert not re.search(r"<m[io][^>]*>\\", text)  # a command that is not known


def test_every_public_name_is_in_the_reference(site):
    """The inventory of Sphinx lists what the reference describes."""
    content = (site / "objects.inv").read_bytes()
    lines = zlib.decompress(content.split(b"\n", 4)[4]).decode().splitlines()
    described = {line.split()[0] for line in lines if " py:" in line}
    public = {name for name in dfal.__all__ if not is_module(getattr(dfal, name))}
    for module in MODULES:
        public |= {f"{module}.{name}" for name in getattr(dfal, module).__all__}
    missing = {name for name in public if f"dfal_keras.{name}" not in described}
    assert missing == NOT_IN_THE_REFERENCE


def is_module(value):
    return isinstance(value, type(dfal))


def test_stored_tables_are_shown(site):
    text = (site / "results" / "accuracy.html").read_text(encoding="utf-8")
    table = (ROOT / "reproduce/results/paper/tables/table1_mnist-lenet5.md").read_text()
    cells = [cell.strip() for cell in table.splitlines()[2].split("|")[1:-1]]
    assert cells[0] == "DFAL"
    assert all(f"<p>{cell}</p>" in text for cell in cells if cell)


def test_notebooks_are_shown_with_their_pictures(site):
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        page = site / "repository" / "notebooks" / f"{notebook.stem}.html"
        assert "cell_output" in page.read_text(encoding="utf-8")
