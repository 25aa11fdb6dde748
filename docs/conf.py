"""
The Sphinx configuration.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from signalfish import __version__
from signalfish.config import reference

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


class SettingsDirective(SphinxDirective):
    """
    The table of all settings, from their declarations.
    """

    def run(self) -> list[nodes.Node]:
        """
        Parse the table where the directive stands.
        """
        return self.parse_text_to_nodes(reference.table())


def setup(app: Sphinx) -> None:
    """
    Add what these pages need.
    """
    app.add_directive("settings", SettingsDirective)
