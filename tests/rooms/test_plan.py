"""
Tests for signalfish.rooms.plan.
"""

from itertools import product
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from signalfish.rooms import plan
from signalfish.rooms.plan import Planner, Publication, Session
from signalfish.rooms.seat import Seat
from signalfish.wire.gamedata import Origin
from signalfish.wire.plans import DirectEndpoint
from signalfish.wire.types import (
    RELAY_ONLY,
    Capabilities,
    DirectInfo,
    IceServer,
    RelayInfo,
    Topology,
    Transport,
    WebRTCInfo,
)
from tests.fakes import V2, V3, FakeLink
from tests.strategies import examples

RELAY, HOST, MESH = Topology.RELAY, Topology.HOST, Topology.MESH
DIRECT, WEBRTC = Transport.DIRECT, Transport.WEBRTC
BOTH = frozenset({DIRECT, WEBRTC})
ICE = (IceServer(urls=("stun:stun.example",)),)
HERE = DirectInfo(host="192.0.2.7", port=7777)
NOWHERE = DirectInfo(host="0.0.0.0", port=7777)
GENERATION = "5b0d7a90-6c1f-4f0e-9d0b-b7f0a1c4e882"


def able(*what):
    """
    What a client can do that has negotiated these transports and topologies.
    """
    return Capabilities(
        RELAY_ONLY.transports | {each for each in what if isinstance(each, Transport)},
        RELAY_ONLY.topologies | {each for each in what if isinstance(each, Topology)},
    )


ALL = able(DIRECT, WEBRTC, HOST, MESH)


def seat(player, capabilities=ALL, info=UNSET, form=V3, connected_at="2031"):
    """
    Somebody who is seated.
    """
    return Seat(
        id=player,
        name=player.upper(),
        link=FakeLink(form),
        room=SimpleNamespace(),
        address="",
        connected_at=connected_at,
        rank=0,
        epoch=1,
        capabilities=capabilities,
        connection_info=info,
        origin=Origin(GENERATION, 1),
    )


class EndpointTests(SynchronousTestCase):
    """
    Where a player says that it listens.
    """

    def test_usable(self):
        """
        Addresses and domain names are usable as they are.
        """
        label = "x" * 63
        for host in (
            "192.0.2.7",
            "127.0.0.1",
            "2001:db8::1",
            "::1",
            "h",
            "host",
            "host.",
            "Game-7.Example.org",
            "game.example.org.",
            "7.example",
            "xn--bcher-kva.example",
            label,
            ".".join([label] * 3 + ["x" * 61]),
        ):
            for port in (1, 7777, 65535):
                found = plan.endpoint(DirectInfo(host=host, port=port))
                self.assertEqual(DirectEndpoint(host=host, port=port), found, host)

    def test_unusable(self):
        """
        What can be neither an address nor a domain name is not.
        """
        label = "x" * 63
        for host in (
            "",
            " ",
            ".",
            "..",
            "0.0.0.0",
            "::",
            "0:0:0:0:0:0:0:0",
            "192.0.2.7.",
            " 192.0.2.7",
            "host ",
            "host\n",
            ".host",
            "host..",
            "a..b",
            "-a",
            "a-",
            "a.-b.c",
            "a_b",
            "ä.example",
            "\u0661",
            "[2001:db8::1]",
            "2001:db8::1.",
            "fe80::1%eth0",
            "http://host",
            "host:7777",
            "host/",
            "*",
            label + "x",
            ".".join([label] * 3 + ["x" * 62]),
        ):
            self.assertIsNone(plan.endpoint(DirectInfo(host=host, port=7777)), host)

    def test_port(self):
        """
        Port 0 is no place to connect to.
        """
        self.assertIsNone(plan.endpoint(DirectInfo(host="192.0.2.7", port=0)))

    def test_other_info(self):
        """
        Other connection info has no such place, and neither has a player without any.
        """
        relay = RelayInfo(host="192.0.2.7", port=7777, allocation_id="a", token="t")
        for info in (UNSET, relay, WebRTCInfo(ice_candidates=[])):
            self.assertIsNone(plan.endpoint(info))


