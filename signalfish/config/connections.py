"""
Settings of connections: their queues, their signs of life, their limits and proofs.
"""

from __future__ import annotations

from typing import Annotated

from attrs import Factory, frozen
from msgspec import Meta

from signalfish.apps import App
from signalfish.config.declaring import setting
from signalfish.config.origins import ANY
from signalfish.config.ranges import Count, Positive
from signalfish.wire.binding import SUBPROTOCOL


@frozen
class WebSocket:
    """
    Connections: their queues and signs of life.
    """

    send_queue_capacity: Positive = setting(1024, "messages", "how many may wait for a slow client")
    control_queue_capacity: Annotated[int, Meta(ge=2)] = setting(
        128,
        "messages",
        "control messages that may wait for a client of version 3 before it counts as stalled",
    )
    sender_backlog_bytes: Positive = setting(
        128 << 10,
        "bytes",
        "how much of one sender may wait for a slow client before it is not read",
    )
    slow_consumer_timeout_ms: Annotated[int, Meta(ge=1, le=600_000)] = setting(
        5000, "milliseconds", "how long a queue may be full before its client is given up"
    )
    max_sojourn_ms: Positive = setting(
        15000,
        "milliseconds; judged to a second",
        "how long one message may wait for a client that does read, but too slowly",
    )
    delivery_stats_interval_secs: Annotated[int, Meta(ge=0, le=3600)] = setting(
        0, "whole seconds; 0 for never", "how often clients of version 3 are sent ``RelayStats``"
    )
    server_ping_interval_secs: Annotated[int, Meta(ge=0, le=3600)] = setting(
        10, "whole seconds; 0 for never", "silence after which a client is pinged"
    )
    pong_timeout_secs: Annotated[int, Meta(ge=1, le=3600)] = setting(
        5, "whole seconds", "how long a client that was pinged has to answer"
    )
    auth_timeout_secs: Annotated[int, Meta(ge=5, le=60)] = setting(
        10, "whole seconds", "how long a client has to authenticate, where it must"
    )
    http_header_read_timeout_secs: Annotated[int, Meta(ge=1, le=60)] = setting(
        10, "whole seconds", "how long an HTTP request may take to arrive, handshakes included"
    )
    idle_timeout_secs: Count = setting(
        300, "whole seconds; 0 for any", "silence that ends any connection"
    )
    socket_send_buffer_bytes: Annotated[int, Meta(ge=0, le=16 << 20)] = setting(
        65536, "bytes; 0 as the system has it", "what the kernel queues for one client"
    )


@frozen
class TokenBinding:
    """
    Whether clients prove with each message that it is theirs, and as whom.
    """

    enabled: bool = setting(
        False, "", "whether clients may bind their connections, see :ref:`protocol-binding`"
    )
    required: bool = setting(
        False, "", "whether clients must bind; needs TLS on everything that is listened on"
    )
    require_client_fingerprint: bool = setting(
        False, "", "whether they must also show a certificate, see :ref:`protocol-binding-settings`"
    )
    subprotocol: Annotated[str, Meta(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")] = setting(
        SUBPROTOCOL,
        "a name of letters, digits and some signs",
        "what clients offer in the handshake",
    )


@frozen
class ConnectToken:
    """
    What connect tokens are verified with: a key in Base64, or the path of a file that holds one.
    """

    public_key: str | None = setting(
        None,
        "Ed25519 key in Base64",
        "what :ref:`connect tokens <protocol-connect-token>` are verified with",
    )
    public_key_path: str | None = setting(None, "path", "a file that holds this key, instead")
    required: bool = setting(False, "", "whether nobody may connect without a token")


@frozen
class TransportSecurity:
    """
    What protects the connections themselves.
    """

    token_binding: TokenBinding = Factory(TokenBinding)


@frozen
class Security:
    """
    Sizes in bytes, numbers of connections, proofs, and whose clients may connect.
    """

    max_message_size: Annotated[int, Meta(ge=256, le=16 << 20)] = setting(
        65536, "bytes", "largest message of a client; twice as much ends the connection"
    )
    max_outbound_message_size: Annotated[int, Meta(ge=1, le=64 << 20)] = setting(
        8 << 20,
        "bytes",
        "largest message to a client; 256 above ``max_message_size`` at least, and enough for the "
        "connection infos of a full room",
    )
    max_connection_info_bytes: Positive = setting(8192, "bytes", "largest connection info")
    max_signal_bytes: Positive = setting(16384, "bytes", "largest signal")
    max_connections_per_ip: Positive = setting(
        64, "connections", "WebSockets of one address; an IPv6 /64 counts as one"
    )
    max_connections: Positive = setting(10000, "connections", "WebSockets of all")
    cors_origins: str | tuple[str, ...] = setting(
        ANY,
        "``*``, or origins in a list or with commas between them",
        "whose web pages may connect, see :ref:`protocol-origin`",
    )
    trusted_proxies: tuple[str, ...] = setting(
        (),
        "addresses, networks such as ``10.0.0.0/8``, ``unix``",
        "reverse proxies that are believed whose connection it is, see :ref:`protocol-proxies`",
    )
    require_metrics_auth: bool | None = setting(
        None, "null for true if there is a token", "whether the metrics need a token"
    )
    metrics_auth_token: Annotated[str, Meta(pattern=r"^([!-~]([ -~]*[!-~])?)?\Z")] | None = setting(
        None, "ASCII text", "what ``Authorization: Bearer`` needs to see them", secret=True
    )
    transport: TransportSecurity = Factory(TransportSecurity)
    connect_token: ConnectToken | None = None
    enforce_app_id_allowlist: bool | None = setting(
        None,
        "true, false, or null: whether any are listed",
        "whether only clients of listed applications may connect, see :ref:`configuration-apps`",
    )
    allowed_apps: tuple[App, ...] | None = setting(
        None, "objects, see :ref:`configuration-apps`", "the applications"
    )
    app_auth_path: str | None = setting(
        None, "path", 'a JSON file that lists more of them: ``{"apps": [...]}``'
    )

    @property
    def metrics_token(self) -> bytes | None:
        """
        The token that whoever wants to see the metrics must have; None if they are open.
        """
        token = self.metrics_auth_token
        return token.encode("ascii") if token and self.require_metrics_auth is not False else None
