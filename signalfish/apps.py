"""
Applications: which may connect, how often their clients may authenticate, and what they may use.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Annotated

from msgspec import Meta, Struct

from signalfish.rooms.owner import EVERYBODY, Owner
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.server import RateLimits

_WINDOW = 60.0  # seconds; clients are told rates per minute
_UNLIMITED = 1000  # what clients of an application without a rate are told


Quota = Annotated[int, Meta(ge=1)]


class App(
    Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"id": "app_id", "name": "app_name"},
):
    """
    One application, as operators list it, and its quotas; None stands for no quota of its own.

    :ivar id: what its clients send.
    :ivar name: what they are told.
    :ivar max_rooms: the most rooms at once, of all its games.
    :ivar max_players_per_room: the largest capacity of its rooms, and of those that name none.
    :ivar rate_limit_per_minute: how many of its clients may authenticate in any minute.
    :ivar max_relay_bytes: game data of one sender in one time window; nothing enforces it.
    :ivar require_connect_token: whether its clients need a connect token, instead of the server's.
    """

    id: str
    name: str
    max_rooms: Quota | None = None
    max_players_per_room: Annotated[int, Meta(ge=1, le=255)] | None = None
    rate_limit_per_minute: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    max_relay_bytes: Quota | None = None
    require_connect_token: bool | None = None

    @property
    def owner(self) -> Owner:
        """
        Whose rooms those of the application are.
        """
        return Owner(self.id, self.max_rooms, self.max_players_per_room)

    @property
    def rates(self) -> RateLimits:
        """
        What clients are told of the rate; only the first figure is ever enforced.
        """
        per_minute = self.rate_limit_per_minute or _UNLIMITED
        return RateLimits(
            per_minute=per_minute, per_hour=60 * per_minute, per_day=24 * 60 * per_minute
        )


class Anyone(App, frozen=True):
    """
    Every application, where none are listed: they share their rooms.
    """

    @property
    def owner(self) -> Owner:
        """
        See :attr:`App.owner`.
        """
        return EVERYBODY

    @property
    def rates(self) -> RateLimits:
        """
        See :attr:`App.rates`.
        """
        return RateLimits(per_minute=1000, per_hour=10000, per_day=100000)


ANYONE = Anyone("", "default")


class Apps:
    """
    The applications whose clients may connect.

    :param listed: those; None if clients may name any.
    :param now: tells seconds that only ever grow.
    """

    def __init__(
        self, listed: Iterable[App] | None = None, now: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._listed = None if listed is None else {app.id: app for app in listed}
        self._now = now
        self._arrivals = {
            app.id: _Arrivals(app.rate_limit_per_minute)
            for app in (self._listed or {}).values()
            if app.rate_limit_per_minute is not None
        }

    @property
    def is_open(self) -> bool:
        """
        Whether clients may name any application.
        """
        return self._listed is None

    def admit(self, app_id: str, address: str) -> App:
        """
        The application that a client names, one of whose attempts to authenticate this is.

        :param address: where the client comes from; only ever compared.
        :raises Refusal: INVALID_APP_ID or RATE_LIMIT_EXCEEDED, which end the connection.
        """
        if self._listed is None:
            return ANYONE
        app = self._listed.get(app_id)
        if app is None:
            raise Refusal(ErrorCode.INVALID_APP_ID, "InvalidAppId").final()
        arrivals = self._arrivals.get(app_id)
        if arrivals is not None and not arrivals.admit(address, self._now()):
            raise Refusal(ErrorCode.RATE_LIMIT_EXCEEDED, "RateLimitExceeded").final()
        return app


class _Arrivals:
    """
    Attempts of the last minute; those that were refused do not count.

    :param limit: the most in any minute; one address may have half of it, and at least one.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._share = max(1, limit // 2)
        self._attempts: deque[tuple[float, str]] = deque()
        self._addresses: Counter[str] = Counter()

    def admit(self, address: str, now: float) -> bool:
        """
        Whether this attempt is within the limits; it is counted if so.
        """
        self._forget(now - _WINDOW)
        if len(self._attempts) >= self._limit or self._addresses[address] >= self._share:
            return False
        self._attempts.append((now, address))
        self._addresses[address] += 1
        return True

    def _forget(self, until: float) -> None:
        while self._attempts and self._attempts[0][0] <= until:
            _, address = self._attempts.popleft()
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]
