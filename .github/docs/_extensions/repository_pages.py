"""Pages of the repository on the site: notebooks, README files, tables, figures.

They are copied to the folder `repository` of the sources, in the same folders as in the
repository, so that links between them stay valid.
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


def copy_pages(app=None):
    """Copy the pages. Unchanged ones keep their time: Sphinx does not read them again.

    Args:
        app: The Sphinx application, unused.
    """
    paths = [path for pattern in PATTERNS for path in sorted(ROOT.glob(pattern))]
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


def setup(app):
    """Register the extension."""
    app.connect("builder-inited", copy_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