class LadderTests(SynchronousTestCase):
    """
    Which session is chosen.
    """

    def chosen(self, *able_to, desired=MESH, transports=BOTH, infos=(), forms=()):
        """
        The topology and the transport for players who can do this; None for the relay.
        """
        infos, forms = [*infos, *[UNSET] * 9], [*forms, *[V3] * 9]
        seats = [
            seat(player, capabilities, info, form)
            for player, capabilities, info, form in zip("abcd", able_to, infos, forms, strict=False)
        ]
        session = plan.choose(desired, transports, seats, None)
        return None if session is None else (session.topology, session.transport)

    def test_rungs(self):
        """
        The first rung is taken that everybody can run.
        """
        no_mesh = able(DIRECT, WEBRTC, HOST)
        no_webrtc = able(DIRECT, HOST, MESH)
        for others, expected in (
            ([ALL], (MESH, WEBRTC)),
            ([ALL, able(WEBRTC, MESH)], (MESH, WEBRTC)),
            ([ALL, no_mesh], (HOST, WEBRTC)),
            ([no_mesh, able(WEBRTC, HOST)], (HOST, WEBRTC)),
            ([no_webrtc, ALL], (HOST, DIRECT)),
            ([able(DIRECT, HOST), ALL], (HOST, DIRECT)),
            ([able(DIRECT, HOST), able(WEBRTC, HOST, MESH)], None),
            ([able(DIRECT, MESH), ALL], None),
            ([able(WEBRTC), ALL], None),
            ([able(MESH, HOST), ALL], None),
            ([able(WEBRTC, MESH), able(WEBRTC, HOST)], None),
            ([RELAY_ONLY, ALL], None),
            ([RELAY_ONLY], None),
        ):
            self.assertEqual(expected, self.chosen(*others, infos=[HERE]), others)

    def test_desired(self):
        """
        Nothing richer is chosen than what is wanted.
        """
        for desired, expected in ((MESH, (MESH, WEBRTC)), (HOST, (HOST, WEBRTC)), (RELAY, None)):
            self.assertEqual(expected, self.chosen(ALL, ALL, desired=desired))

    def test_transports(self):
        """
        Transports that are not enabled are not used.
        """
        for transports, expected in (
            ({WEBRTC}, (MESH, WEBRTC)),
            ({DIRECT}, (HOST, DIRECT)),
            ((), None),
        ):
            self.assertEqual(expected, self.chosen(ALL, ALL, transports=transports, infos=[HERE]))

    def test_old_version(self):
        """
        One player of version 2 is enough for the relay.
        """
        self.assertIsNone(self.chosen(ALL, ALL, infos=[HERE], forms=[V3, V2]))

    def test_endpoint(self):
        """
        A direct session needs somebody who can be reached.
        """
        for infos, expected in (
            ([], None),
            ([NOWHERE, NOWHERE], None),
            ([UNSET, HERE], (HOST, DIRECT)),
            ([NOWHERE, HERE], (HOST, DIRECT)),
        ):
            self.assertEqual(expected, self.chosen(ALL, ALL, transports={DIRECT}, infos=infos))

    def test_alone(self):
        """
        One player can run everything that it is able to.
        """
        self.assertEqual((MESH, WEBRTC), self.chosen(ALL))
        self.assertEqual((HOST, DIRECT), self.chosen(able(DIRECT, HOST), infos=[HERE]))

    def test_games(self):
        """
        A game may want something else than the others, and its name has to be exact.
        """
        planner = Planner(str, float, HOST, {"chess": RELAY, "go": MESH})
        wanted = [planner.desired(game) for game in ("chess", "go", "Chess", "poker")]
        self.assertEqual([RELAY, MESH, HOST, HOST], wanted)


