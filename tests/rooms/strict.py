"""
A strict client that hears of everything at once, as nothing stands between it and the rooms.
"""

from typing import Any

from signalfish.wire.types import RELAY_ONLY, Capabilities, Form
from tests.fakes import FakeLink, Told
from tests.strict.client import Negotiated, StrictClient
from tests.strict.lie import Lie

_ORDER = {  # of the messages about one event, except for those that a takeover repeats
    "PlayerLeft": 1,
    "PlayerJoined": 1,
    "PlayerReconnected": 1,
    "AuthorityChanged": 2,
    "LobbyStateChanged": 3,
    "GameStarting": 4,
    "SessionPlan": 5,
}
_SNAPSHOTS = {"RoomJoined", "Reconnected", "SpectatorJoined"}


class Listener(FakeLink, StrictClient):
    """
    A client of whose game data each says which membership of its sender it is of, and its number.

    :ivar able: the transports and topologies that it negotiated.
    :ivar values: the game data and signals received in this turn.
    :ivar transfers: whether somebody hands the authority over in this turn.
    """

    def __init__(self, form: Form, name: str, able: Capabilities = RELAY_ONLY) -> None:
        FakeLink.__init__(self, form, name)
        transports = [transport.value for transport in able.transports]
        topologies = [topology.value for topology in able.topologies]
        StrictClient.__init__(self, form.version, Negotiated(transports, topologies))
        self.able = able
        self.values: list[Any] = []
        self.transfers = False
        self._numbers: dict[str, int | None] = {}
        self._before: Told | None = None
        self._renewed = False

    def begin_turn(self) -> None:
        """
        Something is about to happen.
        """
        super().begin_turn()
        self.take()
        self.values = []
        self._before = None
        self._renewed = self.transfers = False

    def gone(self) -> None:
        """
        The connection, or the place, is over.
        """
        self.place = None

    def deliver(self, outgoing: Any) -> None:
        """
        A closed connection must not be spoken to.
        """
        self.want(self.closed is None, "message after close", outgoing)
        super().deliver(outgoing)

    def close(self, *details: Any) -> None:
        """
        Being closed ends any place.
        """
        self.want(self.closed is None, "closed twice", details)
        super().close(*details)
        self.gone()

    def want(self, truth: Any, what: str, *about: Any) -> None:
        """
        :raises Lie: unless this is true.
        """
        if not truth:
            raise Lie(f"{self!r}: {what}: {about}\nturn: {self.turn}\nroster: {self.roster}")

    def hear(self, told: Told) -> None:
        """
        Check a message against the picture and the turn, then change the picture.
        """
        self._check_turn(told)
        if told.type == "AuthorityChanged":
            both = None not in (told.data["authority_player"], self.authority)
            passed = both and told.data["authority_player"] != self.authority
            self.want(not passed or self.transfers, "authority without vacancy", told)
        StrictClient.hear(self, told.type, told.data)
        if told.type == "LobbyStateChanged":
            self._renewed = self.is_renewal(told.data)
        elif told.type == "Signal":
            self.values.append((told.data["from"], told.data["signal"]))
        self._count(told)
        self._before = told

    def _check_turn(self, told: Told) -> None:
        """
        The messages about one event come in one order; a renewal is an event of its own.
        """
        if told.type == "LobbyStateChanged" and self.is_renewal(told.data):
            return
        if told.type == "SessionPlan":
            self.want("SessionPlan" not in self.turn, "two plans at once", told)
        before = self._before
        if told.type in _ORDER and before is not None and before.type in _ORDER:
            back = _ORDER[before.type] > _ORDER[told.type]
            taken_over = (before.type, told.type) == ("AuthorityChanged", "PlayerJoined")
            vacated = taken_over and before.data["authority_player"] is None
            self.want(not back or vacated or self._renewed, "order", before, told)

    def _count(self, told: Told) -> None:
        data = told.data
        if told.type in _SNAPSHOTS:
            self._numbers = {entry["id"]: entry.get("seq") for entry in data["current_players"]}
        elif told.type == "PlayerJoined":
            self._numbers[data["player"]["id"]] = 0
        elif told.type == "GameData":
            sender, (epoch, number) = data["from_player"], data["data"]
            self.values.append((sender, epoch, number))
            if self.version >= 3:
                self.want((data["epoch"], data["seq"]) == (epoch, number), "stamp", data)
            if not self._replaying:
                before = self._numbers[sender]
                self.want(before is None or number == before + 1, "gap", before, data)
                self._numbers[sender] = number
