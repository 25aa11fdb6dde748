"""
Tests for signalfish.net.light and signalfish.net.quiet, which know Autobahn from inside.
"""

import gc
import sys
import weakref

from autobahn.websocket import protocol
from twisted.trial.unittest import SynchronousTestCase

from signalfish.net import light, quiet
from signalfish.wire.errors import CloseCode
from signalfish.wire.outgoing import Notice
from signalfish.wire.server import Pong
from tests.fakes import V3
from tests.net.fakes import Server

MOST_OWN = 22  # attributes of a connection whose client has spoken


class LightTests(SynchronousTestCase):
    """
    What a connection keeps.
    """

    def setUp(self):
        """
        A connection whose handshake is done.
        """
        self.server = Server()
        self.client, self.receiver = self.server.open()
        self.link = self.receiver.link

    def test_known_attributes(self):
        """
        What is forgotten or shared are attributes that Autobahn gives each connection.
        """
        self.assertEqual(set(), {*light.USUAL} - {*vars(self.link)})

    def test_usual_values(self):
        """
        What is shared by all connections is as Autobahn sets it for each.
        """
        for name, value in light.USUAL.items():
            if name not in (*light.HANDSHAKE, "trafficStats", "send_queue"):
                self.assertEqual(value, vars(self.link)[name], name)

    def test_options(self):
        """
        No option is copied into a connection.
        """
        self.assertEqual(
            set(), {*vars(self.link)} & {*protocol.WebSocketServerProtocol.CONFIG_ATTRS}
        )
        self.assertEqual(2 * 65536, self.link.maxFramePayloadSize)
        self.assertEqual(1000, Server(max_message_size=500).open()[1].link.maxFramePayloadSize)

    def test_lightened(self):
        """
        A connection keeps little of its own, and works as before.
        """
        before = dict(vars(self.link))
        light.lighten(self.link)
        self.assertLess(len(vars(self.link)), MOST_OWN)
        self.assertLess(sys.getsizeof(vars(self.link)), sys.getsizeof(before) / 3)
        for name, value in before.items():
            if name not in (*light.HANDSHAKE, "trafficStats", "send_queue"):
                self.assertIs(value, getattr(self.link, name), name)
        self.client.say("Ping")
        self.client.send(9, b"ping")
        self.assertEqual(1, len(self.receiver.messages))
        self.assertEqual([10], [frame.opcode for frame in self.client.frames()])
        self.client.send(0, b"")
        self.assertEqual(1002, self.client.closed()[0])

    def test_closing(self):
        """
        The closing handshake works on a light connection.
        """
        light.lighten(self.link)
        self.client.send(8, b"\x03\xe8bye")
        self.assertEqual((1000, "bye"), self.client.closed())
        self.server.pass_time(2)
        self.assertIsNotNone(self.client.socket.lost)
        self.assertIn("closed", self.receiver.events)


class EndTests(SynchronousTestCase):
    """
    What is left of a connection that has ended.
    """

    def test_freed(self):
        """
        It is freed at once, without the garbage collector, whoever ended it.
        """
        gc.disable()
        self.addCleanup(gc.enable)
        for end in (
            lambda client, link: client.socket.cut(),
            lambda client, link: client.send(8, b"\x03\xe8"),
            lambda client, link: client.send(0, b""),
            lambda client, link: link.close(CloseCode.NORMAL, "bye"),
        ):
            server = Server()
            client, receiver = server.open()
            receiver.link.form = V3
            receiver.link.settle(receiver.closed)
            receiver.link.deliver(Notice(Pong()))
            client.heard()
            gone = weakref.ref(receiver.link)
            end(client, receiver.link)
            server.pass_time(2)
            receiver.link = None
            self.assertIsNone(gone(), gc.get_referrers(gone()))


class QuietTests(SynchronousTestCase):
    """
    Texts for the debug log of Autobahn.
    """

    def test_names(self):
        """
        The functions that make them are still called so.
        """
        quiet.make_lazily()
        for name in quiet.NAMES:
            self.assertTrue(hasattr(getattr(protocol, name), "eager"), name)

    def test_same_text(self):
        """
        Whoever reads the texts finds what would be there otherwise.
        """
        quiet.make_lazily()
        for name, argument in (
            ("hlval", 7),
            ("hltype", self.test_names),
            ("pformat", [1, {"a": 2}]),
        ):
            lazily = getattr(protocol, name)
            self.assertEqual(lazily.eager(argument), str(lazily(argument)))
            self.assertEqual(lazily.eager(argument), f"{lazily(argument)}")

    def test_again(self):
        """
        Doing it again changes nothing.
        """
        quiet.make_lazily()
        before = protocol.hlval
        quiet.make_lazily()
        self.assertIs(before, protocol.hlval)
