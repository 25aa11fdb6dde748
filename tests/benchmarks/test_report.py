"""
Tests for tables, JSON and pictures.
"""

import json
from xml.etree import ElementTree as ET

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.cli import undisturbed
from benchmarks.plot import as_svg
from benchmarks.report import Row, as_json, tables
from benchmarks.scenarios import GROUPS, QUICK
from benchmarks.verdict import Run

SVG = "{http://www.w3.org/2000/svg}"
[SATURATED, PAIRS] = GROUPS["saturation"](QUICK)


def runs(*rates, **more):
    """
    A run for each rate.
    """
    return [Run({"rate": rate, **more}) for rate in rates]


def row(scenario, server, own, base):
    """
    A row of clients of protocol 2.
    """
    return Row(scenario, server, "v2", own, base)


class TableTests(SynchronousTestCase):
    """
    Tables on the terminal.
    """

    base = runs(100.0, 300.0, 200.0, cpu_us=2.0)

    def test_table(self):
        """
        A line for each server, with medians, and with ratios within the repetitions.
        """
        other = runs(200.0, 900.0, 200.0)
        text = tables(
            [row(SATURATED, "a", self.base, self.base), row(SATURATED, "b", other, self.base)]
        )
        title, headings, first, second, *_ = text.splitlines()
        self.assertEqual("saturation: 4 x 16 players, as fast as possible, 64 bytes", title)
        self.assertEqual(
            ["server", "clients", "deliveries/s", "ratio", "CPU", "us", "ratio"],
            headings.split()[:7],
        )
        self.assertEqual(["a", "v2", "200", "1.00", "2.0", "1.00", "-", "-"], first.split())
        self.assertEqual(["b", "v2", "200", "2.00", "-", "-", "-", "-"], second.split())

    def test_one_server(self):
        """
        Alone, a server is compared with nobody.
        """
        text = tables([row(SATURATED, "a", self.base, self.base)])
        self.assertNotIn(" ratio", text)

    def test_not_valid(self):
        """
        What is not valid says so, and why.
        """
        own = [*runs(1.0), Run({"rate": 2.0}, ["7 deliveries missing", "more"], ["slow"])]
        text = tables([row(SATURATED, "a", own, own)])
        self.assertIn("a!", text)
        self.assertIn("! a v2, run 2: NOT VALID: 7 deliveries missing; more", text)
        self.assertIn("* a v2, run 2: slow", text)

    def test_all_failed(self):
        """
        Without any figures there is still a row.
        """
        own = [Run(problems=["failed: no"])]
        self.assertIn("NOT VALID: failed: no", tables([row(SATURATED, "a", own, own)]))

    def test_scenarios_apart(self):
        """
        Each scenario has a table, also if two have the same title.
        """
        alike, *_ = GROUPS["latency"](QUICK)
        rows = [row(each, "a", self.base, self.base) for each in (alike, PAIRS, SATURATED)]
        titles = [line for line in tables(rows).splitlines() if line and line[0] != " "]
        self.assertEqual(
            [f"{each.group}: {each.title}" for each in (alike, PAIRS, SATURATED)], titles
        )

    def test_axis(self):
        """
        What has an axis is one table.
        """
        failed = [Run(problems=["no"])]
        rows = [row(each, "a", failed, failed) for each in GROUPS["sweep"](QUICK)]
        title, headings, *lines = tables(rows).splitlines()
        self.assertEqual("sweep, by messages per second of each player", title)
        self.assertEqual("at", headings.split()[2])
        self.assertEqual(["30", "60", "120", "240", "480"], [line.split()[2] for line in lines[:5]])
        self.assertIn("! a v2 at 60, run 1: NOT VALID: no", lines[6])


class JsonTests(SynchronousTestCase):
    """
    JSON.
    """

    def test_json(self):
        """
        Everything is there, each run included.
        """
        own = runs(1.0, 5.0, 3.0)
        text = as_json([row(SATURATED, "a", own, own)], {"load": "1.0"})
        decoded = json.loads(text)
        [result] = decoded["results"]
        self.assertEqual({"load": "1.0"}, decoded["conditions"])
        self.assertEqual(
            ("a", "v2", {"rate": 3.0}, {"rate": 1.0}),
            tuple(result[key] for key in ("server", "clients", "medians", "ratios")),
        )
        self.assertEqual([1.0, 5.0, 3.0], [run["figures"]["rate"] for run in result["runs"]])


class PictureTests(SynchronousTestCase):
    """
    SVG.
    """

    def test_bars(self):
        """
        A bar for each server, in proportion, and none where there is no figure.
        """
        rows = [
            row(SATURATED, "<a>", runs(100.0), runs(100.0)),
            row(SATURATED, "b", runs(50.0), runs(100.0)),
            row(SATURATED, "c", [Run()], runs(100.0)),
        ]
        picture = ET.fromstring(as_svg(rows))
        texts = [element.text for element in picture.iter(f"{SVG}text")]
        first, second = [
            float(bar.get("width"))
            for bar in picture.iter(f"{SVG}rect")
            if bar.get("width") != "100%"
        ]
        self.assertAlmostEqual(2.0, first / second)
        self.assertIn("<a> v2", texts)
        self.assertIn("-", texts)

    def test_lines(self):
        """
        A line for each server, with a point for each figure that there is.
        """
        sweep = GROUPS["sweep"](QUICK)
        rows = [
            row(each, name, own, own)
            for each, milliseconds in zip(sweep, (0.1, 0.3, 9.0, 100.0, 0.0), strict=True)
            for name in "ab"
            for own in [[Run({"p99_ms": milliseconds})]]
        ]
        picture = ET.fromstring(as_svg(rows))
        lines = [line.get("points").split() for line in picture.iter(f"{SVG}polyline")]
        self.assertEqual([4, 4], [len(points) for points in lines])
        heights = [float(point.partition(",")[2]) for point in lines[0]]
        self.assertEqual(sorted(heights, reverse=True), heights)

    def test_nothing(self):
        """
        No rows, or rows without figures, make a picture without contents.
        """
        [*sweep] = GROUPS["sweep"](QUICK)
        for rows in ([], [row(each, "a", [Run()], [Run()]) for each in (*sweep, SATURATED)]):
            ET.fromstring(as_svg(rows))


class AttemptsTests(SynchronousTestCase):
    """
    Runs during which others are busy.
    """

    def test_first_quiet_one(self):
        """
        No more attempts than needed are made.
        """
        busy, quiet = Run(is_disturbed=True), Run()
        attempts = iter([busy, quiet, busy])
        self.assertIs(quiet, undisturbed(attempts))
        self.assertEqual([busy], list(attempts))

    def test_none(self):
        """
        If there was none, the last one is kept, which says so.
        """
        one, other = Run(is_disturbed=True), Run(is_disturbed=True)
        self.assertIs(other, undisturbed(iter([one, other])))
