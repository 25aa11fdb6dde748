"""
Tests for signalfish.rooms.signals.
"""

from itertools import product

from msgspec import Raw

from signalfish.rooms import closing, signals
from signalfish.rooms.rules import StartRule
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.plans import Signal
from signalfish.wire.types import RELAY_ONLY, Capabilities, Transport
from tests.fakes import V2, V3
from tests.rooms.scene import ALL, Scene, SceneTestCase

GENERATION = "5b0d7a90-6c1f-4f0e-9d0b-b7f0a1c4e882"
NOBODY = "00000000-0000-4000-8000-000000000000"
DIRECT_ONLY = Capabilities(frozenset({Transport.RELAY, Transport.DIRECT}), ALL.topologies)
UNSPOKEN = "WebRTC transport was not negotiated for this connection"
UNHEARD = "Signal target does not support WebRTC signaling"


class SignalTests(SceneTestCase):
    """
    Signals from one player to another.
    """

    def setUp(self):
        """
        Two rooms: one with all sorts of clients, and one more.
        """
        self.scene, self.other = Scene(5, StartRule.EXPLICIT), Scene(2)
        self.other.mint = self.scene.mint
        self.other.room.players = self.scene.room.players
        self.ann, self.bea = (self.scene.join(name, V3, able=ALL) for name in ("Ann", "Bea"))
        self.cem = self.scene.join("Cem", V3, able=DIRECT_ONLY)
        self.dan = self.scene.join("Dan", V2)
        self.sam = self.scene.watch("Sam", V3)
        self.eva = self.other.join("Eva", V3, able=ALL)
        self.scene.hush()
        self.other.hush()

    def send(self, guest, target, raw=b'{"Offer": 1E2}'):
        """
        Somebody sends a signal.
        """
        signal = Signal(sender=guest.id, generation=GENERATION, signal=Raw(raw))
        signals.relay(self.scene.room, guest.place, target, signal)

    def refusal(self, guest, target):
        """
        The code and the text with which a signal is refused; nobody hears of it.
        """
        refusal = self.assertRaises(Refusal, self.send, guest, target)
        self.assert_all_heard([*self.scene.guests, self.eva])
        return refusal.code, refusal.text

    def test_delivered(self):
        """
        A signal reaches its target and nobody else.
        """
        self.send(self.ann, self.bea.id)
        (told,) = self.bea.take()
        data = {"from": self.ann.id, "generation": GENERATION, "signal": {"Offer": 100.0}}
        self.assertEqual(("Signal", data), told)
        self.assert_all_heard([self.ann, self.cem, self.dan, self.sam, self.eva])

    def test_any_state(self):
        """
        Whether there is a plan does not matter.
        """
        for _ in range(2):
            self.send(self.bea, self.ann.id, b"[]")
            self.assert_heard(self.ann, "Signal Bea []")
            if self.scene.room.session is None:
                self.scene.leave(self.cem)
                self.scene.leave(self.dan)
                self.scene.toggle(self.ann, self.bea)
                self.scene.start(self.ann)
                self.scene.hush()

    def test_refusals(self):
        """
        Each mistake has a code and a text.
        """
        unknown = ErrorCode.SIGNAL_TARGET_NOT_FOUND
        for guest, target, *expected in (
            (self.ann, self.ann.id, unknown, "Cannot signal yourself"),
            (self.ann, NOBODY, unknown, "Signal target is not in any room"),
            (self.ann, self.sam.id, unknown, "Signal target is not in any room"),
            (
                self.ann,
                self.eva.id,
                ErrorCode.CROSS_ROOM_SIGNAL,
                "Cannot signal a peer in a different room",
            ),
            (self.cem, self.ann.id, ErrorCode.UNSUPPORTED_TRANSPORT, UNSPOKEN),
            (self.dan, self.ann.id, ErrorCode.UNSUPPORTED_TRANSPORT, UNSPOKEN),
            (self.ann, self.cem.id, unknown, UNHEARD),
            (self.ann, self.dan.id, unknown, UNHEARD),
        ):
            self.assertEqual(tuple(expected), self.refusal(guest, target), (guest, target))

    def test_gone_for_good(self):
        """
        Who has left, was lost, or sat in a room that was closed, is in no room.
        """
        other = self.other.join("Fay", V3, able=ALL)
        self.other.lose(self.eva)
        self.other.leave(other)
        gus = self.other.join("Gus", V3, able=ALL)
        closing.close(self.other.room)
        self.eva.take()
        self.scene.hush()
        for gone in (self.eva, other, gus):
            code, _ = self.refusal(self.ann, gone.id)
            self.assertIs(ErrorCode.SIGNAL_TARGET_NOT_FOUND, code, gone)

    def test_order(self):
        """
        Of several mistakes, the first is told: the target's place comes before any transport.
        """
        for guest in (self.cem, self.dan):
            for target, text in (
                (guest.id, "Cannot signal yourself"),
                (NOBODY, "Signal target is not in any room"),
                (self.eva.id, "Cannot signal a peer in a different room"),
                (self.cem.id if guest is self.dan else self.dan.id, UNSPOKEN),
            ):
                self.assertEqual(text, self.refusal(guest, target)[1])

    def test_gone(self):
        """
        A player who has left or was lost cannot be reached, until it is back.
        """
        self.scene.lose(self.bea)
        self.scene.hush()
        text = "Signal target is not in any room"
        self.assertEqual(text, self.refusal(self.ann, self.bea.id)[1])
        bea = self.scene.come_back(self.bea, V3, able=ALL)
        self.scene.hush()
        self.send(self.ann, bea.id, b"1")
        self.assert_heard(bea, "Signal Ann 1")
        self.scene.lose(bea)
        self.scene.come_back(bea, V3, able=DIRECT_ONLY)
        self.scene.hush()
        self.assertEqual(UNHEARD, self.refusal(self.ann, bea.id)[1])


