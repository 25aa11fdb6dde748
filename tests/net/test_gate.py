"""
Tests for signalfish.net.gate.
"""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from signalfish.net.gate import Gate
from signalfish.wire.client import (
    Authenticate,
    BinaryGameData,
    Credentials,
    JoinRoom,
    Ping,
    RoomRequest,
)
from signalfish.wire.errors import CloseCode, ErrorCode, Refusal
from signalfish.wire.refusals import answer
from signalfish.wire.server import Error
from tests.fakes import FakeLink
from tests.net.fakes import FakeReceiver

WHO = Authenticate(Credentials(app_id="a"))
JOIN = JoinRoom(RoomRequest(game_name="g", player_name="p"))
END = (CloseCode.NORMAL, "unregistered")


def refuse(message):
    """
    Refuse whatever comes.
    """
    raise Refusal(ErrorCode.CONNECT_TOKEN_INVALID, "no")


class GateTests(SynchronousTestCase):
    """
    A connection that must authenticate within ten seconds.
    """

    def setUp(self):
        """
        It has just been opened.
        """
        self.clock = Clock()
        self.inner = FakeReceiver()
        self.link = FakeLink()
        self.gate = Gate(self.inner, self.link, self.clock, 10)

    def test_open(self):
        """
        After Authenticate everything is let through, and nothing is waited for.
        """
        for message in (WHO, JOIN, WHO, BinaryGameData(b"x")):
            self.gate.received(message)
        self.assertEqual([WHO, JOIN, WHO, BinaryGameData(b"x")], self.inner.events)
        self.assertEqual([], self.clock.getDelayedCalls())
        self.clock.advance(11)
        self.assertIsNone(self.link.closed)

    def test_closed(self):
        """
        Before it, nothing else is, and it is told as an Error whatever it was.
        """
        for message, text in (
            (JOIN, "Authentication required"),
            (Ping(), "Authentication required"),
            (BinaryGameData(b""), "Authentication required before sending binary data"),
        ):
            refusal = self.assertRaises(Refusal, self.gate.received, message)
            self.assertEqual((ErrorCode.MISSING_APP_ID, END), (refusal.code, refusal.close))
            told = answer(message, refusal, newer_codes=False)
            self.assertEqual(Error(message=text, error_code=ErrorCode.MISSING_APP_ID), told)
        self.assertEqual([], self.inner.events)

    def test_refused(self):
        """
        A refused Authenticate does not open it, and the time runs on.
        """
        self.inner.act = refuse
        for _ in range(3):
            self.clock.advance(3)
            self.assertRaises(Refusal, self.gate.received, WHO)
        self.assertEqual(
            ErrorCode.MISSING_APP_ID,
            self.assertRaises(Refusal, self.gate.received, Ping()).code,
        )
        self.clock.advance(0.9)
        self.assertIsNone(self.link.closed)
        self.clock.advance(0.1)
        self.assertEqual(CloseCode.AUTH_TIMEOUT, self.link.closed.code)

    def test_timeout(self):
        """
        Who does not authenticate in time is told so.
        """
        self.clock.advance(10)
        code, reason, farewell = self.link.closed
        self.assertEqual((4001, "auth_timeout"), (code, reason))
        text = "Authentication timeout - must authenticate within 10 seconds"
        error = {"message": text, "error_code": "AUTHENTICATION_TIMEOUT"}
        self.assertEqual(("Error", error), farewell)

    def test_gone(self):
        """
        Nothing is waited for when the connection is gone.
        """
        self.gate.closed()
        self.assertEqual(["closed"], self.inner.events)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_gone_after(self):
        """
        Nor when it is gone after its time.
        """
        self.clock.advance(10)
        self.gate.closed()
        self.assertEqual(["closed"], self.inner.events)

    def test_others(self):
        """
        All other events are passed on.
        """
        self.gate.refused(None)
        self.gate.control_frame()
        self.gate.alive()
        self.assertEqual([("refused", None), "control_frame", "alive"], self.inner.events)
