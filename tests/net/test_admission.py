"""
Tests for signalfish.net.admission.
"""

from twisted.trial.unittest import SynchronousTestCase

from signalfish.net.admission import Admission
from signalfish.wire.client import Ping
from signalfish.wire.errors import CloseCode
from tests.fakes import Closed, FakeLink, Told
from tests.net.fakes import FakeReceiver


def too_many(text):
    """
    How a connection is sent away.
    """
    error = Told("Error", {"message": text, "error_code": "TOO_MANY_CONNECTIONS"})
    return Closed(CloseCode.TRY_AGAIN_LATER, "too_many_connections", error)


class AdmissionTests(SynchronousTestCase):
    """
    A server for two connections of one address, and three in all.
    """

    def setUp(self):
        """
        Nobody is connected yet.
        """
        self.admission = Admission(2, 3)
        self.started = []

    def admit(self, address):
        """
        A connection arrives: its link, and its receiver.
        """

        def start():
            self.started.append(FakeReceiver())
            return self.started[-1]

        link = FakeLink()
        return link, self.admission.admit(link, address, start)

    def test_admitted(self):
        """
        A connection that is not too many is left alone.
        """
        link, _ = self.admit("a")
        self.assertIsNone(link.closed)
        self.assertEqual([], link.told)
        self.assertEqual(1, len(self.started))

    def test_passed_on(self):
        """
        All that happens on an admitted connection is passed on.
        """
        _, receiver = self.admit("a")
        message = Ping()
        receiver.received(message)
        receiver.refused(None)
        receiver.control_frame()
        receiver.alive()
        receiver.closed()
        expected = [message, ("refused", None), "control_frame", "alive", "closed"]
        self.assertEqual(expected, self.started[0].events)

    def test_address(self):
        """
        A third connection of an address is told why and closed; others are not concerned.
        """
        self.admit("a")
        self.admit("a")
        link, receiver = self.admit("a")
        self.assertEqual(too_many("Too many connections from your IP (2/2)"), link.closed)
        self.assertEqual(2, len(self.started))
        other, _ = self.admit("b")
        self.assertIsNone(other.closed)
        for event in (receiver.control_frame, receiver.alive, receiver.closed):
            event()
        receiver.received(Ping())
        receiver.refused(None)
        self.assertEqual([], link.told)

    def test_total(self):
        """
        A fourth connection is told why and closed.
        """
        for address in ("a", "b", "c"):
            self.admit(address)
        link, _ = self.admit("d")
        self.assertEqual(too_many("Server is at capacity (3/3 connections)"), link.closed)

    def test_address_before_total(self):
        """
        A connection that is too many in both ways is told about its address.
        """
        for address in ("a", "a", "b"):
            self.admit(address)
        link, _ = self.admit("a")
        self.assertIn("your IP", link.closed.farewell.data["message"])

    def test_released(self):
        """
        A connection that is closed makes room for another one of its address.
        """
        _, receiver = self.admit("a")
        self.admit("a")
        receiver.closed()
        link, _ = self.admit("a")
        self.assertIsNone(link.closed)
        link, _ = self.admit("a")
        self.assertIsNotNone(link.closed)

    def test_rejected_is_not_counted(self):
        """
        The end of a connection that was sent away makes no room for another one.
        """
        self.admit("a")
        self.admit("a")
        _, rejected = self.admit("a")
        rejected.closed()
        link, _ = self.admit("a")
        self.assertIsNotNone(link.closed)

    def test_not_started(self):
        """
        A connection whose conversation cannot be made is not counted.
        """

        def fail():
            raise ZeroDivisionError

        for _ in range(5):
            self.assertRaises(ZeroDivisionError, self.admission.admit, FakeLink(), "a", fail)
        link, _ = self.admit("a")
        self.assertIsNone(link.closed)

    def test_bug_at_the_end(self):
        """
        A connection is counted no longer even if its conversation has a bug at its end.
        """
        for _ in range(3):
            _, receiver = self.admit("a")
            self.started[-1].closed = lambda: 1 / 0
            receiver._inner = self.started[-1]
            self.assertRaises(ZeroDivisionError, receiver.closed)
        self.assertIsNone(self.admit("a")[0].closed)

    def test_memory(self):
        """
        Nothing is remembered of addresses without connections.
        """
        for number in range(100):
            _, receiver = self.admit(str(number))
            receiver.closed()
        self.assertEqual(0, len(self.admission._addresses))
        for address in ("a", "b", "c"):
            self.admit(address)
        for number in range(100):
            self.admit(str(number))
        self.assertEqual(3, len(self.admission._addresses))