class ReportTests(SceneTestCase):
    """
    Reports about transports.
    """

    def setUp(self):
        """
        A room with all sorts of clients.
        """
        self.scene = Scene(5, StartRule.EXPLICIT)
        self.ann, self.bea = (self.scene.join(name, V3, able=ALL) for name in ("Ann", "Bea"))
        self.cem = self.scene.join("Cem", V3)
        self.dan = self.scene.join("Dan", V2)
        self.sam = self.scene.watch("Sam", V3)
        self.scene.hush()

    def report(self, guest, transport, connected):
        """
        Somebody reports.
        """
        signals.report(self.scene.room, guest.place, transport, connected)

    def test_told(self):
        """
        All other players who understand it are told, whatever they can do, and no spectators.
        """
        self.report(self.ann, Transport.WEBRTC, True)
        self.assert_all_heard([self.bea, self.cem], "PeerTransportStatus Ann webrtc up")
        self.assert_all_heard([self.ann, self.dan, self.sam])

    def test_every_transport(self):
        """
        Each transport that was negotiated can be reported, the relay included.
        """
        for transport, connected in product(Transport, (True, False)):
            self.report(self.ann, transport, connected)
            state = "up" if connected else "down"
            self.assert_heard(self.bea, f"PeerTransportStatus Ann {transport.value} {state}")

    def test_not_negotiated(self):
        """
        What was not negotiated is not passed on.
        """
        for guest in (self.cem, self.dan):
            for transport in (Transport.DIRECT, Transport.WEBRTC):
                self.report(guest, transport, True)
        self.report(self.dan, Transport.RELAY, True)
        self.assert_all_heard(self.scene.guests)

    def test_news_only(self):
        """
        The same is told once, until the opposite was told.
        """
        heard = []
        for connected in (True, True, False, False, True, True, False):
            self.report(self.ann, Transport.WEBRTC, connected)
            self.report(self.ann, Transport.DIRECT, True)
            heard.append([told.data["connected"] for told in self.bea.take()])
        self.assertEqual([[True, True], [], [False], [], [True], [], [False]], heard)

    def test_each_membership(self):
        """
        Who is back tells everything anew, and so does everybody for itself.
        """
        self.report(self.ann, Transport.WEBRTC, True)
        self.report(self.bea, Transport.WEBRTC, True)
        self.scene.lose(self.ann)
        ann = self.scene.come_back(self.ann, V3, able=ALL)
        self.scene.hush()
        self.report(ann, Transport.WEBRTC, True)
        self.assert_heard(self.bea, "PeerTransportStatus Ann webrtc up")
        self.assert_heard(self.cem, "PeerTransportStatus Ann webrtc up")

    def test_relay_only(self):
        """
        A client that can do nothing else can report of the relay.
        """
        self.assertEqual(RELAY_ONLY, self.cem.place.capabilities)
        self.report(self.cem, Transport.RELAY, False)
        self.assert_heard(self.ann, "PeerTransportStatus Cem relay down")
