"""
Connections that take little memory: of what Autobahn keeps in each, most is the same in all.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.protocol import TrafficStats

HANDSHAKE = (
    "_transport_details",
    "_wskey",
    "http_headers",
    "http_request_data",
    "http_request_host",
    "http_request_params",
    "http_request_path",
    "http_request_uri",
    "http_response_data",
    "http_status_line",
    "is_open",
    "utf8validator",
    "websocket_extensions",
    "websocket_extensions_in_use",
    "websocket_origin",
    "websocket_protocols",
    "websocket_version",
)
"""
What nothing looks at once the opening handshake is done, and UTF-8 is not checked by Autobahn.
"""

USUAL: dict[str, Any] = {
    **dict.fromkeys(HANDSHAKE),
    **dict.fromkeys(
        (
            "_perMessageCompress",
            "autoPingPending",
            "autoPingPendingCall",
            "autoPingPendingSent",
            "autoPingTimeoutCall",
            "closeHandshakeTimeoutCall",
            "current_frame",
            "localCloseCode",
            "localCloseReason",
            "openHandshakeTimeoutCall",
            "remoteCloseCode",
            "remoteCloseReason",
            "trackedTimings",
            "wasNotCleanReason",
            "websocket_protocol_in_use",
        )
    ),
    **dict.fromkeys(
        (
            "closedByMe",
            "droppedByMe",
            "failedByMe",
            "inside_message",
            "triggered",
            "wasClean",
            "wasCloseHandshakeTimeout",
            "wasMaxFramePayloadSizeExceeded",
            "wasMaxMessagePayloadSizeExceeded",
            "wasOpenHandshakeTimeout",
            "wasServerConnectionDropTimeout",
            "wasServingFlashSocketPolicyFile",
        ),
        False,
    ),
    "autoPingPendingSeq": 0,
    "data": b"",
    "send_queue": deque(maxlen=0),  # used only for writing in chops, which is not done here
    "send_state": WebSocketServerProtocol.SEND_STATE_GROUND,
    "state": WebSocketServerProtocol.STATE_OPEN,
    "trafficStats": TrafficStats(),  # counted by nobody, so it may count for all
}
"""
What most open connections have, by attributes.
"""

_FORGOTTEN = {*HANDSHAKE, "send_queue", "trafficStats"}
_OTHER = object()


def shared(factory: WebSocketServerFactory) -> dict[str, Any]:
    """
    Class attributes for the protocols of a factory, which need no attributes of their own then.

    Autobahn copies those options of the factory into a protocol that it does not find there.
    """
    options = {name: getattr(factory, name) for name in WebSocketServerProtocol.CONFIG_ATTRS}
    # A plain function would become a method of the class.
    hooks = {name: staticmethod(value) for name, value in options.items() if callable(value)}
    return {**USUAL, **options, **hooks}


def lighten(connection: WebSocketServerProtocol) -> None:
    """
    Forget the handshake of an open connection, and whatever is as in its class.
    """
    kind = type(connection)
    connection.__dict__ = {
        name: value
        for name, value in vars(connection).items()
        if name not in _FORGOTTEN and getattr(kind, name, _OTHER) is not value
    }
