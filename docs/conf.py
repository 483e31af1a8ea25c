"""How Sphinx builds these pages. Nothing is fetched: the pages build on a plane."""

from __future__ import annotations

import p2pchat

project = "p2pchat"
author = copyright = "the p2pchat authors"
version = release = p2pchat.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "changes"]
html_theme = "furo"
html_title = f"p2pchat {version}"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4  # [the handshake](protocol.md#the-handshake) works, and a dangling one is an error

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True  # as written, not as the repr of an object
default_role = "code"  # docstrings mark names with single backticks, as these pages do

nitpick_ignore_regex = [
    # Other people's names are known to their own pages, and those would have to be fetched.
    ("py:.*", r"(trio|msgspec|cryptography|collections|contextlib|enum|uuid|pathlib|random|typing)\..*"),
    ("py:exc", r"(Broken|Busy|Closed)ResourceError|OSError"),
    # Inside the package a class may be imported for checkers only; then its annotation does not say where it lives.
    ("py:class", r"[A-Z]\w+|p2pchat\.(node|wire|protocol|store)\..*|database\.Connect"),
    ("py:class", r"p2pchat\.testing\.\w+\.T"),
    ("py:class", r"Callable\[\[\]|dict\[int"),  # half of a type: Sphinx cuts at the comma
]
