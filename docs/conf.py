"""Sphinx's configuration; see `make docs`."""

import sys
from pathlib import Path

from tinytorch import __version__

sys.path.insert(0, str(Path(__file__).parent))  # for packages.py, as Sphinx has its users do

project = "TinyTorch Optimizers"
author = "The TinyTorch authors"
version = release = __version__
language = "en"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "myst_nb",
    "tito.authoring.site",
    "packages",
]
# Notebooks come from tito.authoring.site with their outputs.
nb_execution_mode = "off"
# The only cells that are folded.
nb_code_prompt_show = "Show the graded cell"
nb_code_prompt_hide = "Hide the graded cell"
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "none"  # numpydoc's sections tell them
napoleon_google_docstring = False
# Types are written for people ("Variable, shape (n, classes)"), not as references.
napoleon_use_param = napoleon_use_rtype = False

html_theme = "furo"
html_title = project
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
