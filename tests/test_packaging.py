"""
Tests for what an installation of signalfish offers.
"""

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution

from twisted.application.service import IServiceMaker
from twisted.plugin import getPlugins
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from signalfish import __version__

LIST_PLUGINS = """
import sys
from twisted.application.service import IServiceMaker
from twisted.plugin import getPlugins
print(sorted(plugin.tapname for plugin in getPlugins(IServiceMaker)))
print("twisted.internet.reactor" in sys.modules)
print("signalfish.tap" in sys.modules)
"""


def python(*arguments: str) -> str:
    """
    What a fresh interpreter prints, one that finds what this one finds.
    """
    return subprocess.run(
        [sys.executable, *arguments],
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=60,
        text=True,
    ).stdout


class PluginTests(SynchronousTestCase):
    """
    twistd finds signalfish.
    """

    def test_discoverable(self):
        """
        Exactly one service maker is called signalfish, and it names our tap.
        """
        [maker] = [plugin for plugin in getPlugins(IServiceMaker) if plugin.tapname == "signalfish"]
        self.assertEqual("signalfish.tap", maker.module)

    def test_listing_imports_nothing(self):
        """
        Listing plugins imports neither the reactor nor our tap.
        """
        names, reactor, tap = python("-c", LIST_PLUGINS).splitlines()
        self.assertIn("'signalfish'", names)
        self.assertEqual(("False", "False"), (reactor, tap))

    def test_twistd_help(self):
        """
        The help of twistd has a line for signalfish.
        """
        lines = python("-m", "twisted", "--help").splitlines()
        self.assertTrue([line for line in lines if line.split()[:1] == ["signalfish"]], lines)


class MetadataTests(SynchronousTestCase):
    """
    The distribution says what it is and what it needs.
    """

    def setUp(self):
        """
        A source tree that was never installed has no metadata.
        """
        try:
            self.distribution = distribution("signalfish")
        except PackageNotFoundError:
            raise SkipTest("signalfish is not installed") from None

    def test_version(self):
        """
        The distribution has the version that the package has.
        """
        self.assertEqual(__version__, self.distribution.version)

    def test_dependencies(self):
        """
        The distribution requires each library that the server imports, with a lower bound.
        """
        needed = [line for line in self.distribution.requires or [] if "extra ==" not in line]
        self.assertEqual(
            [
                "attrs",
                "autobahn",
                "cryptography",
                "msgpack",
                "msgspec",
                "prometheus-client",
                "regex",
                "twisted",
                "websockets",
            ],
            sorted(line.partition(">=")[0] for line in needed),
        )
