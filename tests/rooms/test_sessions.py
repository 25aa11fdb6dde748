"""
Tests for signalfish.rooms.sessions.
"""

from msgspec import UNSET

from signalfish.rooms import plan, sessions
from signalfish.rooms.ice import Ice, Turn
from signalfish.rooms.rules import StartRule
from signalfish.wire.errors import ErrorCode
from signalfish.wire.types import (
    RELAY_ONLY,
    Capabilities,
    DirectInfo,
    LobbyState,
    Topology,
    Transport,
)
from tests.fakes import V2, V3
from tests.rooms.scene import ALL, UNIX_TIME, Scene, SceneTestCase

TURN = Turn(("turn:turn.example",), "Jefe")
ICE = Ice(stun=("stun:stun.example",), turn=TURN)
NO_MESH = Capabilities(ALL.transports, frozenset({Topology.RELAY, Topology.HOST}))
NO_WEBRTC = Capabilities(frozenset({Transport.RELAY, Transport.DIRECT}), ALL.topologies)
OVER_DIRECT = {"transports": frozenset({Transport.DIRECT})}
IN_RELAY = "SessionPlan relay/relay []"


class SessionsTestCase(SceneTestCase):
    """
    Rooms whose players are told plans.
    """

    def scene(self, seats=4, **planned):
        """
        An empty room.
        """
        self.room_scene = Scene(seats, StartRule.EXPLICIT, **planned)
        return self.room_scene

    def join(self, *names, able=ALL, form=V3):
        """
        Players join, one after the other.
        """
        return [self.room_scene.join(name, form, able=able) for name in names]

    def start(self, *guests):
        """
        The game starts, and what was heard of it is forgotten.
        """
        self.room_scene.toggle(*guests)
        self.room_scene.start(guests[0])
        self.room_scene.hush()

    def meshed(self, *names):
        """
        Players in a mesh.
        """
        self.scene()
        guests = self.join(*(names or ("Ann", "Bea", "Cem")))
        self.start(*guests)
        self.assertEqual(Topology.MESH, self.room_scene.room.session.topology)
        return guests

    def hosted(self, **planned):
        """
        Players in a session whose host is the first of them.
        """
        self.scene(default=Topology.HOST, **planned)
        guests = self.join("Ann", "Bea", "Cem")
        if planned.get("transports"):
            for number, guest in enumerate(guests):
                self.provide(guest, 7001 + number)
        self.start(*guests)
        self.assertEqual(guests[0].id, self.room_scene.room.session.host)
        return guests

    def provide(self, guest, port, host="192.0.2.7"):
        """
        A player says where it listens.
        """
        seat = guest.place
        before = plan.endpoint(seat.connection_info)
        seat.connection_info = DirectInfo(host=host, port=port)
        sessions.relocate(self.room_scene.room, seat, before)

    def plans(self, *guests):
        """
        The last plan of each guest.
        """
        return [
            [told.data for told in guest.told if told.type == "SessionPlan"][-1] for guest in guests
        ]


