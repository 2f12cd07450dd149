"""Sphinx's settings. `sphinx-build -W -n .github/docs build/site` makes the site."""

import pathlib
import sys

FOLDER = pathlib.Path(__file__).parent
ROOT = FOLDER.parents[1]
sys.path[:0] = [str(FOLDER / "_extensions"), str(ROOT)]

import dfal_keras  # noqa: E402

project = "dfal-keras"
author = copyright = "The dfal-keras developers"
release = version = dfal_keras.__version__
html_title = "dfal-keras"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "myst_nb",
    "sphinx_copybutton",
    "sphinx_design",
    # Those of the folder _extensions.
    "repository_pages",
    "markdown_docstrings",
    "command_help",
    "mathml",
    "stored_results",
]
exclude_patterns = ["_build", "_extensions"]

# Pages: Markdown, and notebooks with the outputs that they are stored with.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "dollarmath", "deflist"]
myst_heading_anchors = 4
suppress_warnings = [
    "myst.header",  # notebooks begin their sections with ##
]

# The reference.
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
add_module_names = False
toc_object_entries_show_parents = "hide"
maximum_signature_line_length = 60
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
# Other projects' names have no page here, and the build needs no network.
nitpick_ignore_regex = [("py:.*", r"(?!dfal_keras\b).*")]

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["site.css"]
# Pages without pages below them have no navigation at their left.
html_sidebars = {"gallery": [], "walkthroughs": [], "index": []}
html_show_sourcelink = False
html_theme_options = {
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "navigation_with_keys": False,
    "search_bar_text": "Search these pages",
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version", "theme-version"],
    "secondary_sidebar_items": {"**": ["page-toc"], "gallery": []},
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"
