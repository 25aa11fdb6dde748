"""
Test cases that have puppets.
"""

from tests.integration.harness import ServerTestCase
from tests.interop.harness import Puppet, Stage, programs, reason_to_skip


class InteropTestCase(ServerTestCase):
    """
    Tests with puppets, which share one server.

    :cvar path: the endpoint that puppets connect to.
    :cvar options: how they negotiate.
    """

    skip = reason_to_skip()
    path = "/v2/ws"
    options: dict[str, object] = {}

    def setUp(self):
        """
        Build the clients, and start the server, unless that is done.
        """
        programs()
        super().setUp()
        self.stage = Stage()

    def puppet(self, path: str | None = None, **options) -> Puppet:
        """
        A client that knows the terms.
        """
        url = self.server.url(path or self.path)
        puppet = Puppet(self.stage, url, **(self.options if path is None else {}), **options)
        self.addCleanup(puppet.close)
        puppet.terms = puppet.wait("ProtocolInfo")
        return puppet

    def seat(self, name: str, **fields) -> Puppet:
        """
        A client in a room, in a new one unless a code is given.
        """
        return self.join(self.puppet(), name, **fields)

    def join(self, puppet: Puppet, name: str, **fields) -> Puppet:
        """
        Let a client take a seat.
        """
        puppet.do("join", game="reef-racers", name=name, **fields)
        puppet.room = puppet.wait("RoomJoined")
        return puppet

    def spectator(self, code: str, puppet: Puppet | None = None) -> Puppet:
        """
        A client that watches a room.
        """
        puppet = puppet or self.puppet()
        puppet.do("watch", game="reef-racers", code=code, name="Sue")
        puppet.watching = puppet.wait("SpectatorJoined")
        return puppet

    def assert_plays(self, player: Puppet, value: object, *others: Puppet) -> None:
        """
        What a player sends reaches others.
        """
        player.do("data", data=value)
        for puppet in others:
            puppet.wait("GameData", data=value, **{"from": player.room["player"]})


class Version2TestCase(InteropTestCase):
    def pair(self, **options):
        """
        Two official clients in a room of their own.

        :param options: how the second one negotiates.
        """
        ann = self.seat("Ann", max_players=2)
        bob = self.join(self.puppet(**options), "Bob", code=ann.room["code"])
        ann.wait("PlayerJoined")
        for puppet in (ann, bob):
            puppet.wait("LobbyStateChanged", lobby_state="lobby", ready=[])
        return ann, bob


class Version3TestCase(InteropTestCase):
    path = "/v3/ws"
    options = {"mode": "mesh"}

    def returned(self, player, token=None, **options):
        """
        A new connection that takes back the seat of a player.
        """
        puppet = self.puppet(**options)
        puppet.room = player.room
        puppet.do(
            "reconnect",
            player=player.room["player"],
            room=player.room["room"],
            token=token or player.room["token"],
        )
        puppet.back = puppet.wait("Reconnected")
        return puppet
