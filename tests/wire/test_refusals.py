"""
Tests for :mod:`signalfish.wire.refusals`.
"""

from uuid import UUID

from msgspec import Raw
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from signalfish.wire import client, server
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.refusals import answer
from signalfish.wire.types import Transport

NOBODY = UUID(int=0)
REQUESTS = [
    client.Authenticate(client.Credentials("a")),
    client.JoinRoom(client.RoomRequest("g", "p")),
    client.LeaveRoom(),
    client.GameData(client.Payload(Raw(b"1"))),
    client.BinaryGameData(b"\x01"),
    client.AuthorityRequest(client.AuthorityWish(True)),
    client.PlayerReady(),
    client.StartGame(),
    client.ProvideConnectionInfo(client.OwnConnection(Raw(b"{}"))),
    client.Ping(),
    client.Reconnect(client.Claim(NOBODY, NOBODY, "t")),
    client.JoinAsSpectator(client.SpectatorRequest("g", "C", "s")),
    client.LeaveSpectator(),
    client.Signal(client.Signalling(NOBODY, NOBODY, Raw(b"1"))),
    client.TransportStatus(client.OwnTransport(Transport.WEBRTC, connected=True)),
]
IN_KIND = {
    client.Authenticate: server.AuthenticationError(error="why", error_code="ROOM_FULL"),
    client.JoinRoom: server.RoomJoinFailed(reason="why", error_code="ROOM_FULL"),
    client.Reconnect: server.ReconnectionFailed(reason="why", error_code="ROOM_FULL"),
    client.JoinAsSpectator: server.SpectatorJoinFailed(reason="why", error_code="ROOM_FULL"),
    client.AuthorityRequest: server.AuthorityResponse(
        granted=False, reason="why", error_code="ROOM_FULL"
    ),
}
OLDER = {
    ErrorCode.PASSWORD_REQUIRED: ErrorCode.ROOM_NOT_FOUND,
    ErrorCode.BANNED: ErrorCode.ROOM_NOT_FOUND,
    ErrorCode.KICKED: ErrorCode.RECONNECTION_FAILED,
    ErrorCode.ROOM_SESSION_INCOMPATIBLE: ErrorCode.ROOM_FULL,
}
PLAIN = server.Error(message="why", error_code="ROOM_FULL")


class AnswerTests(SynchronousTestCase):
    """
    The message that carries a refusal.
    """

    def test_every_request(self):
        """
        A request with a failure reply of its own gets that, everything else an Error.
        """
        refusal = Refusal(ErrorCode.ROOM_FULL, "why")
        for request in REQUESTS:
            reply = answer(request, refusal, newer_codes=True)
            self.assertEqual(IN_KIND.get(type(request), PLAIN), reply, request)

    def test_no_request_is_left_out(self):
        """
        The requests above are all that there are.
        """
        every = {*client.TextMessage.__args__, client.BinaryGameData}
        self.assertEqual(every, set(map(type, REQUESTS)))

    def test_malformed(self):
        """
        A message that could not be decoded gets an Error.
        """
        reply = answer(None, Refusal(ErrorCode.INVALID_INPUT, "why"), newer_codes=False)
        self.assertEqual(server.Error(message="why", error_code="INVALID_INPUT"), reply)

    def test_untimely_authenticate(self):
        """
        An Authenticate at the wrong time is no failed authentication, so it gets an Error.
        """
        refusal = Refusal(ErrorCode.INVALID_INPUT, "why")
        reply = answer(REQUESTS[0], refusal, newer_codes=True)
        self.assertEqual(server.Error(message="why", error_code="INVALID_INPUT"), reply)

    def test_invalid_input_in_kind(self):
        """
        For the other requests a bad value is a failure of the request.
        """
        refusal = Refusal(ErrorCode.INVALID_INPUT, "why")
        for request in REQUESTS[1:]:
            expected = type(IN_KIND.get(type(request), PLAIN))
            self.assertIs(expected, type(answer(request, refusal, newer_codes=True)))

    def test_older_clients(self):
        """
        A client that cannot know a newer code is told an older one, with the same text.
        """
        for code, older in OLDER.items():
            for request in REQUESTS:
                old = answer(request, Refusal(code, "why"), newer_codes=False)
                new = answer(request, Refusal(code, "why"), newer_codes=True)
                self.assertEqual(older, old.error_code)
                self.assertEqual(code, new.error_code)
                self.assertEqual(new, replace(old, error_code=new.error_code))

    def test_other_codes_for_all(self):
        """
        All other codes are the same for everybody.
        """
        for code in set(ErrorCode) - set(OLDER):
            for request in REQUESTS:
                refusal = Refusal(code, "why")
                old = answer(request, refusal, newer_codes=False)
                self.assertEqual(code, old.error_code)
                self.assertEqual(old, answer(request, refusal, newer_codes=True))
