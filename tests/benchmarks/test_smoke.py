"""
The benchmarks run, at a small scale. What they measure here means nothing.
"""

import json
import os
import sys
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, run
from tempfile import mkdtemp

from attrs import evolve
from twisted.trial.unittest import SkipTest, SynchronousTestCase

import benchmarks
from benchmarks import native
from benchmarks.generator import GeneratorError, generate
from benchmarks.measure import CLIENTS, Placement, measure
from benchmarks.running import Running
from benchmarks.scenarios import GROUPS, QUICK, Relay
from benchmarks.servers import Server, parse

SCALE = evolve(QUICK, seconds=0.2, warmup=0.05)
SMALL = Relay(rooms=2, players=4, rate=50)


class SmokeTestCase(SynchronousTestCase):
    """
    Tests that need a C compiler.
    """

    def setUp(self):
        """
        Let the programs be compiled in the directory of the tests, once.
        """
        try:
            native.compiler()
        except native.CompilerError as error:
            raise SkipTest(str(error)) from None
        if sys.platform != "linux":
            raise SkipTest("the load generator needs Linux")
        self.patch(os, "environ", {**os.environ, "XDG_CACHE_HOME": str(Path("cache").resolve())})


class CompileTests(SmokeTestCase):
    """
    Compiling.
    """

    def test_compiled_once(self):
        """
        What was compiled is used again.
        """
        first = native.program("load")
        self.assertTrue(os.access(first, os.X_OK))
        written = first.stat().st_mtime_ns
        self.assertEqual((first, written), (native.program("load"), first.stat().st_mtime_ns))

    def test_no_compiler(self):
        """
        Without a compiler, the error says so.
        """
        self.patch(os, "environ", {**os.environ, "CC": "no-such-compiler"})
        error = self.assertRaises(native.CompilerError, native.program, "load")
        self.assertIn("no-such-compiler", str(error))

    def test_errors_of_the_compiler(self):
        """
        What the compiler says is told.
        """
        self.patch(native, "_FLAGS", ("-no-such-option",))
        error = self.assertRaises(native.CompilerError, native.program, "load")
        self.assertIn("no-such-option", str(error))


class GeneratorTests(SmokeTestCase):
    """
    The load generator.
    """

    def test_wrong_options(self):
        """
        What it does not understand is told in one line.
        """
        for mode, options in (
            ("dance", {}),
            ("relay", {"speed": 3}),
            ("relay", {"players": 0}),
            ("relay", {"payload": 1}),
            ("join", {"host": "example.org"}),
        ):
            error = self.assertRaises(GeneratorError, generate, mode, {"port": 1, **options})
            self.assertEqual(1, len(str(error).splitlines()), error)

    def test_no_server(self):
        """
        Nobody listens.
        """
        error = self.assertRaises(GeneratorError, generate, "join", {"port": 1})
        self.assertIn("connect: Connection refused", str(error))

    def test_refused(self):
        """
        A refusal of the server is told.
        """
        crowded = evolve(parse("signalfish"), settings={"security.max_connections_per_ip": 3})
        with Running(crowded) as running:
            options = {"port": running.port, "rooms": 1, "players": 4}
            error = self.assertRaises(GeneratorError, generate, "join", options)
        self.assertIn("Too many connections", str(error))


class ScenarioTests(SmokeTestCase):
    """
    Each mode of the generator, against a server.
    """

    def check(self, server, scenario, clients="v2"):
        """
        The figures of a run, in which everything must have been accounted for.
        """
        done = measure(scenario, parse(server), CLIENTS[clients], Placement())
        # How busy the generator is says something about the machine of the tests only.
        problems = [text for text in done.problems if not text.startswith("the generator was busy")]
        self.assertEqual([], problems)
        return done.figures

    def test_open_loop(self):
        """
        Everything that is sent at a fixed rate arrives.
        """
        for clients in CLIENTS:
            figures = self.check("signalfish", SMALL.scenario("latency", SCALE), clients)
            self.assertEqual(0, figures["missing"])
            self.assertGreater(figures["p99_ms"], 0)
            # The kernel counts in steps of 10 ms, which so little work need not fill.
            self.assertGreaterEqual(figures["cpu_us"], 0)

    def test_closed_loop(self):
        """
        Everything that is sent as fast as possible arrives, whoever the server is.
        """
        fast = evolve(SMALL, rate=0).scenario("saturation", SCALE)
        for server in ("signalfish", "naive", "bare"):
            self.assertGreater(self.check(server, fast)["rate"], 0)

    def test_stalled(self):
        """
        Who reads nothing is not counted on.
        """
        stalled = evolve(SMALL, rooms=1, stalled=1).scenario("stalled", SCALE)
        self.assertGreater(self.check("signalfish", stalled)["rate"], 0)

    def test_actions(self):
        """
        Joins, lobbies and returns are counted.
        """
        for group in ("joins", "crowd", "lobby", "reconnect"):
            [scenario] = GROUPS[group](SCALE)
            self.assertGreater(self.check("signalfish", scenario)["rate"], 0, group)

    def test_memory(self):
        """
        Connections take memory.
        """
        [scenario] = GROUPS["memory"](SCALE)
        self.assertGreater(self.check("signalfish", scenario)["all_kib"], 0)


