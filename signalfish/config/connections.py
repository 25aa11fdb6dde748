"""
Settings of connections: their queues, their signs of life, their limits and proofs.
"""

from __future__ import annotations

from typing import Annotated

from attrs import Factory, frozen
from msgspec import Meta

from signalfish.config.ranges import Count, Positive
from signalfish.wire.binding import SUBPROTOCOL


@frozen
class WebSocket:
    """
    Connections: their queues and signs of life.
    """

    send_queue_capacity: Positive = 1024
    control_queue_capacity: Annotated[int, Meta(ge=2)] = 128
    sender_backlog_bytes: Positive = 128 << 10
    slow_consumer_timeout_ms: Annotated[int, Meta(ge=1, le=600_000)] = 5000
    max_sojourn_ms: Positive = 15000
    delivery_stats_interval_secs: Annotated[int, Meta(ge=0, le=3600)] = 0
    server_ping_interval_secs: Annotated[int, Meta(ge=0, le=3600)] = 10
    pong_timeout_secs: Annotated[int, Meta(ge=1, le=3600)] = 5
    auth_timeout_secs: Annotated[int, Meta(ge=5, le=60)] = 10
    idle_timeout_secs: Count = 300
    socket_send_buffer_bytes: Annotated[int, Meta(ge=0, le=16 << 20)] = 65536


@frozen
class TokenBinding:
    """
    Whether clients prove with each message that it is theirs, and as whom.
    """

    enabled: bool = False
    required: bool = False
    require_client_fingerprint: bool = False
    subprotocol: Annotated[str, Meta(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")] = SUBPROTOCOL


@frozen
class ConnectToken:
    """
    What connect tokens are verified with: a key in Base64, or the path of a file that holds one.
    """

    public_key: str | None = None
    public_key_path: str | None = None
    required: bool = False


@frozen
class TransportSecurity:
    """
    What protects the connections themselves.
    """

    token_binding: TokenBinding = Factory(TokenBinding)


@frozen
class Security:
    """
    Sizes in bytes, numbers of connections, and proofs.
    """

    max_message_size: Annotated[int, Meta(ge=256, le=16 << 20)] = 65536
    max_outbound_message_size: Annotated[int, Meta(ge=1, le=64 << 20)] = 8 << 20
    max_connection_info_bytes: Positive = 8192
    max_signal_bytes: Positive = 16384
    max_connections_per_ip: Positive = 64
    max_connections: Positive = 10000
    transport: TransportSecurity = Factory(TransportSecurity)
    connect_token: ConnectToken | None = None
