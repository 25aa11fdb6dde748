"""
The error codes, the close codes, and the one exception that means "the client's mistake".

Knows no message: :mod:`signalfish.wire.refusals` says which message carries a refusal.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum, auto


class ErrorCode(StrEnum):
    """
    Every ``error_code`` that this server sends.

    Clients treat the set as closed: a token outside it makes them drop the whole message.
    """

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[str]) -> str:
        return name

    INVALID_INPUT = auto()
    MESSAGE_TOO_LARGE = auto()
    INVALID_DELIVERY_CLASS = auto()
    UNSUPPORTED_GAME_DATA_FORMAT = auto()
    RATE_LIMIT_EXCEEDED = auto()
    TOO_MANY_CONNECTIONS = auto()
    SERVER_DRAINING = auto()
    INTERNAL_ERROR = auto()

    INVALID_APP_ID = auto()
    UNAUTHORIZED = auto()
    MISSING_APP_ID = auto()
    AUTHENTICATION_TIMEOUT = auto()
    CONNECT_TOKEN_INVALID = auto()
    CONNECT_TOKEN_REQUIRED = auto()
    SDK_VERSION_UNSUPPORTED = auto()
    UNSUPPORTED_PROTOCOL_VERSION = auto()

    INVALID_GAME_NAME = auto()
    INVALID_PLAYER_NAME = auto()
    INVALID_ROOM_CODE = auto()
    INVALID_MAX_PLAYERS = auto()
    ALREADY_IN_ROOM = auto()
    ROOM_NOT_FOUND = auto()
    ROOM_FULL = auto()
    ROOM_CREATION_FAILED = auto()
    MAX_ROOMS_PER_GAME_EXCEEDED = auto()
    PASSWORD_REQUIRED = auto()
    ROOM_SESSION_INCOMPATIBLE = auto()
    BANNED = auto()
    KICKED = auto()
    NOT_ROOM_AUTHORITY = auto()
    KICK_TARGET_NOT_FOUND = auto()
    TRANSFER_TARGET_NOT_FOUND = auto()
    NOT_IN_ROOM = auto()

    INVALID_ROOM_STATE = auto()
    GAME_START_FORBIDDEN = auto()
    GAME_START_NOT_READY = auto()
    AUTHORITY_NOT_SUPPORTED = auto()
    AUTHORITY_CONFLICT = auto()
    AUTHORITY_DENIED = auto()

    CROSS_ROOM_SIGNAL = auto()
    SIGNAL_TARGET_NOT_FOUND = auto()
    SIGNAL_TOO_LARGE = auto()
    SIGNAL_RATE_LIMITED = auto()
    UNSUPPORTED_TRANSPORT = auto()

    SPECTATOR_NOT_ALLOWED = auto()
    SPECTATOR_JOIN_FAILED = auto()
    TOO_MANY_SPECTATORS = auto()
    NOT_A_SPECTATOR = auto()

    RECONNECTION_FAILED = auto()
    RECONNECTION_TOKEN_INVALID = auto()
    RECONNECTION_EXPIRED = auto()
    PLAYER_ALREADY_CONNECTED = auto()

    SLOW_CONSUMER = auto()
    ACTIVITY_TIMEOUT = auto()
    CONNECTION_IDLE_TIMEOUT = auto()


class CloseCode(IntEnum):
    """
    WebSocket close codes that this server sends (RFC 6455 section 7.4), 1002 and 1009 by Autobahn.
    """

    NORMAL = 1000
    PROTOCOL_ERROR = 1002
    INVALID_PAYLOAD = 1007
    MESSAGE_TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    TRY_AGAIN_LATER = 1013
    SERVER_SHUTDOWN = 4000
    AUTH_TIMEOUT = 4001
    SLOW_CONSUMER = 4002
    ACTIVITY_TIMEOUT = 4003
    IDLE_TIMEOUT = 4004
    ROOM_INACTIVE = 4005
    INBOUND_RATE_LIMITED = 4006
    KICKED = 4007
    SUPERSEDED = 4008


class Refusal(Exception):  # noqa: N818 - a refusal is an ordinary answer, not an error of ours
    """
    The client asked for something it may not have; nothing has been changed.

    :ivar code: why, for the program.
    :ivar text: why, for its developer; names the limit and the value, never a secret.
    :ivar plain: whether it is told as an Error, whatever was asked for.
    :ivar close: the close code and reason, if the refusal ends the connection.
    """

    def __init__(self, code: ErrorCode, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text
        self.close: tuple[CloseCode, str] | None = None
        self.plain = False

    def closing(self, code: CloseCode, reason: str) -> Refusal:
        """
        The same refusal, as one that ends the connection.
        """
        self.close = (code, reason)
        return self

    def final(self) -> Refusal:
        """
        The same refusal, as one after which the connection has no purpose.
        """
        return self.closing(CloseCode.NORMAL, "unregistered")
