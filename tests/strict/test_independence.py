"""
Tests for how little strict clients know.
"""

import ast
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase


class IndependenceTests(SynchronousTestCase):
    def test_imports(self):
        """
        What strict clients check by is nowhere taken from the server.
        """
        for path in Path(__file__).parent.glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in getattr(node, "names", ())]
                modules = [getattr(node, "module", None) or "", *map(str, names)]
                bad = [name for name in modules if name.split(".")[0] == "signalfish"]
                self.assertEqual([], bad, path.name)
