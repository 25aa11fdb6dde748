"""
Which message carries a refusal: a request that has a failure reply of its own is answered in kind.
"""

from __future__ import annotations

from signalfish.wire.client import (
    Authenticate,
    AuthorityRequest,
    ClientMessage,
    JoinAsSpectator,
    JoinRoom,
    Reconnect,
)
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.server import (
    AuthenticationError,
    AuthorityResponse,
    Error,
    ReconnectionFailed,
    RoomJoinFailed,
    ServerMessage,
    SpectatorJoinFailed,
)

_OLDER_EQUIVALENT = {ErrorCode.PASSWORD_REQUIRED: ErrorCode.ROOM_NOT_FOUND}
"""
What clients are told that do not know a newer code and would drop the message.
"""


def answer(message: ClientMessage | None, refusal: Refusal, *, newer_codes: bool) -> ServerMessage:
    """
    The reply to a refused message.

    :param message: what was refused; None if it could not be decoded.
    :param newer_codes: whether the client used a feature that came with the newer codes.
    """
    code = refusal.code if newer_codes else _OLDER_EQUIVALENT.get(refusal.code, refusal.code)
    match message:
        case Authenticate() if code is not ErrorCode.INVALID_INPUT:
            return AuthenticationError(error=refusal.text, error_code=code)
        case JoinRoom():
            return RoomJoinFailed(reason=refusal.text, error_code=code)
        case Reconnect():
            return ReconnectionFailed(reason=refusal.text, error_code=code)
        case JoinAsSpectator():
            return SpectatorJoinFailed(reason=refusal.text, error_code=code)
        case AuthorityRequest():
            return AuthorityResponse(granted=False, reason=refusal.text, error_code=code)
        case _:
            return Error(message=refusal.text, error_code=code)
