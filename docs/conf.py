"""
The Sphinx configuration.
"""

from signalfish import __version__

project = "signalfish"
author = "Signal Fish contributors"
copyright = "2026, Signal Fish contributors"  # noqa: A001 - Sphinx chose the name
version = release = __version__

extensions = ["sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
autodoc_typehints = "none"  # the types are internal, and a page of signatures is hard to read
nitpicky = True
# The projects we build on are not part of this documentation, nor is it built with the network.
nitpick_ignore_regex = [
    (r"py:exc", r"Refusal"),  # an internal of the protocol; its codes are documented there
    (r"py:.*", r"(twisted|zope|autobahn|attrs?|msgspec|msgpack|prometheus_client)\..*"),
]

html_theme = "furo"
html_title = f"signalfish {release}"