class StartTests(SessionsTestCase):
    """
    Plans at the start.
    """

    def test_mesh(self):
        """
        The plan comes last, to all players, each with its own peers.
        """
        scene = self.scene()
        ann, bea = self.join("Ann", "Bea")
        sam = scene.watch("Sam", V3)
        scene.toggle(ann, bea)
        scene.hush()
        scene.start(ann)
        first, second = sorted([ann, bea], key=lambda guest: guest.id)
        begins = {first: "!", second: ""}
        starting = "GameStarting [Ann*, Bea]"
        self.assert_heard(ann, starting, f"SessionPlan mesh/webrtc [Bea{begins[ann]}]")
        self.assert_heard(bea, starting, f"SessionPlan mesh/webrtc [Ann*{begins[bea]}]")
        self.assert_heard(sam, starting)

    def test_relay(self):
        """
        With a client of version 2, the others are told that it is the relay.
        """
        scene = self.scene()
        ann, bea = self.join("Ann", "Bea")
        (cem,) = self.join("Cem", form=V2, able=RELAY_ONLY)
        scene.toggle(ann, bea, cem)
        scene.hush()
        scene.start(ann)
        starting = "GameStarting [Ann*, Bea, Cem]"
        self.assert_all_heard([ann, bea], starting, IN_RELAY)
        self.assert_heard(cem, starting)
        self.assertIsNone(scene.room.session)

    def test_host(self):
        """
        The host hears of all others, who hear of nobody but the host.
        """
        self.scene(default=Topology.HOST)
        ann, bea, cem = self.join("Ann", "Bea", "Cem")
        self.room_scene.toggle(ann, bea, cem)
        self.room_scene.start(ann)
        self.assertEqual("SessionPlan host/webrtc of Ann [Bea, Cem]", ann.heard()[-1])
        for guest in (bea, cem):
            self.assertEqual("SessionPlan host/webrtc of Ann [Ann*!]", guest.heard()[-1])

    def test_direct(self):
        """
        The first who can be reached is the host, if the authority cannot.
        """
        self.scene(**OVER_DIRECT)
        ann, bea, cem = self.join("Ann", "Bea", "Cem")
        self.provide(ann, 0)
        self.provide(cem, 7003)
        self.room_scene.toggle(ann, bea, cem)
        self.room_scene.start(ann)
        for told in self.plans(ann, bea, cem):
            self.assertEqual({"host": "192.0.2.7", "port": 7003}, told["direct_endpoint"])
            self.assertEqual(cem.id, told["host"])
            self.assertNotIn("ice_servers", told)

    def test_before_the_start(self):
        """
        Before the start nobody is told a plan, whatever happens.
        """
        scene = self.scene()
        ann, bea, cem = self.join("Ann", "Bea", "Cem")
        self.provide(ann, 7001)
        scene.lose(bea)
        bea = scene.come_back(bea, V3, able=ALL)
        scene.leave(cem)
        types = {told.type for guest in scene.guests for told in guest.told}
        self.assertNotIn("SessionPlan", types)

    def test_game(self):
        """
        A game can want another topology than the others.
        """
        self.scene(topologies={"reef-racers": Topology.RELAY})
        guests = self.join("Ann", "Bea")
        self.start(*guests)
        self.assertIsNone(self.room_scene.room.session)


class GenerationTests(SessionsTestCase):
    """
    The ids of plans.
    """

    def test_same_for_all(self):
        """
        One publication has one generation, in the plans of all.
        """
        self.scene()
        guests = [*self.join("Ann", "Bea"), *self.join("Cem", able=NO_MESH)]
        self.room_scene.toggle(*guests)
        self.room_scene.start(guests[0])
        self.assertEqual(1, len({told["generation"] for told in self.plans(*guests)}))

    def test_never_again(self):
        """
        Each publication has a generation of its own.
        """
        ann, bea, cem = self.meshed()
        for _ in range(10):
            self.room_scene.lose(bea)
            bea = self.room_scene.come_back(bea, V3, able=ALL)
            self.assertEqual(1, len({told["generation"] for told in self.plans(ann, bea, cem)}))
        found = [told.data["generation"] for told in ann.told if told.type == "SessionPlan"]
        self.assertEqual(10, len(set(found)))
        self.assertEqual(10, len(found))


