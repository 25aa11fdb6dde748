"""
Tests for signalfish.apps.
"""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from signalfish.apps import ANYONE, App, Apps
from signalfish.rooms.owner import EVERYBODY, Owner
from signalfish.wire.errors import CloseCode, ErrorCode, Refusal
from signalfish.wire.server import RateLimits

HERE, THERE = "192.0.2.1", "192.0.2.2"


class AppTests(SynchronousTestCase):
    """
    What an application may do, and is told.
    """

    def test_owner(self):
        """
        An application is the owner of its rooms; those of all others are shared.
        """
        app = App("reef", "Reef Racers", max_rooms=3, max_players_per_room=4)
        self.assertEqual(Owner("reef", 3, 4), app.owner)
        self.assertEqual(EVERYBODY, ANYONE.owner)

    def test_rates(self):
        """
        The rate is told for other times too, and there is one for information if there is none.
        """
        for app, rates in (
            (App("a", "A"), (1000, 60000, 1440000)),
            (App("a", "A", rate_limit_per_minute=1), (1, 60, 1440)),
            (App("a", "A", rate_limit_per_minute=7), (7, 420, 10080)),
            (ANYONE, (1000, 10000, 100000)),
        ):
            minute, hour, day = rates
            expected = RateLimits(per_minute=minute, per_hour=hour, per_day=day)
            self.assertEqual(expected, app.rates)


class AppsTests(SynchronousTestCase):
    """
    Who is let in.
    """

    def setUp(self):
        """
        There are two applications; one has a rate.
        """
        self.clock = Clock()
        self.reef = App("reef", "Reef Racers", rate_limit_per_minute=4)
        self.chess = App("chess", "Chess")
        self.apps = Apps([self.reef, self.chess], self.clock.seconds)

    def assert_refused(self, code, text, app_id="reef", address=HERE):
        """
        Check that a client is sent away.
        """
        refusal = self.assertRaises(Refusal, self.apps.admit, app_id, address)
        self.assertEqual((code, text), (refusal.code, refusal.text))
        self.assertEqual((CloseCode.NORMAL, "unregistered"), refusal.close)

    def assert_too_many(self, address):
        """
        Check that an address comes too often.
        """
        code = ErrorCode.RATE_LIMIT_EXCEEDED
        self.assert_refused(code, "RateLimitExceeded", address=address)

    def test_listed(self):
        """
        An application is found by its exact id.
        """
        self.assertFalse(self.apps.is_open)
        self.assertIs(self.reef, self.apps.admit("reef", HERE))
        self.assertIs(self.chess, self.apps.admit("chess", HERE))
        for app_id in ("", "Reef", "reef ", "re", "reef\x00", "None", "Reef Racers"):
            self.assert_refused(ErrorCode.INVALID_APP_ID, "InvalidAppId", app_id)

    def test_none_listed(self):
        """
        An empty list lets nobody in.
        """
        self.apps = Apps([])
        self.assertFalse(self.apps.is_open)
        for app_id in ("", "reef", "default"):
            self.assert_refused(ErrorCode.INVALID_APP_ID, "InvalidAppId", app_id)

    def test_open(self):
        """
        Without a list everybody is let in, however often.
        """
        apps = Apps()
        self.assertTrue(apps.is_open)
        for _ in range(2000):
            self.assertIs(ANYONE, apps.admit("reef", HERE))

    def test_no_rate(self):
        """
        What is told of an application without a rate is not enforced.
        """
        for _ in range(2000):
            self.apps.admit("chess", HERE)

    def test_share(self):
        """
        One address gets half of the rate; the other half is left for others.
        """
        for _ in range(2):
            self.apps.admit("reef", HERE)
        self.assert_too_many(HERE)
        for _ in range(2):
            self.apps.admit("reef", THERE)
        self.assert_too_many("192.0.2.3")
        self.apps.admit("chess", HERE)

    def test_least_share(self):
        """
        However low the rate, one address gets one.
        """
        for limit, share in ((1, 1), (2, 1), (3, 1), (5, 2)):
            app = App("reef", "Reef", rate_limit_per_minute=limit)
            self.apps = Apps([app], self.clock.seconds)
            for _ in range(share):
                self.apps.admit("reef", HERE)
            self.assert_too_many(HERE)

    def test_any_minute(self):
        """
        Each attempt counts for a minute of its own, and refused ones not at all.
        """
        self.apps.admit("reef", HERE)
        self.clock.advance(30)
        self.apps.admit("reef", HERE)
        for _ in range(29):
            self.assert_too_many(HERE)
            self.clock.advance(1)
        self.assert_too_many(HERE)
        self.clock.advance(1)
        self.apps.admit("reef", HERE)
        self.assert_too_many(HERE)
        self.clock.advance(30)
        self.apps.admit("reef", HERE)
        self.assert_too_many(HERE)

    def test_unknown_costs_nothing(self):
        """
        Attempts in the name of unknown applications cost the others nothing.
        """
        for _ in range(10):
            self.assertRaises(Refusal, self.apps.admit, "nobody", HERE)
        self.apps.admit("reef", HERE)

    @given(
        st.integers(1, 6),
        st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abc")), max_size=60),
    )
    def test_windows(self, limit, attempts):
        """
        In no minute are too many let in, and whoever is refused would have been too many.
        """
        clock = Clock()
        app = App("reef", "Reef", rate_limit_per_minute=limit)
        apps, admitted = Apps([app], clock.seconds), []
        for wait, address in attempts:
            clock.advance(wait)
            now = clock.seconds()
            recent = [who for when, who in admitted if now - when < 60]
            room = len(recent) < limit and recent.count(address) < max(1, limit // 2)
            try:
                apps.admit("reef", address)
            except Refusal:
                self.assertFalse(room)
            else:
                self.assertTrue(room)
                admitted.append((now, address))

    def test_memory(self):
        """
        What is remembered of addresses is forgotten after the minute.
        """
        self.apps.admit("reef", HERE)
        self.clock.advance(60)
        self.apps.admit("reef", THERE)
        arrivals = self.apps._arrivals["reef"]
        self.assertEqual({THERE: 1}, dict(arrivals._addresses))
        self.assertEqual(1, len(arrivals._attempts))
