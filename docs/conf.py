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
autodoc_typehints = "description"
autodoc_class_signature = "separated"

# Other people's names are known to their own pages, and those would have to be fetched.
nitpick_ignore_regex = [("py:.*", r"(trio|msgspec|collections|contextlib|enum|uuid|pathlib|random|typing)\..*")]
