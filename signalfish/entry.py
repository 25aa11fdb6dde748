"""
What is asked of joins before they cost any budget: that they are well-formed, and not too late.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from msgspec.structs import replace

from signalfish.net.receiver import Receiver
from signalfish.service import RoomService
from signalfish.wire.client import JoinAsSpectator, JoinRoom, Reconnect, RoomRequest
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.names import Rules, check_password
from signalfish.wire.operations import ClientMessage, RoomOperation, SetRoomAccess


class Entry:
    """
    A receiver that refuses malformed joins, and those that come during a drain.

    :param inner: gets everything that is not refused.
    :param creates: whether a request to join would create a room.
    :param check_operations: refuses operations from whoever has not negotiated them.
    """

    def __init__(
        self,
        inner: Receiver,
        rules: Rules,
        service: RoomService,
        creates: Callable[[RoomRequest], bool],
        check_operations: Callable[[], None] = lambda: None,
    ) -> None:
        self._inner = inner
        self._rules = rules
        self._service = service
        self._creates = creates
        self._check_operations = check_operations
        self.refused = inner.refused
        self.control_frame = inner.control_frame
        self.alive = inner.alive
        self.closed = inner.closed

    def received(self, message: ClientMessage) -> None:
        """
        See :meth:`signalfish.net.receiver.Receiver.received`.
        """
        check = self._checks.get(type(message))
        if check is not None:
            check(self, message)
        self._inner.received(message)

    def _check_join(self, message: JoinRoom) -> None:
        if self._service.draining:
            code = message.data.room_code
            if self._creates(replace(message.data, room_code=code and code.upper())):
                raise _draining()
        self._rules.vet_join(message)

    def _check_spectate(self, message: JoinAsSpectator) -> None:
        if self._service.draining:
            raise _draining()
        self._rules.vet_spectate(message)

    def _check_reconnect(self, _message: Reconnect) -> None:
        if self._service.draining:
            raise _draining()

    def _check_operation(self, message: RoomOperation) -> None:
        self._check_operations()
        operation = message.data.operation
        if isinstance(operation, SetRoomAccess):
            check_password(operation.data.password)
            return
        check = self._checks.get(type(operation))
        if check is not None:
            check(self, operation)

    _checks: ClassVar[dict[type, Callable[[Entry, Any], None]]] = {
        JoinRoom: _check_join,
        JoinAsSpectator: _check_spectate,
        Reconnect: _check_reconnect,
        RoomOperation: _check_operation,
    }


def _draining() -> Refusal:
    return Refusal(ErrorCode.SERVER_DRAINING, "Server is draining for shutdown")
