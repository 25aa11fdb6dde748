"""
Tests for :mod:`signalfish.wire.errors`.
"""

import re
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

import signalfish
from signalfish.wire.errors import CloseCode, ErrorCode, Refusal

ERRORS_PAGE = Path(__file__).parents[2] / "docs" / "protocol" / "errors.rst"

KNOWN_TO_ALL = """
    ACTIVITY_TIMEOUT ALREADY_IN_ROOM APP_ID_EXPIRED APP_ID_REVOKED APP_ID_SUSPENDED
    AUTHENTICATION_REQUIRED AUTHENTICATION_TIMEOUT AUTHORITY_CONFLICT AUTHORITY_DENIED
    AUTHORITY_NOT_SUPPORTED CONNECTION_IDLE_TIMEOUT CROSS_ROOM_SIGNAL GAME_START_FORBIDDEN
    GAME_START_NOT_READY INTERNAL_ERROR INVALID_APP_ID INVALID_DELIVERY_CLASS INVALID_GAME_NAME
    INVALID_INPUT INVALID_MAX_PLAYERS INVALID_PLAYER_NAME INVALID_ROOM_CODE INVALID_ROOM_STATE
    INVALID_TOKEN MAX_ROOMS_PER_GAME_EXCEEDED MESSAGE_TOO_LARGE MISSING_APP_ID NOT_A_SPECTATOR
    NOT_IN_ROOM PLAYER_ALREADY_CONNECTED RATE_LIMIT_EXCEEDED RECONNECTION_EXPIRED
    RECONNECTION_FAILED RECONNECTION_TOKEN_INVALID ROOM_CREATION_FAILED ROOM_FULL ROOM_NOT_FOUND
    SDK_VERSION_UNSUPPORTED SERVER_DRAINING SERVICE_UNAVAILABLE SIGNAL_RATE_LIMITED
    SIGNAL_TARGET_NOT_FOUND SIGNAL_TOO_LARGE SLOW_CONSUMER SPECTATOR_JOIN_FAILED
    SPECTATOR_NOT_ALLOWED STORAGE_ERROR TOO_MANY_CONNECTIONS TOO_MANY_SPECTATORS UNAUTHORIZED
    UNSUPPORTED_GAME_DATA_FORMAT UNSUPPORTED_PROTOCOL_VERSION UNSUPPORTED_TRANSPORT
"""
KNOWN_TO_SOME = """
    BANNED CONNECT_TOKEN_INVALID CONNECT_TOKEN_REQUIRED KICK_TARGET_NOT_FOUND KICKED
    NOT_ROOM_AUTHORITY PASSWORD_REQUIRED ROOM_SESSION_INCOMPATIBLE TRANSFER_TARGET_NOT_FOUND
"""


def documented(title, pattern):
    """
    What a pattern finds in the section of the error page that has this title.
    """
    if not ERRORS_PAGE.exists():
        raise SkipTest("the documentation is not here")
    section = ERRORS_PAGE.read_text().partition(f"\n{title}\n---")[2]
    return re.findall(pattern, re.split(r"\n---+\n", section)[0], re.MULTILINE)


class ErrorCodeTests(SynchronousTestCase):
    """
    The set of codes, which clients treat as closed.
    """

    def test_tokens(self):
        """
        A code is its own name on the wire.
        """
        self.assertEqual([code.name for code in ErrorCode], [str(code) for code in ErrorCode])

    def test_closed(self):
        """
        No code is outside the set that clients can decode.
        """
        self.assertEqual(set(), set(ErrorCode) - {*KNOWN_TO_ALL.split(), *KNOWN_TO_SOME.split()})

    def test_documented(self):
        """
        The documentation lists every code that the server uses, and none that does not exist.
        """
        listed = set(documented("Error codes", r"^   ``([A-Z_]+)`` \|"))
        sources = [path.read_text() for path in Path(signalfish.__file__).parent.rglob("*.py")]
        used = {code for text in sources for code in re.findall(r"\bErrorCode\.([A-Z_]+)", text)}
        self.assertTrue(used)
        self.assertEqual(set(), used - listed)
        self.assertEqual(set(), listed - set(ErrorCode))


class CloseCodeTests(SynchronousTestCase):
    """
    The close codes.
    """

    def test_sendable(self):
        """
        Every close code may be sent by a server: registered, or from the private range.
        """
        registered = {1000, 1001, 1002, 1003, *range(1007, 1015)}
        private = {code for code in CloseCode if 4000 <= code <= 4999}
        self.assertEqual(set(), set(CloseCode) - registered - private)

    def test_documented(self):
        """
        The documentation lists exactly these codes.
        """
        listed = documented("Close codes", r"^   (\d{4}) \|")
        self.assertEqual(sorted(CloseCode), sorted(set(map(int, listed))))


class RefusalTests(SynchronousTestCase):
    """
    The exception that means a mistake of the client's.
    """

    def test_keeps_the_connection(self):
        """
        By itself a refusal does not end the connection.
        """
        refusal = Refusal(ErrorCode.ROOM_FULL, "Room is full")
        self.assertEqual((ErrorCode.ROOM_FULL, "Room is full"), (refusal.code, refusal.text))
        self.assertIsNone(refusal.close)

    def test_closing(self):
        """
        A refusal can be made one that ends the connection, and is still the same refusal.
        """
        refusal = Refusal(ErrorCode.INVALID_APP_ID, "no")
        self.assertIs(refusal, refusal.closing(CloseCode.NORMAL, "unregistered"))
        self.assertEqual((CloseCode.NORMAL, "unregistered"), refusal.close)
        self.assertEqual(ErrorCode.INVALID_APP_ID, refusal.code)
