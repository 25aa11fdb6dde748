"""
Which message carries a refusal: a request that has a failure reply of its own is answered in kind.
"""

from __future__ import annotations

from msgspec import Struct

from signalfish.wire.client import (
    Authenticate,
    AuthorityRequest,
    JoinAsSpectator,
    JoinRoom,
    Reconnect,
)
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.operations import (
    ClientMessage,
    Operation,
    OperationFailed,
    RoomOperation,
    RoomOperationResult,
)
from signalfish.wire.outgoing import nested
from signalfish.wire.server import (
    AuthenticationError,
    AuthorityResponse,
    Error,
    ReconnectionFailed,
    RoomJoinFailed,
    ServerMessage,
    SpectatorJoinFailed,
)

_OLDER_EQUIVALENT = {
    ErrorCode.PASSWORD_REQUIRED: ErrorCode.ROOM_NOT_FOUND,
    ErrorCode.BANNED: ErrorCode.ROOM_NOT_FOUND,
    ErrorCode.KICKED: ErrorCode.RECONNECTION_FAILED,
    ErrorCode.ROOM_SESSION_INCOMPATIBLE: ErrorCode.ROOM_FULL,
}
"""
What clients are told that do not know a newer code and would drop the message.
"""


_FAILURES: dict[type, type[RoomJoinFailed | ReconnectionFailed | SpectatorJoinFailed]] = {
    JoinRoom: RoomJoinFailed,
    Reconnect: ReconnectionFailed,
    JoinAsSpectator: SpectatorJoinFailed,
}


def answer(message: ClientMessage | None, refusal: Refusal, *, newer_codes: bool) -> ServerMessage:
    """
    The reply to a refused message.

    :param message: what was refused; None if it could not be decoded.
    :param newer_codes: whether the client used a feature that came with the newer codes.
    """
    code = refusal.code if newer_codes else _OLDER_EQUIVALENT.get(refusal.code, refusal.code)
    if refusal.plain:
        return Error(message=refusal.text, error_code=code)
    if isinstance(message, RoomOperation):
        return _result_of(message.data, refusal)
    failed = _FAILURES.get(type(message))
    if failed is not None:
        return failed(reason=refusal.text, error_code=code)
    if isinstance(message, AuthorityRequest):
        return AuthorityResponse(granted=False, reason=refusal.text, error_code=code)
    if isinstance(message, Authenticate) and code is not ErrorCode.INVALID_INPUT:
        return AuthenticationError(error=refusal.text, error_code=code)
    return Error(message=refusal.text, error_code=code)


def _result_of(operation: Operation, refusal: Refusal) -> ServerMessage:
    """
    The result of a refused operation; whoever has ids for operations knows all codes.
    """
    asked = operation.operation
    failed: Struct = OperationFailed(reason=refusal.text, error_code=refusal.code)
    if isinstance(asked, JoinRoom | Reconnect | JoinAsSpectator):
        failed = answer(asked, refusal, newer_codes=True)
    return RoomOperationResult(operation_id=operation.operation_id, result=nested(failed))
