"""
Tests for how the parts of signalfish depend on each other.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import signalfish

ROOT = Path(signalfish.__file__).parent

MAY_IMPORT = {
    "signalfish": [],
    "signalfish.wire": ["signalfish.wire"],
    "signalfish.rooms": ["signalfish.rooms", "signalfish.wire"],
    "signalfish.net": [
        "signalfish.net",
        "signalfish.periodic",
        "signalfish.rooms.link",
        "signalfish.wire",
    ],
    "signalfish.periodic": [],
    "signalfish.config": [
        "signalfish.apps",
        "signalfish.config",
        "signalfish.rooms.rules",
        "signalfish.wire.binding",
        "signalfish.wire.errors",
        "signalfish.wire.names",
        "signalfish.wire.semver",
        "signalfish.wire.tokens",
        "signalfish.wire.types",
    ],
    "signalfish.apps": ["signalfish.rooms.owner", "signalfish.wire"],
    "signalfish.handshake": ["signalfish.apps", "signalfish.wire"],
    "signalfish.service": [
        "signalfish.config",
        "signalfish.periodic",
        "signalfish.rooms",
        "signalfish.wire",
    ],
    "signalfish.session": [
        "signalfish.apps",
        "signalfish.handshake",
        "signalfish.moderator",
        "signalfish.rooms",
        "signalfish.service",
        "signalfish.wire",
    ],
    "signalfish.moderator": ["signalfish.rooms", "signalfish.service", "signalfish.wire"],
    "signalfish.entry": ["signalfish.net.receiver", "signalfish.service", "signalfish.wire"],
    "signalfish.metrics": ["signalfish.net", "signalfish.service"],
    "signalfish.tap": ["signalfish"],
}
"""
The parts of the package, and what of it each of them may import.
"""

PURE = ("signalfish.wire", "signalfish.rooms")
IMPURE = ("autobahn", "prometheus_client", "twisted", "txaio", "zope")

IMPORT_ALL = """
import importlib, pkgutil, sys
import signalfish
names = [module.name for module in pkgutil.walk_packages(signalfish.__path__, "signalfish.")]
for name in names:
    importlib.import_module(name)
print(len(names), "twisted.internet.reactor" in sys.modules)
"""

IMPORT_PURE = """
import importlib, pkgutil, sys
import signalfish
for package in {packages!r}:
    module = importlib.import_module(package)
    for inner in pkgutil.walk_packages(module.__path__, package + "."):
        importlib.import_module(inner.name)
print(sorted(set(sys.modules) & set({impure!r})))
"""


def modules():
    """
    The name, path and syntax tree of each module.
    """
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(("signalfish", *(part for part in parts if part != "__init__")))
        yield name, ast.parse(path.read_text(encoding="utf-8"))


def imports(tree):
    """
    The dotted names of everything that is imported, wherever it stands.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name, package):
    """
    Whether a dotted name is a package or something inside it.
    """
    return name == package or name.startswith(f"{package}.")


def fresh_python(program):
    """
    What a fresh interpreter prints, one that finds what this one finds.
    """
    return subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=60,
        text=True,
    ).stdout.strip()


class LayerTests(SynchronousTestCase):
    """
    Who knows whom.
    """

    def part(self, module):
        """
        The part of the package that a module belongs to.
        """
        parts = [part for part in MAY_IMPORT if within(module, part)]
        return max(parts, key=len)

    def test_every_part(self):
        """
        Each module is in a part whose imports are settled, and each part has modules.
        """
        parts = {self.part(name) for name, _ in modules() if name != "signalfish"}
        self.assertEqual(set(MAY_IMPORT), parts | {"signalfish"})
        self.assertGreater(len(list(modules())), 40)

    def test_imports(self):
        """
        No module imports what its part may not know.
        """
        for module, tree in modules():
            allowed = MAY_IMPORT[self.part(module)]
            bad = [
                name
                for name in imports(tree)
                if within(name, "signalfish")
                and not any(within(name, package) for package in allowed)
            ]
            self.assertEqual([], bad, module)

    def test_pure(self):
        """
        Rooms and the wire import nothing of networks and frameworks.
        """
        for module, tree in modules():
            if any(within(module, package) for package in PURE):
                bad = [n for n in imports(tree) if any(within(n, lib) for lib in IMPURE)]
                self.assertEqual([], bad, module)

    def test_pure_in_fact(self):
        """
        Importing rooms and the wire loads no framework, by any way.
        """
        program = IMPORT_PURE.format(packages=PURE, impure=IMPURE)
        self.assertEqual("[]", fresh_python(program))

    def test_no_wildcards(self):
        """
        Nothing is imported by wildcard or relatively.
        """
        for module, tree in modules():
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom):
                    self.assertEqual(0, node.level, module)
                    self.assertNotIn("*", [alias.name for alias in node.names], module)

    def test_reactor(self):
        """
        Only the tap imports the reactor, and only inside a function.
        """
        reactor = "twisted.internet.reactor"
        users = {module for module, tree in modules() if reactor in set(imports(tree))}
        self.assertEqual({"signalfish.tap"}, users)
        tree = dict(modules())["signalfish.tap"]
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        inside = sum(list(imports(function)).count(reactor) for function in functions)
        self.assertEqual(list(imports(tree)).count(reactor), inside)

    def test_no_reactor(self):
        """
        Importing all modules installs no reactor.
        """
        number, reactor = fresh_python(IMPORT_ALL).split()
        self.assertEqual("False", reactor)
        self.assertGreater(int(number), 40)
