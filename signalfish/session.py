"""
One client's conversation: who may say what now, and what happens then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from attrs import frozen
from msgspec import UNSET, Raw, Struct

from signalfish import handshake, moderator
from signalfish.apps import App
from signalfish.rooms import authority, lobby, plan, sessions, signals, spectators
from signalfish.rooms.link import Link
from signalfish.rooms.room import Room
from signalfish.rooms.seat import Newcomer, Returner, Seat, Watcher
from signalfish.service import RoomService
from signalfish.wire import client, operations
from signalfish.wire.codec import decode_connection_info
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.gamedata import BinaryData, TextData, check_class
from signalfish.wire.outgoing import Notice, nested
from signalfish.wire.plans import FIRST_VERSION, Signal
from signalfish.wire.server import Pong, ServerMessage
from signalfish.wire.types import Encoding, Form, rfc3339

_ROTATING = 3  # the protocol version in which each return brings a new token
_PONG = Notice(Pong())


class Line(Link, Protocol):
    """
    A link whose properties are still to be settled.

    :ivar newer_codes: whether the client used a feature that came with the newer error codes.
    :ivar spectates: whether the client is a spectator, for whom nobody waits.
    """

    form: Form
    newer_codes: bool
    spectates: bool

    @property
    def fingerprint(self) -> str | None:
        """
        That of the certificate which the client has shown and must show to come back, if any.
        """

    def settle(self, is_member: Callable[[], bool]) -> None:
        """
        The client has authenticated, or will not; it can be told whatever its version has.

        :param is_member: whether it is in a room, which it does not stay in.
        """


@frozen
class Policy:
    """
    What is the same for all sessions.

    :ivar max_signal: largest signal, in bytes as received.
    :ivar max_connection_info: largest connection info, in bytes as received.
    """

    offer: handshake.Offer
    max_connection_info: int = 8192
    max_signal: int = 16384


class Session:
    """
    The conversation with one client, from its first message to the end of its connection.

    :param address: where the client comes from; only ever compared.
    :param default_version: protocol version of the endpoint the client used.
    """

    def __init__(
        self,
        line: Line,
        address: str,
        service: RoomService,
        policy: Policy,
        default_version: int = 2,
    ) -> None:
        self.player_id = service.mint.uuid()
        self._line = line
        self._address = address
        self._service = service
        self._policy = policy
        self._agreement = handshake.unauthenticated(default_version)
        self._greeted = False
        self._authenticated = False
        self._epoch = 0
        self._place: Seat | Watcher | None = None
        self._operation: str | None = None
        line.form = self._agreement.form

    def received(self, message: operations.ClientMessage) -> None:
        """
        Act on a message.

        :raises Refusal: if the client may not say this, or not now; nothing has changed then.
        """
        kind = type(message)
        if not self._greeted and kind is not client.Authenticate:
            self._greet()
        self._verbs[kind](self, message)

    @property
    def app(self) -> App:
        """
        The application that the client belongs to, as far as it has said so.
        """
        return self._agreement.app

    def would_create(self, request: client.RoomRequest) -> bool:
        """
        Whether a request is for a room that does not exist yet, or not for this client.
        """
        return self._service.would_create(request, self._agreement.app.owner)

    def check_operations(self) -> None:
        """
        Refuse operations with ids, unless they were negotiated.

        :raises Refusal: INVALID_INPUT, or UNSUPPORTED_PROTOCOL_VERSION before protocol 3.
        """
        if self._agreement.correlates:
            return
        knows = self._line.form.version >= FIRST_VERSION
        code = ErrorCode.INVALID_INPUT if knows else ErrorCode.UNSUPPORTED_PROTOCOL_VERSION
        text = "RoomOperation requires the negotiated room_operation_ids capability"
        refusal = Refusal(code, text)
        refusal.plain = True
        raise refusal

    def refused(self, message: operations.ClientMessage | None) -> None:
        """
        A message was refused, here or before it got here; it was a message nevertheless.
        """
        if message is None or self._greeted or type(message) is client.Authenticate:
            return
        self._greet()

    def control_frame(self) -> None:
        """
        A ping or pong arrived; that changes nothing here.
        """

    def alive(self) -> None:
        """
        The client has been heard of lately, so its room is active.
        """
        place = self._place
        if isinstance(place, Seat) and place.room is not None:
            place.room.active = self._service.time.monotonic()

    def is_member(self) -> bool:
        """
        Whether the client is in a room, as a player or as a spectator.
        """
        return self._current_place() is not None

    def closed(self) -> None:
        """
        The connection is gone.
        """
        place, self._place = self._place, None
        if place is None or place.room is None:
            return
        if isinstance(place, Seat):
            self._service.lose(place.room, place)
        else:
            spectators.lose(place.room, place)

    def _authenticate(self, message: client.Authenticate) -> None:
        if self._authenticated:
            text = "Authenticate already completed on this connection"
            raise Refusal(ErrorCode.INVALID_INPUT, text)
        if self._greeted:
            text = "Authenticate must be the first application message"
            raise Refusal(ErrorCode.INVALID_INPUT, text)
        if message.data.connect_token is not None:
            self._line.newer_codes = True
        default = self._agreement.form.version
        self._agreement = handshake.negotiate(
            message.data, self._policy.offer, default, self._address
        )
        self._authenticated = True
        self._line.form = self._agreement.form
        self._line.newer_codes |= self._agreement.correlates
        for reply in self._agreement.replies:
            self._line.deliver(Notice(reply))
        self._greet()

    def _greet(self) -> None:
        self._greeted = True
        self._line.settle(self.is_member)

    def _join(self, message: client.JoinRoom) -> None:
        request = message.data
        if request.password is not None or request.join_only is not None:
            self._line.newer_codes = True
        place = self._current_place()
        if isinstance(place, Seat):
            raise Refusal(ErrorCode.ALREADY_IN_ROOM, "Already in a room")
        if place is not None:
            text = "Already participating in a room as a spectator"
            raise Refusal(ErrorCode.ALREADY_IN_ROOM, text)
        newcomer = self._newcomer(
            request.player_name, supports_authority=request.supports_authority is not False
        )
        seat = self._service.join(request, newcomer)
        self._epoch = seat.epoch
        self._place = seat
        self._line.spectates = False

    def _leave(self, _message: client.LeaveRoom) -> None:
        if self._operation is not None:
            room, seat = self._member()
        elif isinstance(self._current_place(), Watcher):
            raise _not_in_room()
        else:
            room, seat = self._seat()
        self._service.leave(room, seat, self._reply)
        self._place = None

    def _game_data(self, message: client.GameData) -> None:
        payload = message.data
        kind = None if payload.delivery_class is UNSET else payload.delivery_class
        key = None if payload.key is UNSET else payload.key
        if kind is not None or key is not None:
            check_class(kind, key, self._line.form.version)
        room, seat = self._seat()
        seat.seq += 1
        raw = bytes(payload.data)
        self._service.tally.game_data_messages += 1
        room.relay(seat, TextData(seat.origin, seat.seq, raw, kind, key), len(raw))

    def _binary_game_data(self, message: client.BinaryGameData) -> None:
        encoding = self._line.form.encoding
        if encoding is Encoding.JSON:
            text = "Binary payloads are disabled for this connection"
            raise Refusal(ErrorCode.INVALID_INPUT, text)
        room, seat = self._seat()
        seat.seq += 1
        data = BinaryData(seat.origin, seat.seq, message.payload, encoding)
        self._service.tally.game_data_messages += 1
        room.relay(seat, data, len(message.payload))

    def _request_authority(self, message: client.AuthorityRequest) -> None:
        room, seat = self._seat()
        authority.request(room, seat, self._now(), claim=message.data.become_authority)

    def _ready(self, _message: client.PlayerReady) -> None:
        room, seat = self._seat()
        lobby.toggle_ready(room, seat, self._now())

    def _start(self, _message: client.StartGame) -> None:
        room, seat = self._seat()
        lobby.start(room, seat, self._now())

    def _provide_connection_info(self, message: client.ProvideConnectionInfo) -> None:
        raw = bytes(message.data.connection_info)
        info = decode_connection_info(raw)
        limit = self._policy.max_connection_info
        if len(raw) > limit:
            text = f"Connection info is {len(raw)} bytes; the maximum allowed is {limit} bytes"
            raise Refusal(ErrorCode.MESSAGE_TOO_LARGE, text)
        room, seat = self._seat()
        before, seat.connection_info = plan.endpoint(seat.connection_info), info
        sessions.relocate(room, seat, before)

    def _signal(self, message: client.Signal) -> None:
        fields = message.data
        raw, limit = bytes(fields.signal), self._policy.max_signal
        if len(raw) > limit:
            text = f"Signal payload is {len(raw)} bytes; the maximum allowed is {limit} bytes"
            raise Refusal(ErrorCode.SIGNAL_TOO_LARGE, text)
        place = self._place
        if not isinstance(place, Seat) or place.room is None:
            raise Refusal(ErrorCode.NOT_IN_ROOM, "You are not in a room")
        room, seat = place.room, place
        signal = Signal(sender=seat.id, generation=str(fields.generation), signal=Raw(raw))
        signals.relay(room, seat, str(fields.to), signal)

    def _transport_status(self, message: client.TransportStatus) -> None:
        place = self._current_place()
        if isinstance(place, Seat) and place.room is not None:
            signals.report(place.room, place, message.data.transport, message.data.connected)

    def _ping(self, _message: client.Ping) -> None:
        self._line.deliver(_PONG)

    def _reconnect(self, message: client.Reconnect) -> None:
        if self._current_place() is not None:
            text = "Reconnect must be attempted from a fresh connection"
            raise Refusal(ErrorCode.RECONNECTION_FAILED, text)
        rotates = self._line.form.version >= _ROTATING
        returner = Returner(
            self._line,
            self._address,
            self._agreement.capabilities,
            self._service.mint.uuid() if rotates else None,
            self._reply,
            self._line.fingerprint,
            self._agreement.app.owner,
        )
        seat = self._service.reconnect(message.data, returner)
        self.player_id = seat.id
        self._epoch = seat.epoch
        self._place = seat
        self._line.spectates = False

    def _watch(self, message: client.JoinAsSpectator) -> None:
        request = message.data
        if request.password is not None:
            self._line.newer_codes = True
        place = self._current_place()
        if isinstance(place, Seat):
            text = "Leave the current player room before joining as a spectator"
            raise Refusal(ErrorCode.SPECTATOR_NOT_ALLOWED, text)
        if place is not None:
            raise Refusal(ErrorCode.SPECTATOR_JOIN_FAILED, "Already spectating a room")
        self._place = self._service.spectate(request, self._newcomer(request.spectator_name))
        self._line.spectates = True

    def _stop_watching(self, _message: client.LeaveSpectator) -> None:
        place = self._current_place()
        if not isinstance(place, Watcher) or place.room is None:
            text = "You are not currently spectating a room"
            raise Refusal(ErrorCode.NOT_A_SPECTATOR, text)
        spectators.leave(place.room, place, self._reply)
        self._place = None
        self._line.spectates = False

    def _operate(self, message: operations.RoomOperation) -> None:
        self.check_operations()
        self._operation = message.data.operation_id
        try:
            self._carry_out(message.data.operation)
        finally:
            self._operation = None

    def _carry_out(self, request: object) -> None:
        if moderator.is_moderation(request):
            room, seat = self._member()
            self._reply(moderator.perform(request, room, seat, self._service))
        else:
            self._verbs[type(request)](self, request)

    def _reply(self, message: Struct) -> None:
        if self._operation is not None:
            message = operations.RoomOperationResult(
                operation_id=self._operation, result=nested(message)
            )
        assert isinstance(message, ServerMessage)  # noqa: S101 - results are only ever wrapped
        self._line.deliver(Notice(message))

    def _member(self) -> tuple[Room, Seat]:
        place = self._place
        if not isinstance(place, Seat) or place.room is None:
            raise Refusal(ErrorCode.NOT_IN_ROOM, "Not currently in a room")
        return place.room, place

    def _newcomer(self, name: str, *, supports_authority: bool = True) -> Newcomer:
        gets_token = self._agreement.wants_token and self._service.issues_tokens
        return Newcomer(
            id=self.player_id,
            name=name,
            link=self._line,
            address=self._address,
            connected_at=rfc3339(self._service.time.wall()),
            epoch=self._epoch + 1,
            token=self._service.mint.uuid() if gets_token else None,
            supports_authority=supports_authority,
            capabilities=self._agreement.capabilities,
            reply=self._reply,
            fingerprint=self._line.fingerprint,
            owner=self._agreement.app.owner,
        )

    def _current_place(self) -> Seat | Watcher | None:
        place = self._place
        return place if place is not None and place.room is not None else None

    def _seat(self) -> tuple[Room, Seat]:
        place = self._place
        if place is None or place.room is None:
            raise _not_in_room()
        if isinstance(place, Watcher):
            text = "Spectators watch; only players may do that"
            raise Refusal(ErrorCode.SPECTATOR_NOT_ALLOWED, text)
        return place.room, place

    def _now(self) -> float:
        return self._service.time.monotonic()

    _verbs: ClassVar[dict[type, Callable[[Session, Any], None]]] = {
        client.Authenticate: _authenticate,
        client.JoinRoom: _join,
        client.LeaveRoom: _leave,
        client.GameData: _game_data,
        client.BinaryGameData: _binary_game_data,
        client.AuthorityRequest: _request_authority,
        client.PlayerReady: _ready,
        client.StartGame: _start,
        client.ProvideConnectionInfo: _provide_connection_info,
        client.Signal: _signal,
        client.TransportStatus: _transport_status,
        client.Ping: _ping,
        client.Reconnect: _reconnect,
        client.JoinAsSpectator: _watch,
        client.LeaveSpectator: _stop_watching,
        operations.RoomOperation: _operate,
    }


def _not_in_room() -> Refusal:
    return Refusal(ErrorCode.NOT_IN_ROOM, "Not in a room")
