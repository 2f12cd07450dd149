"""Pages of the repository on the site: notebooks, README files, tables, figures.

They are copied to the folder `repository` of the sources, in the same folders as in the
repository, so that links between them stay valid. Links of the site's own pages lead to
the files of the repository, for readers of the sources, and to the copies on the site.
"""

import pathlib
import re
import shutil

FOLDER = pathlib.Path(__file__).parents[1]
ROOT = FOLDER.parents[1]
COPY = FOLDER / "repository"
PATTERNS = (
    "CHANGELOG.md",
    "LICENSE",
    ".github/CITATION.cff",
    ".github/CONTRIBUTING.md",
    "notebooks/*.ipynb",
    "notebooks/*.md",
    "notebooks/*.png",
    "dfal_keras/datasets/README.md",
    "dfal_keras/datasets/mnist/NOTICE",
    "reproduce/*.md",
    "reproduce/pages/*.md",
    "reproduce/results/paper/tables/*.md",
    "reproduce/results/paper/timing/*.md",
    "reproduce/results/paper/timing/*.png",
    "reproduce/results/paper/figures/*.md",
    "reproduce/results/paper/figures/*.png",
)
_LINK = re.compile(r"(?<!!)\[([^\[\]\"]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def pages():
    """Return the paths to copy."""
    return [path for pattern in PATTERNS for path in sorted(ROOT.glob(pattern))]


def copy_pages(app=None):
    """Copy the pages. Unchanged ones keep their time: Sphinx does not read them again.

    Args:
        app: The Sphinx application, unused.
    """
    paths = pages()
    wanted = {COPY / path.relative_to(ROOT): path for path in paths}
    for stale in set(COPY.rglob("*")) - wanted.keys():
        if stale.is_file():
            stale.unlink()
    for target, path in wanted.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix not in (".md", ".ipynb"):
            shutil.copy2(path, target)
            continue
        text = convert(path.read_text(encoding="utf-8"), path, set(paths))
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")


def convert(text, path, paths):
    """Return the text of a page for the site.

    Links to the front README lead to the front page. Links to files that are not on the
    site are plain text; links to missing files stay, for Sphinx to report. Generated
    tables get a title. They are in no table of contents and not in the search, since
    the pages of results show them.

    Args:
        text: The text in the repository.
        path: Where it is in the repository.
        paths: The paths that are on the site.
    """

    def replace(link):
        name, target, _ = link.groups()
        found = (path.parent / target).resolve()
        if found == ROOT / "README.md":
            return f"[{name}](/index.md)"
        is_elsewhere = found.exists() and found not in paths
        return name if is_elsewhere else link[0]

    text = _LINK.sub(replace, text)
    if "results" in path.parts:
        title = "" if text.startswith("# ") else f"# {path.stem}\n\n"
        text = f"---\norphan: true\nnosearch: true\n---\n\n{title}{text}"
    return text


def link_to_copies(app, docname, content):
    """Let the links of a page of the site lead to the copies of other files.

    Args:
        app: The Sphinx application, unused.
        docname: The page, without suffix.
        content: The list of its text, which is replaced.
    """
    path = FOLDER / f"{docname}.md"
    if COPY in path.parents or not path.exists():
        return
    paths = set(pages())

    def replace(link):
        name, target, anchor = link.groups()
        found = (path.parent / target).resolve()
        if found not in paths:
            return link[0]
        return f"[{name}](/repository/{found.relative_to(ROOT)}{anchor or ''})"

    content[0] = _LINK.sub(replace, content[0])


def setup(app):
    """Register the extension."""
    app.connect("builder-inited", copy_pages)
    app.connect("source-read", link_to_copies)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
