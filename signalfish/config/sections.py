"""
All settings, by section.
"""

from __future__ import annotations

from typing import Annotated

from attrs import field, frozen
from msgspec import Meta

from signalfish.config.connections import Security, WebSocket
from signalfish.config.declaring import setting
from signalfish.config.rooms import Protocol, RateLimit, RelayTypes, Server, Session, Turn


@frozen
class Settings:
    """
    Everything that can be configured.
    """

    port: Annotated[int, Meta(ge=0, le=65535)] = setting(
        3536, "port; 0 for any", "the port if no other is given"
    )
    server: Server = field(factory=Server)
    rate_limit: RateLimit = field(factory=RateLimit)
    protocol: Protocol = field(factory=Protocol)
    relay_types: RelayTypes = field(factory=RelayTypes)
    session: Session = field(factory=Session)
    turn: Turn = field(factory=Turn)
    websocket: WebSocket = field(factory=WebSocket)
    security: Security = field(factory=Security)