class CommandLineTests(SmokeTestCase):
    """
    ``python -m benchmarks``.
    """

    def benchmarks(self, *arguments):
        """
        Its exit status, and what it prints.
        """
        checkout = Path(benchmarks.__file__).parents[1]
        path = os.pathsep.join([str(checkout), *sys.path])
        done = run(
            [sys.executable, "-m", "benchmarks", *arguments],
            env={**os.environ, "PYTHONPATH": path},
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout

    def test_all_outputs(self):
        """
        A table on the terminal, and JSON and a picture if asked for.
        """
        directory = Path(mkdtemp(dir="."))
        results, picture = directory / "results.json", directory / "results.svg"
        status, text = self.benchmarks(
            "relay", "--rooms=1", "--players=2", "--quick", "--no-pinning", "--repetitions=1",
            "--clients=v2", "--server=bare", "--server=again=bare",
            f"--json={results}", f"--svg={picture}",
        )  # fmt: skip
        self.assertEqual(0, status, text)
        self.assertIn("relay: 1 x 2 players, 30 messages/s each, 64 bytes", text)
        servers = [result["server"] for result in json.loads(results.read_text())["results"]]
        self.assertEqual(["bare", "again"], servers)
        self.assertTrue(picture.read_text().startswith("<svg"))

    def test_mistakes(self):
        """
        One line says what is wrong.
        """
        for arguments, expected in (
            (("--server=nonsense",), "benchmarks: nonsense: neither"),
            (("dancing",), "benchmarks: there is no 'dancing'"),
            (("--clients=v9",), "benchmarks: there is no 'v9'"),
            (("--server-core=4711",), "benchmarks: CPUs 4711 and 1: not there"),
        ):
            status, text = self.benchmarks(*arguments)
            self.assertEqual((1, 1), (status, len(text.splitlines())), text)
            self.assertIn(expected, text)


class FlawTests(SmokeTestCase):
    """
    Flaws of servers that must not go unnoticed.
    """

    def run_with(self, flaw):
        """
        What is measured of a server with a flaw.
        """
        checkout = Path(benchmarks.__file__).parents[1]
        path = os.pathsep.join([str(checkout), *sys.path])
        program = Path(__file__).with_name("flawed.py")
        command = (sys.executable, str(program), flaw, "--port", "{port}")
        server = Server("flawed", "naive", command, variables={"PYTHONPATH": path})
        scenario = SMALL.scenario("latency", evolve(SCALE, seconds=0.4))
        self.patch(benchmarks.measure, "PATIENCE", 0.5)
        return measure(scenario, server, CLIENTS["v2"], Placement())

    def test_losses(self):
        """
        Messages that do not arrive.
        """
        done = self.run_with("lose")
        self.assertIn("deliveries missing", done.problems[0])
        self.assertGreater(done.figures["missing"], 0)

    def test_repetitions(self):
        """
        Messages that arrive twice.
        """
        self.assertIn("repeated", self.run_with("repeat").problems[0])

    def test_order(self):
        """
        Messages that overtake others.
        """
        self.assertIn("numbers left out", " ".join(self.run_with("swap").problems))

    def test_forgeries(self):
        """
        Messages that are not what was sent.
        """
        self.assertIn("messages of nobody", " ".join(self.run_with("forge").problems))

    def test_closed(self):
        """
        Connections that are ended.
        """
        problems = " ".join(self.run_with("close").problems)
        self.assertIn("1 connections lost", problems)
        self.assertIn("closed with 4321 enough", problems)

    def test_delay(self):
        """
        The latency is that of the server.
        """
        done = self.run_with("delay")
        self.assertEqual([], done.problems)
        self.assertGreaterEqual(done.figures["p50_ms"], 49)

    def test_pause(self):
        """
        A pause delays all that was to be sent meanwhile, not only one message.
        """
        done = self.run_with("pause")
        self.assertEqual([], done.problems)
        self.assertGreater(done.figures["max_ms"], 290)
        # The pause was most of the measured time, so most messages were to be sent in it.
        self.assertGreater(done.figures["p50_ms"], 30)