class JoinTests(SessionsTestCase):
    """
    Players who come after the start.
    """

    def test_join(self):
        """
        All players are told a plan with the newcomer, who is told first of all who is there.
        """
        ann, bea = self.meshed("Ann", "Bea")
        sam = self.room_scene.watch("Sam", V3)
        self.room_scene.hush()
        (cem,) = self.join("Cem")
        joined, planned = cem.take()
        self.assertEqual(("RoomJoined", "SessionPlan"), (joined.type, planned.type))
        self.assertEqual({ann.id, bea.id}, {peer["player_id"] for peer in planned.data["peers"]})
        for guest in (ann, bea):
            joined, planned = guest.take()
            self.assertEqual(("PlayerJoined", "SessionPlan"), (joined.type, planned.type))
            self.assertIn(cem.id, [peer["player_id"] for peer in planned.data["peers"]])
        self.assert_heard(sam, "PlayerJoined Cem")

    def test_host_session(self):
        """
        A newcomer becomes a client of the host, whose other clients are told again.
        """
        ann, bea, cem = self.hosted()
        (dan,) = self.join("Dan")
        self.assertEqual("SessionPlan host/webrtc of Ann [Bea, Cem, Dan]", ann.heard()[-1])
        for guest in (bea, cem, dan):
            self.assertEqual("SessionPlan host/webrtc of Ann [Ann*!]", guest.heard()[-1])

    def test_incompatible(self):
        """
        Somebody who cannot run the session is seated, and everybody goes on over the relay.
        """
        for form, able in ((V2, RELAY_ONLY), (V3, RELAY_ONLY), (V3, NO_MESH), (V3, NO_WEBRTC)):
            ann, bea = self.meshed("Ann", "Bea")
            (cem,) = self.join("Cem", form=form, able=able)
            self.assert_all_heard([ann, bea], "PlayerJoined Cem", IN_RELAY)
            self.assertEqual([IN_RELAY] * (form is V3), cem.heard()[1:])
            self.assertIsNone(self.room_scene.room.session)

    def test_no_way_back(self):
        """
        Once over the relay, a game stays there, whoever comes and goes.
        """
        ann, bea = self.meshed("Ann", "Bea")
        (cem,) = self.join("Cem", able=RELAY_ONLY)
        self.room_scene.leave(cem)
        self.room_scene.hush()
        (dan,) = self.join("Dan")
        self.assert_all_heard([ann, bea], "PlayerJoined Dan", IN_RELAY)
        self.assertEqual([IN_RELAY], dan.heard()[1:])

    def test_refused(self):
        """
        Where that is wanted, somebody who cannot run the session is refused instead.
        """
        for form, able in ((V2, RELAY_ONLY), (V3, RELAY_ONLY), (V3, NO_MESH), (V3, NO_WEBRTC)):
            scene = self.scene(refuses=True)
            self.start(*self.join("Ann", "Bea"))
            guest = scene.guest("Cem", form)
            code = ErrorCode.ROOM_SESSION_INCOMPATIBLE
            self.assert_refused(code, scene, scene.sit, guest, able=able)
            (dan,) = self.join("Dan")
            self.assertEqual(Topology.MESH, scene.room.session.topology)
            self.assertIn("mesh/webrtc", dan.heard()[-1])

    def test_not_refused(self):
        """
        Nobody is refused before the start, or when the game runs over the relay.
        """
        self.scene(refuses=True)
        ann, bea = self.join("Ann", "Bea", able=RELAY_ONLY)
        self.start(ann, bea)
        (cem,) = self.join("Cem", form=V2, able=RELAY_ONLY)
        self.assertIsNotNone(cem.place.room)


class DepartureTests(SessionsTestCase):
    """
    Players who go after the start.
    """

    def test_mesh(self):
        """
        Nobody is told a plan when somebody leaves a mesh.
        """
        ann, bea, cem = self.meshed()
        self.room_scene.leave(bea)
        self.assert_all_heard([ann, cem], "PlayerLeft Bea")
        self.room_scene.lose(cem)
        self.assert_heard(ann, "PlayerLeft Cem")
        self.assertEqual(Topology.MESH, self.room_scene.room.session.topology)

    def test_client(self):
        """
        Nobody is told a plan when a client of the host leaves.
        """
        ann, bea, cem = self.hosted()
        self.room_scene.leave(bea)
        self.assert_all_heard([ann, cem], "PlayerLeft Bea")

    def test_host(self):
        """
        When the host goes, there is another one, of whom everybody is told last.
        """
        for go in ("leave", "lose"):
            ann, bea, cem = self.hosted()
            getattr(self.room_scene, go)(ann)
            news = ["PlayerLeft Ann", "AuthorityChanged nobody"]
            host, client = sorted([bea, cem], key=lambda guest: guest.id)
            kind = f"SessionPlan host/webrtc of {host.name}"
            self.assert_heard(host, *news, f"{kind} [{client.name}]")
            self.assert_heard(client, *news, f"{kind} [{host.name}*!]")
            self.assertEqual(host.id, self.room_scene.room.session.host)

    def test_nobody_left(self):
        """
        When nobody can be the host any more, everybody goes on over the relay.
        """
        self.scene(**OVER_DIRECT)
        ann, bea, cem = self.join("Ann", "Bea", "Cem")
        self.provide(ann, 7001)
        self.start(ann, bea, cem)
        self.room_scene.leave(ann)
        for guest in (bea, cem):
            self.assertEqual(IN_RELAY, guest.heard()[-1])
        self.provide(bea, 7002)
        self.assert_all_heard([bea, cem])
        self.assertIsNone(self.room_scene.room.session)

    def test_last(self):
        """
        When the last player goes, the session is forgotten; who comes back gets the relay.
        """
        ann, bea = self.meshed("Ann", "Bea")
        self.room_scene.lose(ann, bea)
        self.assertIsNone(self.room_scene.room.session)
        ann = self.room_scene.come_back(ann, V3, able=ALL)
        self.assertEqual(IN_RELAY, ann.heard()[-1])

    def test_renewed(self):
        """
        A room that was left for good has no session; the next game may have one.
        """
        ann, bea = self.meshed("Ann", "Bea")
        self.room_scene.leave(ann)
        self.room_scene.leave(bea)
        self.assertIsNone(self.room_scene.room.session)
        self.assertIs(LobbyState.WAITING, self.room_scene.room.state)
        guests = self.join("Cem", "Dan")
        self.start(*guests)
        self.assertEqual(Topology.MESH, self.room_scene.room.session.topology)


