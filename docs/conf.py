"""Settings of the documentation: Sphinx reads the Markdown of this folder and writes pages that need no network."""

from importlib.metadata import version as installed

project = "orderproof"
author = "the authors of orderproof"
version = release = installed("orderproof")
extensions = ["myst_parser"]
html_theme = "furo"
html_title = f"orderproof {version}"
html_copy_source = False
html_show_sphinx = False
exclude_patterns = ["_build"]
nitpicky = True
myst_heading_anchors = 3
highlight_language = "text"
html_show_copyright = False