class ElectionTests(SynchronousTestCase):
    """
    Who becomes the host.
    """

    def host(self, *seats, authority=None, now=None, transport=WEBRTC):
        """
        The host among these.
        """
        session = plan.with_host(Session(HOST, transport, now), seats, authority)
        return None if session is None else session.host

    def test_eldest(self):
        """
        Without an authority it is who came first, and of two the one with the smaller id.
        """
        a, b, c = seat("a", connected_at="2"), seat("b", connected_at="1"), seat("c")
        for order in ((a, b), (b, a)):
            self.assertEqual("b", self.host(*order))
        d = seat("d", connected_at="1")
        for order in ((a, b, d), (d, b, a), (c, d, b)):
            self.assertEqual("b", self.host(*order))

    def test_authority(self):
        """
        The authority is the host if it can be.
        """
        a, b = seat("a"), seat("b")
        self.assertEqual("b", self.host(a, b, authority="b"))
        unable = seat("b", able(WEBRTC, MESH))
        self.assertEqual("a", self.host(a, unable, authority="b"))
        self.assertEqual("a", self.host(a, authority="b"))

    def test_present_host(self):
        """
        A host stays the host while it can be, whoever else could be.
        """
        a, b, c = seat("a"), seat("b"), seat("c")
        self.assertEqual("c", self.host(a, b, c, authority="b", now="c"))
        self.assertEqual("b", self.host(a, b, authority="b", now="c"))
        self.assertEqual("a", self.host(a, b, now="c"))

    def test_direct(self):
        """
        The host of a direct session can be reached.
        """
        a, b = seat("a", info=NOWHERE), seat("b", info=HERE)
        self.assertEqual("b", self.host(a, b, authority="a", transport=DIRECT))
        self.assertEqual("b", self.host(a, b, now="a", transport=DIRECT))
        self.assertEqual("a", self.host(a, b, authority="a", transport=WEBRTC))

    def test_nobody(self):
        """
        There may be nobody who can be the host.
        """
        for seats in (
            (),
            (seat("a", RELAY_ONLY), seat("b", able(HOST)), seat("c", able(WEBRTC))),
            (seat("a", form=V2),),
        ):
            self.assertIsNone(self.host(*seats))
        self.assertIsNone(self.host(seat("a"), transport=DIRECT))


class ProjectionTests(SynchronousTestCase):
    """
    The plan as each player is told it.
    """

    def setUp(self):
        """
        Three players who can do everything, and one who cannot.
        """
        self.seats = [seat(player, info=HERE) for player in "bac"] + [seat("d", RELAY_ONLY)]

    def told(self, player, session, authority="c", ice=ICE):
        """
        What one player is told.
        """
        publication = Publication(session, self.seats, authority, GENERATION)
        (recipient,) = (each for each in self.seats if each.id == player)
        message = publication.told_to(recipient, ice)
        self.assertEqual((GENERATION, "relay"), (message.generation, message.fallback))
        return message

    def peers(self, player, session, **details):
        """
        The peers of one player: * marks the authority, ! who begins.
        """
        for peer in self.told(player, session, **details).peers:
            self.assertEqual(peer.player_name, peer.player_id.upper())
        return [
            peer.player_id + "*" * peer.is_authority + "!" * peer.initiate
            for peer in self.told(player, session, **details).peers
        ]

    def test_mesh(self):
        """
        In a mesh everybody connects to everybody, and the smaller id begins.
        """
        mesh = Session(MESH, WEBRTC)
        for player, peers in (
            ("a", ["b!", "c*!"]),
            ("b", ["a", "c*!"]),
            ("c", ["b", "a"]),
            ("d", []),
        ):
            self.assertEqual(peers, self.peers(player, mesh))
        self.assertEqual(["b!", "c!"], self.peers("a", mesh, authority=None))

    def test_host(self):
        """
        In a host session everybody connects to the host, who is marked and waits.
        """
        for transport, player in product((WEBRTC, DIRECT), "bc"):
            self.assertEqual(["a*!"], self.peers(player, Session(HOST, transport, "a")))
        self.assertEqual(["b", "c"], self.peers("a", Session(HOST, WEBRTC, "a")))
        self.assertEqual([], self.peers("d", Session(HOST, WEBRTC, "a")))

    def test_relay(self):
        """
        Over the relay nobody connects to anybody.
        """
        for player in "abcd":
            message = self.told(player, None)
            self.assertEqual((RELAY, Transport.RELAY), (message.topology, message.transport))
            self.assertEqual(((), UNSET, UNSET, UNSET), self.rest(message))

    def rest(self, message):
        """
        Peers, host, endpoint and ICE servers of a plan.
        """
        return message.peers, message.host, message.direct_endpoint, message.ice_servers

    def test_fields(self):
        """
        Host, endpoint and ICE servers are there exactly where they mean something.
        """
        here = DirectEndpoint(host="192.0.2.7", port=7777)
        for session, player, *expected in (
            (Session(MESH, WEBRTC), "a", UNSET, UNSET, ICE),
            (Session(MESH, WEBRTC), "d", UNSET, UNSET, UNSET),
            (Session(HOST, WEBRTC, "a"), "a", "a", UNSET, ICE),
            (Session(HOST, WEBRTC, "a"), "b", "a", UNSET, ICE),
            (Session(HOST, WEBRTC, "a"), "d", "a", UNSET, UNSET),
            (Session(HOST, DIRECT, "a"), "a", "a", here, UNSET),
            (Session(HOST, DIRECT, "a"), "b", "a", here, UNSET),
            (Session(HOST, DIRECT, "a"), "d", "a", here, UNSET),
        ):
            message = self.told(player, session)
            self.assertEqual(expected, list(self.rest(message)[1:]), (session, player))
            self.assertEqual(
                (session.topology, session.transport), (message.topology, message.transport)
            )

    def test_no_ice_servers(self):
        """
        If there are no ICE servers, there is no empty list of them.
        """
        self.assertIs(UNSET, self.told("a", Session(MESH, WEBRTC), ice=()).ice_servers)