class ReturnTests(SessionsTestCase):
    """
    Players who come back after the start.
    """

    def test_mesh(self):
        """
        All are told a plan, after they were told who is back.
        """
        ann, bea, cem = self.meshed()
        self.room_scene.lose(bea)
        self.room_scene.hush()
        back = self.room_scene.come_back(bea, V3, able=ALL)
        self.assertEqual(["Reconnected", "SessionPlan"], back.take_types())
        for guest in (ann, cem):
            types = ["PlayerJoined", "PlayerReconnected", "SessionPlan"]
            (*_, planned) = told = guest.take()
            self.assertEqual(types, [each.type for each in told])
            self.assertIn(back.id, [peer["player_id"] for peer in planned.data["peers"]])

    def test_former_host(self):
        """
        A host who comes back is a client of the new one, though it has the authority again.
        """
        ann, bea, cem = self.hosted()
        self.room_scene.lose(ann)
        host = self.room_scene.room.session.host
        self.room_scene.hush()
        ann = self.room_scene.come_back(ann, V3, able=ALL)
        self.assertEqual(host, self.room_scene.room.session.host)
        name = self.room_scene.names[host]
        heard = ann.heard()
        self.assertEqual("AuthorityChanged Ann you", heard[1])
        self.assertEqual(f"SessionPlan host/webrtc of {name} [{name}*!]", heard[2])
        self.assertEqual(3, len(heard))
        self.assertIn("Ann", next(g for g in (bea, cem) if g.id == host).heard()[-1])

    def test_lesser_client(self):
        """
        Who comes back with a client that cannot run the session is never refused for it.
        """
        for refuses in (False, True):
            self.scene(refuses=refuses)
            ann, bea = self.join("Ann", "Bea")
            self.start(ann, bea)
            self.room_scene.lose(bea)
            bea = self.room_scene.come_back(bea, V2)
            self.assertIsNotNone(bea.place.room)
            self.assertEqual(IN_RELAY, ann.heard()[-1])

    def test_capabilities(self):
        """
        What counts is what the new connection can do.
        """
        self.scene()
        ann, bea = self.join("Ann", "Bea", able=NO_MESH)
        self.start(ann, bea)
        self.room_scene.lose(bea)
        bea = self.room_scene.come_back(bea, V3, able=NO_WEBRTC)
        self.assertEqual(NO_WEBRTC, bea.place.capabilities)
        self.assertEqual(IN_RELAY, bea.heard()[-1])

    def test_take_over(self):
        """
        A host that moves to another connection hands the host's part over.
        """
        ann, bea, cem = self.hosted()
        moved = self.room_scene.take_over(ann, V3, able=ALL)
        (told,) = self.plans(moved)
        self.assertEqual(told["host"], self.room_scene.room.session.host)
        for guest in (bea, cem):
            generations = {each["generation"] for each in self.plans(guest, moved)}
            self.assertEqual(1, len(generations))

    def test_seniority(self):
        """
        A player who comes back is as old as before when a host is sought.
        """
        ann, bea, cem = self.hosted()
        bea.place.connected_at, cem.place.connected_at = "2031-01", "2031-02"
        self.room_scene.lose(bea)
        bea = self.room_scene.come_back(bea, V3, able=ALL)
        self.room_scene.leave(ann)
        self.assertEqual(bea.id, self.room_scene.room.session.host)


