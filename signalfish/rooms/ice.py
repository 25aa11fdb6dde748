"""
The ICE servers that players are told of, with credentials for TURN (the REST scheme of coturn).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha1
from hmac import digest

from attrs import field, frozen

from signalfish.wire.types import IceServer


@frozen
class Turn:
    """
    A TURN service that accepts credentials made from a shared secret.

    :ivar lifetime: seconds for which a credential is good.
    """

    urls: tuple[str, ...]
    secret: str = field(repr=False)
    lifetime: int = 3600

    def server_for(self, player: str, unix_time: float) -> IceServer:
        """
        The entry for one player, with a credential of its own.
        """
        username = f"{int(unix_time) + self.lifetime}:{player}"
        mac = digest(self.secret.encode(), username.encode(), sha1)
        return IceServer(urls=self.urls, username=username, credential=b64encode(mac).decode())


@frozen
class Ice:
    """
    All ICE servers.

    :ivar servers: told as they are.
    :ivar stun: URLs that need no credentials.
    """

    servers: Sequence[IceServer] = ()
    stun: tuple[str, ...] = ()
    turn: Turn | None = None

    def servers_for(self, player: str, unix_time: float) -> tuple[IceServer, ...]:
        """
        What one player is told.
        """
        stun = (IceServer(urls=self.stun),) if self.stun else ()
        turn = (self.turn.server_for(player, unix_time),) if self.turn else ()
        return (*self.servers, *stun, *turn)
