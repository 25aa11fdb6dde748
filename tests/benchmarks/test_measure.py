"""
Tests for what is concluded from a run.
"""

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.generator import Result
from benchmarks.measure import CLIENTS, Placement, measure, supports
from benchmarks.scenarios import GROUPS, QUICK, Relay, Scale
from benchmarks.servers import Server
from benchmarks.verdict import Run, Usage, figures_of, problems_of, remarks_of

OPEN = Relay(rooms=4, players=16, rate=30).scenario("latency", Scale())
CLOSED = Relay(rate=0).scenario("saturation", Scale())

GOOD = Result(
    seconds=2.0,
    cpu=0.5,
    done=57_600,
    sent=4000,
    expected=60_000,
    received=60_000,
    gaps=0,
    repeats=0,
    foreign=0,
    refusals=0,
    losses=0,
    evictions=0,
    failures=0,
    complaint="",
    latency=[(100.0, 990), (2000.0, 9), (50_000.0, 1)],
    lateness=[(10.0, 100)],
    joining=[],
)
USED = Usage(server=1.0, server_core=1.1, generator_core=0.55)


class FiguresTests(SynchronousTestCase):
    """
    The figures of a run.
    """

    def test_figures(self):
        """
        Times are in milliseconds, CPU time in microseconds per delivery.
        """
        figures = figures_of(OPEN, GOOD, USED)
        expected = {
            "seconds": 2.0,
            "rate": 28_800.0,
            "offered": 28_800,
            "missing": 0.0,
            "evictions": 0.0,
            "p50_ms": 0.1,
            "p99_ms": 0.1,
            "p99_9_ms": 2.0,
            "max_ms": 50.0,
            "late_ms": 0.01,
            "server_share": 0.5,
            "generator_share": 0.25,
            "cpu_us": 1e6 / 57_600,
        }
        self.assertEqual(expected, {name: figures[name] for name in expected})
        self.assertAlmostEqual(0.05, figures["server_foreign"])
        self.assertAlmostEqual(0.025, figures["generator_foreign"])

    def test_unknown(self):
        """
        What is not known is left out.
        """
        figures = figures_of(CLOSED, replace(GOOD, latency=[], lateness=[]), Usage())
        self.assertEqual(
            {"seconds", "rate", "generator_share", "missing", "evictions"}, set(figures)
        )

    def test_nothing_done(self):
        """
        No CPU time is shared out among no deliveries.
        """
        self.assertNotIn("cpu_us", figures_of(CLOSED, replace(GOOD, done=0), USED))

    def test_usage(self):
        """
        What has been used since then is known only if both are.
        """
        before = Usage(server=1.0, server_core=5.0)
        after = Usage(server=3.5, generator_core=2.0)
        self.assertEqual(Usage(server=2.5), after.since(before))


class VerdictTests(SynchronousTestCase):
    """
    When a run is valid.
    """

    def problems(self, used=USED, **changes):
        """
        Those of a good run with some changes.
        """
        result = replace(GOOD, **changes)
        return problems_of(result, figures_of(OPEN, result, used))

    def test_good(self):
        """
        A good run has neither problems nor remarks.
        """
        self.assertEqual([], self.problems())
        self.assertEqual([], remarks_of(OPEN, figures_of(OPEN, GOOD, USED)))

    def test_generator_busy(self):
        """
        A generator at its limit measures itself.
        """
        busy = "the generator was busy for 90% of the time"
        self.assertEqual([busy], self.problems(cpu=1.8))
        self.assertEqual([busy], self.problems(cpu=1.8, used=Usage()))

    def test_both_busy(self):
        """
        If the server is at its limit, the generator is not what holds it up.
        """
        self.assertEqual([], self.problems(cpu=1.8, used=Usage(1.95, 1.98, 1.85)))

    def test_every_delivery_counts(self):
        """
        One missing, repeated or unknown delivery, refusal or loss is enough.
        """
        for name in ("gaps", "repeats", "foreign", "refusals", "losses", "failures"):
            self.assertEqual(1, len(self.problems(**{name: 1})), name)
        self.assertEqual(["1 deliveries missing"], self.problems(received=59_999))

    def test_evictions_are_no_problem(self):
        """
        A client that reads nothing may be sent away.
        """
        self.assertEqual([], self.problems(evictions=1))

    def test_complaint(self):
        """
        What the server said is told, if there is a problem.
        """
        self.assertEqual([], self.problems(complaint="hm"))
        self.assertEqual("hm", self.problems(complaint="hm", losses=2)[-1])

    def test_disturbed(self):
        """
        Others who use the CPUs are told.
        """
        self.assertEqual(
            ["others used 15% of the CPU of the server"],
            self.problems(used=Usage(1.0, 1.3, 0.55)),
        )
        self.assertEqual(
            ["others used 25% of the CPU of the generator"],
            self.problems(used=Usage(1.0, 1.0, 1.0)),
        )

    def test_fell_behind(self):
        """
        A server that does not deliver what is offered has fallen behind.
        """
        slow = figures_of(OPEN, replace(GOOD, done=50_000), USED)
        self.assertEqual(["fell behind: 25,000 of 28,800 a second"], remarks_of(OPEN, slow))

    def test_not_saturated(self):
        """
        A server that has time left in a closed loop is not saturated.
        """
        remarks = remarks_of(CLOSED, figures_of(CLOSED, GOOD, USED))
        self.assertEqual(["not saturated: the server was busy for 50% of the time"], remarks)
        busy = figures_of(CLOSED, GOOD, Usage(server=1.99))
        self.assertEqual([], remarks_of(CLOSED, busy))


class ScenarioTests(SynchronousTestCase):
    """
    What is asked of the generator.
    """

    def test_offered(self):
        """
        Each message is delivered to all others of its room.
        """
        self.assertEqual(28_800, OPEN.offered)
        self.assertEqual(100 * 2 * 60, Relay(100, 2, 60).scenario("latency", Scale()).offered)
        self.assertEqual(0, CLOSED.offered)

    def test_offered_with_stalled(self):
        """
        Who reads nothing neither sends nor counts as a receiver.
        """
        one = Relay(2, 16, 10, stalled=1).scenario("stalled", Scale())
        self.assertEqual((15 * 14 + 16 * 15) * 10, one.offered)

    def test_not_supported(self):
        """
        Nobody asks a server for what it is known not to have.
        """
        [returning] = GROUPS["reconnect"](QUICK)
        public, naive, ours = (Server(kind, kind) for kind in ("public", "naive", "signalfish"))
        v2, v3 = CLIENTS["v2"], CLIENTS["v3"]
        self.assertEqual(
            [False, True, False, True, True],
            [
                supports(public, v2, returning),
                supports(public, v3, returning),
                supports(naive, v3, OPEN),
                supports(naive, v2, OPEN),
                supports(ours, v2, returning),
            ],
        )

    def test_server_does_not_start(self):
        """
        A server that does not start is a problem of the row, not the end of everything.
        """
        broken = Server("broken", "command", ("false",))
        self.assertIsInstance(run := measure(OPEN, broken, CLIENTS["v2"], Placement()), Run)
        self.assertTrue(run.problems[0].startswith("failed: broken does not start"))