ids = st.uuids().map(str)
abilities = st.builds(
    Capabilities,
    st.sets(st.sampled_from([DIRECT, WEBRTC])).map(RELAY_ONLY.transports.union),
    st.sets(st.sampled_from([HOST, MESH])).map(RELAY_ONLY.topologies.union),
)
rooms = st.lists(
    st.builds(
        seat,
        ids,
        st.just(ALL) | abilities,
        st.sampled_from([UNSET, HERE, HERE, NOWHERE]),
        st.sampled_from([V3, V3, V3, V2]),
        st.sampled_from("123"),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda each: each.id,
)


RANKS = [RELAY, HOST, MESH]
FORMS = {
    (RELAY, Transport.RELAY): set(),
    (HOST, DIRECT): {"host", "direct_endpoint"},
    (HOST, WEBRTC): {"host", "ice_servers"},
    (MESH, WEBRTC): {"ice_servers"},
}


def runs(each, topology, transport):
    """
    Whether somebody can run such a session.
    """
    can = each.capabilities
    return each.link.form is V3 and topology in can.topologies and transport in can.transports


class LawTests(SynchronousTestCase):
    """
    What is true of all plans.
    """

    @examples(400)
    @given(
        rooms,
        st.integers(1, 8),
        st.sampled_from(RANKS),
        st.sets(st.sampled_from([DIRECT, WEBRTC])),
    )
    def test_laws(self, everybody, first, desired, transports):
        """
        Whoever is there, at the start or later, plans have a known form and fit each other.
        """
        seats = everybody[:first]
        authority = seats[0].id
        session = plan.choose(desired, transports, seats, authority)
        rungs = [rung for rung in FORMS if self.fits(rung, seats, desired, transports)]
        chosen = session or Session(RELAY, Transport.RELAY)
        self.assertEqual(rungs[-1], (chosen.topology, chosen.transport))
        for present in (seats, everybody, everybody[1:]):
            if session is not None and session.topology is HOST:
                session = plan.with_host(session, present, authority)
            publication = Publication(session, present, authority, GENERATION)
            plans = {each.id: publication.told_to(each, ICE) for each in present}
            for each in present:
                self.check(each, plans, authority)

    def fits(self, rung, seats, desired, transports):
        """
        Whether a session is wanted, everybody can run it, and somebody can be its host.
        """
        topology, transport = rung
        if topology is RELAY:
            return True
        return (
            RANKS.index(topology) <= RANKS.index(desired)
            and transport in transports
            and all(runs(each, topology, transport) for each in seats)
            and (transport is WEBRTC or any(each.connection_info == HERE for each in seats))
        )

    def check(self, me, plans, authority):
        """
        One plan has a known form, and those of its peers agree with it.
        """
        mine = plans[me.id]
        form = FORMS[mine.topology, mine.transport]
        if not runs(me, mine.topology, mine.transport):
            form = form - {"ice_servers"}
            self.assertEqual((), mine.peers)
        optional = ("host", "direct_endpoint", "ice_servers")
        self.assertEqual(form, {name for name in optional if getattr(mine, name) is not UNSET})
        if mine.topology is HOST:
            self.assertIn(mine.host, plans)
        peers = {peer.player_id: peer for peer in mine.peers}
        self.assertEqual(len(mine.peers), len(peers))
        self.assertNotIn(me.id, peers)
        for player, peer in peers.items():
            (back,) = (other for other in plans[player].peers if other.player_id == me.id)
            self.assertNotEqual(back.initiate, peer.initiate)
            marked = mine.host if mine.topology is HOST else authority
            self.assertEqual(player == marked, peer.is_authority)
            self.assertTrue(mine.topology is MESH or mine.host in (me.id, player))
