"""
Tests for descriptions of servers.
"""

import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import benchmarks
from benchmarks.servers import LIMITS, Server, ServerError, parse

CHECKOUT = Path(benchmarks.__file__).resolve().parents[1]


class ParseTests(SynchronousTestCase):
    """
    What ``--server`` understands.
    """

    def test_this_checkout(self):
        """
        Without a path, it is this checkout, with this Python.
        """
        server = parse("signalfish")
        self.assertEqual(("signalfish", "signalfish"), (server.name, server.kind))
        self.assertEqual(sys.executable, server.command[0])
        self.assertIn("tcp:{port}:interface=127.0.0.1", server.command)
        self.assertTrue(server.environment["PYTHONPATH"].startswith(str(CHECKOUT)))

    def test_named(self):
        """
        A name may come first.
        """
        self.assertEqual("before", parse(f"before=signalfish:{CHECKOUT}").name)

    def test_another_python(self):
        """
        A path that is no directory is a Python, which has its own packages.
        """
        server = parse(f"other=signalfish:{sys.executable}")
        self.assertEqual(sys.executable, server.command[0])
        self.assertEqual({}, server.variables)

    def test_limits_are_out_of_reach(self):
        """
        Settings become environment variables.
        """
        for text in ("signalfish", "public:/bin/true"):
            environment = parse(text).environment
            for key in LIMITS:
                variable = "SIGNAL_FISH__" + key.upper().replace(".", "__")
                self.assertEqual("1000000000", environment[variable])

    def test_own_environment_is_not_passed_on(self):
        """
        What configures servers of whoever runs the benchmarks does not configure these.
        """
        self.patch(benchmarks.servers.os, "environ", {"SIGNAL_FISH__PORT": "1", "HOME": "/h"})
        environment = Server("any", "command").environment
        self.assertEqual({"HOME": "/h"}, environment)

    def test_elsewhere(self):
        """
        A URL is a server that runs already.
        """
        server = parse("there=ws://127.0.0.1:4000")
        self.assertEqual(("there", ("127.0.0.1", 4000)), (server.name, server.address))

    def test_command(self):
        """
        Anything else is a command, which may have equals signs.
        """
        server = parse("mine=env A=b serve --port={port}")
        self.assertEqual("mine", server.name)
        self.assertEqual(("env", "A=b", "serve", "--port={port}"), server.command)

    def test_mistakes(self):
        """
        Each mistake is told.
        """
        for text in (
            "",
            "nonsense",
            "public",
            "ws://127.0.0.1",
            "ws:",
            "x=serve without a port",
            "signalfish:/nowhere",
        ):
            self.assertRaises(ServerError, parse, text)
