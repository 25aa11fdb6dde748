"""
The Sphinx configuration.
"""

from collections.abc import Callable
from typing import ClassVar

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


class FromDeclarations(SphinxDirective):
    """
    What the declarations of the settings say, where the directive stands.
    """

    texts: ClassVar[dict[str, Callable[[], str]]] = {
        "settings": reference.table,
        "ignored-settings": reference.ignored,
        "refused-settings": reference.refused,
    }

    def run(self) -> list[nodes.Node]:
        """
        Parse the text that the name of the directive stands for.
        """
        return self.parse_text_to_nodes(self.texts[self.name]())


def setup(app: Sphinx) -> None:
    """
    Add what these pages need.
    """
    for name in FromDeclarations.texts:
        app.add_directive(name, FromDeclarations)