class RelocationTests(SessionsTestCase):
    """
    The host of a direct session listens somewhere else.
    """

    def setUp(self):
        """
        A game with a host who can be reached, as all others can.
        """
        self.ann, self.bea, self.cem = self.guests = self.hosted(**OVER_DIRECT)

    def test_elsewhere(self):
        """
        All are told the new place.
        """
        self.provide(self.ann, 7777, "2001:db8::9")
        for told in self.plans(*self.guests):
            self.assertEqual({"host": "2001:db8::9", "port": 7777}, told["direct_endpoint"])
            self.assertEqual(self.ann.id, told["host"])
        self.assertEqual([1] * 3, [len(guest.take()) for guest in self.guests])

    def test_same_place(self):
        """
        Nobody is told the same place again.
        """
        self.provide(self.ann, 7001)
        self.assert_all_heard(self.guests)

    def test_nowhere(self):
        """
        A host who cannot be reached any more is not the host any more.
        """
        self.provide(self.ann, 0)
        others = {self.bea.id, self.cem.id}
        self.assertIn(self.room_scene.room.session.host, others)
        for guest in self.guests:
            self.assertIn("SessionPlan host/direct of", guest.heard()[-1])

    def test_nobody(self):
        """
        If nobody else can be reached either, everybody goes on over the relay.
        """
        for guest in (self.bea, self.cem):
            self.provide(guest, 0)
        self.assert_all_heard(self.guests)
        self.provide(self.ann, 0)
        self.assert_all_heard(self.guests, IN_RELAY)
        self.assertIsNone(self.room_scene.room.session)

    def test_client(self):
        """
        Nobody needs to know where others than the host listen.
        """
        self.provide(self.bea, 9999)
        self.assert_all_heard(self.guests)

    def test_not_direct(self):
        """
        Where a host of a WebRTC session listens does not matter.
        """
        guests = self.hosted()
        self.provide(guests[0], 7777)
        self.assert_all_heard(guests)

    def test_return(self):
        """
        A host who comes back has to say again where it listens.
        """
        self.room_scene.lose(self.ann)
        self.room_scene.lose(self.bea)
        self.assertEqual(self.cem.id, self.room_scene.room.session.host)
        ann = self.room_scene.come_back(self.ann, V3, able=ALL)
        self.room_scene.hush()
        self.room_scene.leave(self.cem)
        self.assertEqual(IN_RELAY, ann.heard()[-1])


class IceTests(SessionsTestCase):
    """
    ICE servers, in plans and before.
    """

    def servers(self, player):
        """
        What a player is told, as it is told.
        """
        server = TURN.server_for(player, UNIX_TIME)
        turn = {"username": server.username, "credential": server.credential}
        return [{"urls": ["stun:stun.example"]}, {"urls": ["turn:turn.example"], **turn}]

    def test_plan(self):
        """
        Each player has credentials of its own, for WebRTC only.
        """
        self.scene(ice=ICE)
        guests = self.join("Ann", "Bea")
        self.room_scene.toggle(*guests)
        self.room_scene.start(guests[0])
        for guest in guests:
            (told,) = self.plans(guest)
            self.assertEqual(self.servers(guest.id), told["ice_servers"])

    def test_no_use(self):
        """
        Over the relay or directly, there are none.
        """
        for planned in ({"default": Topology.RELAY}, OVER_DIRECT):
            self.scene(ice=ICE, **planned)
            guests = self.join("Ann", "Bea")
            self.provide(guests[0], 7001)
            self.room_scene.toggle(*guests)
            self.room_scene.start(guests[0])
            for told in self.plans(*guests):
                self.assertNotIn("ice_servers", told)

    def early(self, form=V3, able=ALL, **planned):
        """
        The ICE servers in the answer to somebody who joins before the start.
        """
        self.scene(**{"ice": ICE} | planned)
        (ann,) = self.join("Ann", form=form, able=able)
        return ann.told[0].data.get("ice_servers", UNSET)

    def test_early(self):
        """
        Who may need them is told them on joining.
        """
        self.assertEqual(2, len(self.early()))
        self.assertEqual(2, len(self.early(able=NO_MESH, default=Topology.HOST)))

    def test_not_early(self):
        """
        Who will not need them is not.
        """
        for details in (
            {"form": V2},
            {"able": RELAY_ONLY},
            {"able": NO_WEBRTC},
            {"able": NO_MESH},
            {"pregather": False},
            {"default": Topology.RELAY},
            {"topologies": {"reef-racers": Topology.RELAY}},
            OVER_DIRECT,
            {"ice": Ice()},
        ):
            self.assertIs(UNSET, self.early(**details), details)

    def test_return(self):
        """
        Who comes back before the start is told them, afterwards they are in the plan only.
        """
        scene = self.scene(ice=ICE)
        ann, bea = self.join("Ann", "Bea")
        scene.lose(bea)
        bea = scene.come_back(bea, V3, able=ALL)
        self.assertEqual(self.servers(bea.id), bea.told[0].data["ice_servers"])
        self.start(ann, bea)
        scene.lose(bea)
        bea = scene.come_back(bea, V3, able=ALL)
        (reconnected, planned) = bea.take()
        self.assertNotIn("ice_servers", reconnected.data)
        self.assertEqual(self.servers(bea.id), planned.data["ice_servers"])
