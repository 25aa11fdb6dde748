"""
Tests for signalfish.net.protocol, by real frames through the real web site.
"""

import gc
import weakref

import msgpack
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from websockets.frames import Close, Frame, Opcode

from signalfish.net.liveness import ACTIVE, ANSWERED, SILENT
from signalfish.net.outbox import OutboxLimits
from signalfish.wire.client import Authenticate, BinaryGameData, JoinRoom, Ping
from signalfish.wire.errors import CloseCode, ErrorCode, Refusal
from signalfish.wire.gamedata import BinaryData, Origin
from signalfish.wire.outgoing import Notice, Undeliverable, encode
from signalfish.wire.server import Error, Pong
from signalfish.wire.types import SLOTS, Encoding, Form
from tests.fakes import V3, Told
from tests.net.fakes import Server, Socket, frame, said

PONG = Notice(Pong())
LAST = Notice(Error(message="so long", error_code=ErrorCode.INVALID_INPUT))
JOIN = {"game_name": "g", "player_name": "p"}
SENDER = "00000000-0000-4000-8000-000000000001"


class BugError(Exception):
    """
    Something that is wrong with the server.
    """


def fail(*_arguments):
    """
    Raise a bug.
    """
    raise BugError


def refuse(refusal):
    """
    Something to do with messages: refuse them all.
    """

    def act(message):
        raise refusal

    return act


class Untellable:
    """
    Something that no client can be told.
    """

    source = None
    kind = None
    frames = (None,) * SLOTS

    def __init__(self, sender="sender"):
        self.sender = sender

    def frame(self, form):
        """
        Say so.
        """
        raise Undeliverable(self.sender, "cannot be told")


class HandshakeTests(SynchronousTestCase):
    """
    A connection on its way from HTTP to WebSocket.
    """

    def setUp(self):
        """
        A server.
        """
        self.server = Server()

    def test_no_delay(self):
        """
        Nagle's algorithm is off on the socket of a connection.
        """
        client, _ = self.server.open()
        self.assertIs(True, client.socket.getTcpNoDelay())

    def test_send_buffer(self):
        """
        The kernel is asked for a send buffer of the configured size.
        """
        client, _ = Server(send_buffer=4096).open()
        self.assertEqual([4096], [size for _, _, size in client.socket.handle.options])

    def test_send_buffer_of_the_system(self):
        """
        A send buffer size of 0 leaves the socket as it is.
        """
        client, _ = Server(send_buffer=0).open()
        self.assertEqual([], client.socket.handle.options)

    def test_request_id(self):
        """
        Each response to a handshake has an id of its own, and says how it went.
        """
        ids = set()
        for _ in range(3):
            client, _ = self.server.open()
            head = client.socket.sent.partition(b"\r\n\r\n")[0].decode()
            headers = dict(line.split(": ") for line in head.split("\r\n")[1:])
            self.assertEqual("accepted", headers["x-signal-fish-upgrade-outcome"])
            ids.add(headers["x-signal-fish-request-id"])
        self.assertEqual(3, len(ids))

    def test_no_extension(self):
        """
        An offer of compression is declined, so that one frame fits all recipients.
        """
        status, headers, _ = self.server.plain().request(
            "/v2/ws",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Extensions: permessage-deflate",
            "Sec-WebSocket-Protocol: game",
        )
        self.assertEqual("HTTP/1.1 101 Switching Protocols", status)
        self.assertNotIn("sec-websocket-extensions", headers)
        self.assertNotIn("sec-websocket-protocol", headers)

    def test_nothing_is_said_first(self):
        """
        The server does not speak before the client does.
        """
        client, receiver = self.server.open()
        self.assertEqual([], client.frames())
        self.assertEqual([], receiver.events)

    def test_connect(self):
        """
        The conversation is told the address and the path of the connection.
        """
        _, receiver = self.server.open("/ws?room=1", host="192.0.2.77")
        self.assertEqual(("192.0.2.77", "/ws"), (receiver.address, receiver.path))

    def test_ipv6_address(self):
        """
        The address of an IPv6 connection is its network.
        """
        _, receiver = self.server.open(host="2001:db8::77")
        self.assertEqual("2001:db8::/64", receiver.address)

    def test_channel_is_let_go(self):
        """
        After the handshake nothing of the HTTP request is kept.
        """
        requests = []
        site = self.server.site.wrappedFactory
        make = site.requestFactory

        def tracked(*arguments, **options):
            request = make(*arguments, **options)
            requests.append(weakref.ref(request))
            return request

        site.requestFactory = tracked
        client = self.server.plain()
        web = client.socket.protocol.wrappedProtocol
        kept = [weakref.ref(web)]
        del web
        client.upgrade()
        gc.collect()
        self.assertEqual(1, len(requests))
        self.assertEqual([None] * 2, [reference() for reference in kept + requests])

    def test_producer(self):
        """
        After the handshake the queue of the connection is the producer of the transport.
        """
        client, receiver = self.server.open()
        self.assertIs(receiver.link._outbox, client.socket.producer)
        self.assertTrue(client.socket.streamingProducer)

    def test_http_timeout(self):
        """
        The time limit of HTTP requests does not end a WebSocket.
        """
        client, _ = self.server.open()
        self.server.pass_time(200)
        self.assertIsNone(client.socket.lost)
        self.assertEqual([], client.frames())

    def test_early_data(self):
        """
        A client that does not wait for the answer to its handshake hurts nobody.
        """
        key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        head = b"GET /v2/ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        head += key + b"Sec-WebSocket-Version: 13\r\n\r\n"
        hasty = self.server.plain()
        hasty.exchange(head + frame(Opcode.TEXT, said("Ping")) * 5000)
        hasty.frames()
        client, receiver = self.server.open()
        client.say("Ping")
        self.assertEqual([Ping()], receiver.messages)

    def test_split_handshake(self):
        """
        A handshake may come byte by byte.
        """
        client = self.server.plain()
        lines = (
            "GET /v2/ws HTTP/1.1",
            "Host: a",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            "",
            "",
        )
        for byte in "\r\n".join(lines).encode():
            client.socket.receive(bytes([byte]))
        self.assertEqual(1, len(self.server.receivers))
        self.assertIn(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", client.socket.sent)

    def test_bug_in_the_beginning(self):
        """
        If no conversation can be made the client is told 1011, and it was no connection.
        """
        server = Server(receiver=fail)
        client = server.plain().upgrade()
        self.assertEqual((1011, "internal_error"), client.closed())
        server.pass_time(3)
        self.assertIsNotNone(client.socket.lost)
        self.assertEqual(0, server.factory.traffic.connections)
        self.assertEqual(0, server.factory.traffic.disconnections)
        self.assertEqual(set(), server.factory.connections)
        self.assertEqual(1, len(self.flushLoggedErrors(BugError)))

    def test_count(self):
        """
        A connection counts from its handshake to its end.
        """
        self.server.plain()
        client, _ = self.server.open()
        self.server.open()
        self.assertEqual(2, self.server.factory.traffic.active)
        client.socket.cut()
        traffic = self.server.factory.traffic
        self.assertEqual((2, 1, 1), (traffic.connections, traffic.disconnections, traffic.active))


class MessageTests(SynchronousTestCase):
    """
    What becomes of what a client sends.
    """

    def setUp(self):
        """
        An open connection, and another one.
        """
        self.server = Server(max_message_size=1000)
        self.client, self.receiver = self.server.open()
        self.bystander, self.other = self.server.open()

    def assert_bystander_is_well(self):
        """
        The other connection works, and was told nothing.
        """
        self.assertEqual([], self.bystander.frames())
        self.bystander.say("Ping")
        self.assertEqual([Ping()], self.other.messages)
        self.other.link.deliver(PONG)
        self.assertEqual([Told("Pong")], self.bystander.heard())

    def test_text(self):
        """
        A text message is given to the conversation as a typed message.
        """
        self.client.say("Ping")
        self.assertEqual([Ping()], self.receiver.events)

    def test_binary(self):
        """
        A binary message is given to the conversation as game data, byte for byte.
        """
        self.client.send(Opcode.BINARY, b"\x00\xff{")
        self.assertEqual([BinaryGameData(b"\x00\xff{")], self.receiver.events)

    def test_many_in_one_segment(self):
        """
        Several messages may come at once.
        """
        self.client.socket.receive(frame(Opcode.TEXT, said("Ping")) * 3)
        self.assertEqual([Ping()] * 3, self.receiver.events)

    def test_fragments(self):
        """
        A message may come in several frames, which count like others, with control frames between.
        """
        text = said("Ping")
        self.client.send(Opcode.TEXT, text[:5], fin=False)
        self.client.send(Opcode.PING, b"x")
        self.client.send(Opcode.CONT, b"", fin=False)
        self.client.send(Opcode.CONT, text[5:])
        self.assertEqual(["control_frame"] * 3 + [Ping()], self.receiver.events)

    def test_received_are_counted(self):
        """
        Every complete message counts as received.
        """
        self.client.say("Ping")
        self.client.text(b"{")
        self.assertEqual(2, self.server.factory.traffic.messages_received)

    def test_deliver(self):
        """
        What is delivered reaches the client in order, in its form, and is counted.
        """
        self.receiver.link.deliver(PONG)
        self.receiver.link.deliver(LAST)
        self.assertEqual(["Pong", "Error"], [told.type for told in self.client.heard()])
        self.assertEqual(2, self.server.factory.traffic.messages_sent)

    def test_form(self):
        """
        What is delivered is encoded for the form of the connection.
        """
        forms = []

        class Spy:
            """
            Remembers for whom it was encoded.
            """

            source = None
            kind = None
            frames = (None,) * SLOTS

            def frame(self, form):
                """
                Remember, and be something valid.
                """
                forms.append(form)
                return PONG.frame(form)

        self.receiver.link.deliver(Spy())
        self.receiver.link.form = Form(3, Encoding.MESSAGE_PACK)
        self.receiver.link.deliver(Spy())
        self.client.heard()
        self.assertEqual([Form(2, Encoding.JSON), Form(3, Encoding.MESSAGE_PACK)], forms)

    def test_malformed(self):
        """
        A malformed message is answered, reported, and changes nothing.
        """
        self.client.text(b"{")
        [told] = self.client.heard()
        self.assertEqual(("Error", "INVALID_INPUT"), (told.type, told.data["error_code"]))
        self.assertEqual([("refused", None)], self.receiver.events)
        self.client.say("Ping")
        self.assertEqual([Ping()], self.receiver.messages)

    def test_refused_in_kind(self):
        """
        A refusal is answered by the failure reply of the message, and reported.
        """
        self.receiver.act = refuse(Refusal(ErrorCode.ROOM_FULL, "Room is full"))
        self.client.say("JoinRoom", JOIN)
        reply = Told("RoomJoinFailed", {"reason": "Room is full", "error_code": "ROOM_FULL"})
        self.assertEqual([reply], self.client.heard())
        joined, refused = self.receiver.events
        self.assertIsInstance(joined, JoinRoom)
        self.assertEqual(("refused", joined), refused)
        self.assertIsNone(self.client.close)

    def test_older_code(self):
        """
        A client that used no newer feature is told an older code in place of a newer one.
        """
        self.receiver.act = refuse(Refusal(ErrorCode.PASSWORD_REQUIRED, "sealed"))
        self.client.say("JoinRoom", JOIN)
        self.receiver.link.newer_codes = True
        self.client.say("JoinRoom", JOIN)
        codes = [told.data["error_code"] for told in self.client.heard()]
        self.assertEqual(["ROOM_NOT_FOUND", "PASSWORD_REQUIRED"], codes)

    def test_refusal_that_closes(self):
        """
        A refusal that ends the connection is answered first, and then nothing more is heard.
        """
        refusal = Refusal(ErrorCode.INVALID_APP_ID, "bad").closing(CloseCode.NORMAL, "unregistered")
        self.receiver.act = refuse(refusal)
        self.client.say("Authenticate", {"app_id": "x"})
        reply = Told("AuthenticationError", {"error": "bad", "error_code": "INVALID_APP_ID"})
        self.assertEqual([reply], self.client.heard())
        self.assertEqual((1000, "unregistered"), self.client.closed())
        self.client.say("Ping")
        [message] = self.receiver.messages
        self.assertIsInstance(message, Authenticate)

    def test_bug(self):
        """
        A bug is logged once and ends its connection with 1011, and no other.
        """
        self.receiver.act = fail
        self.client.say("Ping")
        self.assertEqual(1, len(self.flushLoggedErrors(BugError)))
        self.assertEqual((1011, "internal_error"), self.client.closed())
        self.client.say("Ping")
        self.assertEqual(1, len(self.receiver.messages))
        self.assertEqual([], self.flushLoggedErrors())
        self.assert_bystander_is_well()

    def test_bug_in_the_end(self):
        """
        A bug in what happens at the end of a connection is logged once and hurts no other.
        """
        self.receiver.closed = fail
        self.client.socket.cut()
        self.assertEqual(1, len(self.flushLoggedErrors(BugError)))
        self.assertEqual({self.other.link}, self.server.factory.connections)
        self.assert_bystander_is_well()

    def test_bug_in_bookkeeping(self):
        """
        A bug in what happens after a refusal or at a ping ends its connection with 1011.
        """
        for event, message in (
            ("refused", frame(Opcode.TEXT, b"{")),
            ("control_frame", frame(Opcode.PING, b"")),
            ("control_frame", frame(Opcode.PONG, b"")),
        ):
            client, receiver = self.server.open()
            setattr(receiver, event, fail)
            client.socket.receive(message)
            self.assertEqual(1, len(self.flushLoggedErrors(BugError)))
            self.assertEqual((1011, "internal_error"), client.closed())
        self.assert_bystander_is_well()

    def test_bad_utf8(self):
        """
        Text that is not UTF-8 ends the connection with 1007, wherever it is.
        """
        for payload in (
            b"\xff",
            b'{"type":"Ping","data":{"x":"\xc3\x28"}}',
            b'{"type":"GameData","data":{"data":"\xed\xa0\x80"}}',
            b'{"type":"GameData","data":{"data":"\xc3',
        ):
            client, receiver = self.server.open()
            client.text(payload)
            self.assertEqual((1007, "invalid_utf8"), client.closed(), payload)
            self.assertEqual([], receiver.messages)

    def test_bad_utf8_in_two_frames(self):
        """
        A character may be divided between frames, but must be completed.
        """
        text = '{"type":"Ping","data":{"x":"ü"}}'.encode()
        middle = text.index(b"\xbc")
        self.client.send(Opcode.TEXT, text[:middle], fin=False)
        self.client.send(Opcode.CONT, text[middle:])
        self.assertEqual(1, len(self.receiver.messages))
        self.client.send(Opcode.TEXT, text[:middle], fin=False)
        self.client.send(Opcode.CONT, b'"}}')
        self.assertEqual((1007, "invalid_utf8"), self.client.closed())

    def test_bytes_that_are_no_text(self):
        """
        A binary message need not be UTF-8.
        """
        self.client.send(Opcode.BINARY, b"\xff\xfe")
        self.assertIsNone(self.client.closed())

    def test_too_large_notice(self):
        """
        A message that is too large for clients is not sent, and ends the connection.
        """
        for excess, close in ((0, None), (1, (1009, "outbound_message_too_large"))):
            server = Server(max_outbound_message_size=1000)
            client, receiver = server.open()
            empty = len(encode(Error(message="", error_code=ErrorCode.KICKED), 2))
            text = "x" * (1000 - empty + excess)
            receiver.link.deliver(Notice(Error(message=text, error_code=ErrorCode.KICKED)))
            self.assertEqual(1 - excess, len(client.heard()))
            self.assertEqual(close, client.closed())

    def test_too_large_game_data(self):
        """
        Game data that is too large once it is converted is left out, with an explanation.
        """
        server = Server(max_outbound_message_size=1000)
        client, receiver = server.open()
        receiver.link.form = V3
        origin = Origin(SENDER, 1, receiver.link)
        payload = msgpack.packb("\x01" * 200)
        receiver.link.deliver(BinaryData(origin, 1, payload, Encoding.MESSAGE_PACK))
        report, error = client.heard()
        [gap] = report.data["gaps"]
        self.assertEqual(
            (1, 1, "unsupported_format"), (gap["from_seq"], gap["to_seq"], gap["reason"])
        )
        self.assertEqual("UNSUPPORTED_GAME_DATA_FORMAT", error.data["error_code"])
        self.assertIn(SENDER, error.data["message"])
        self.assertIsNone(client.closed())

    def test_undeliverable(self):
        """
        The client is told about what it cannot be told, once per second and sender.
        """
        link = self.receiver.link
        for _ in range(3):
            link.deliver(Untellable())
        link.deliver(Untellable("another"))
        texts = [told.data["message"] for told in self.client.heard()]
        self.assertEqual(["cannot be told"] * 2, texts)
        self.server.reactor.advance(1)
        link.deliver(Untellable())
        [told] = self.client.heard()
        self.assertEqual("UNSUPPORTED_GAME_DATA_FORMAT", told.data["error_code"])
        self.assertIn("2 similar advisories suppressed", told.data["message"])


class SizeTests(SynchronousTestCase):
    """
    The limits of what is read, here 1000 bytes.
    """

    def setUp(self):
        """
        An open connection.
        """
        self.server = Server(max_message_size=1000)
        self.client, self.receiver = self.server.open()

    def text_of(self, size):
        """
        A valid message of this many bytes.
        """
        text = said("Ping", {"x": ""})
        return text[:-3] + b"x" * (size - len(text)) + text[-3:]

    def test_at_the_limit(self):
        """
        Messages of exactly the limit are accepted.
        """
        self.client.text(self.text_of(1000))
        self.client.send(Opcode.BINARY, bytes(1000))
        self.assertEqual([Ping, BinaryGameData], [type(m) for m in self.receiver.messages])
        self.assertEqual([], self.client.frames())

    def test_over_the_limit(self):
        """
        Messages over the limit and up to twice its size are refused, and the connection lives on.
        """
        for size in (1001, 2000):
            self.client.text(self.text_of(size))
            text = f"Message too large ({size} bytes, max 1000 bytes)"
            error = Told("Error", {"message": text, "error_code": "MESSAGE_TOO_LARGE"})
            self.assertEqual([error], self.client.heard())
            self.client.send(Opcode.BINARY, bytes(size))
            text = "Binary payload exceeded maximum size (1000 bytes)"
            error = Told("Error", {"message": text, "error_code": "MESSAGE_TOO_LARGE"})
            self.assertEqual([error], self.client.heard())
        self.assertEqual([], self.receiver.messages)
        self.client.say("Ping")
        self.assertEqual([Ping()], self.receiver.messages)

    def test_over_twice_the_limit(self):
        """
        A frame over twice the limit ends the connection when only its header has come.
        """
        self.client.socket.receive(frame(Opcode.TEXT, self.text_of(2001))[:8])
        self.assertEqual(1009, self.client.closed()[0])
        self.assertEqual([], self.receiver.messages)

    def test_huge(self):
        """
        A frame that announces an exabyte ends the connection at once.
        """
        self.client.socket.receive(b"\x82\xff\x0f" + bytes(7) + b"mask")
        self.assertEqual(1009, self.client.closed()[0])

    def test_fragments(self):
        """
        The frames of one message count together, and nothing is kept of what is too much.
        """
        self.client.send(Opcode.TEXT, bytes(1000), fin=False)
        self.client.send(Opcode.CONT, bytes(1000), fin=False)
        self.assertIsNone(self.client.closed())
        self.client.socket.receive(frame(Opcode.CONT, b"x")[:6])
        self.assertEqual(1009, self.client.closed()[0])

    def test_fragments_after_the_end(self):
        """
        Of what a client still sends after that nothing is kept.
        """
        self.client.socket.receive(frame(Opcode.TEXT, bytes(2001))[:8])
        link = self.receiver.link
        for _ in range(100):
            self.client.socket.receive(bytes(1000))
        kept = (
            len(link.data)
            + sum(map(len, link.frame_data or ()))
            + sum(map(len, link.message_data or ()))
        )
        self.assertLessEqual(kept, 2000)

    def test_close_reason(self):
        """
        The reason of the close says how large the message is, and may be.
        """
        self.client.send(Opcode.BINARY, bytes(2001))
        code, reason = self.client.closed()
        self.assertEqual(1009, code)
        self.assertIn("2001", reason)
        self.assertIn("2000", reason)

    def test_empty_fragments(self):
        """
        Frames without content do not add up to anything.
        """
        self.client.send(Opcode.TEXT, b"", fin=False)
        link = self.receiver.link
        for _ in range(10):
            self.client.socket.receive(frame(Opcode.CONT, b"", fin=False) * 1000)
        self.assertLess(len(link.message_data or ()), 5000)

    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.integers(0, 700), max_size=6))
    def test_any_fragmentation(self, sizes):
        """
        However a message is divided, it is accepted, refused or fatal by its size alone.
        """
        client, receiver = self.server.open()
        total = sum(sizes)
        client.send(Opcode.BINARY, b"", fin=False)
        for size in sizes:
            client.send(Opcode.CONT, bytes(size), fin=False)
        client.send(Opcode.CONT, b"")
        if total > 2000:
            self.assertEqual(1009, client.closed()[0])
            self.assertEqual([], receiver.messages)
        elif total > 1000:
            [told] = client.heard()
            self.assertEqual("MESSAGE_TOO_LARGE", told.data["error_code"])
        else:
            self.assertEqual([BinaryGameData(bytes(total))], receiver.messages)


class ViolationTests(SynchronousTestCase):
    """
    Clients that do not speak WebSocket.
    """

    def setUp(self):
        """
        A server.
        """
        self.server = Server(max_message_size=1000)

    def test_protocol_errors(self):
        """
        Whatever breaks the protocol ends the connection with 1002.
        """
        for name, data in {
            "unmasked": Frame(Opcode.TEXT, said("Ping")).serialize(mask=False),
            "reserved bit": bytes([0xC1, 0x80]) + b"mask",
            "reserved opcode": bytes([0x83, 0x80]) + b"mask",
            "reserved control opcode": bytes([0x8B, 0x80]) + b"mask",
            "fragmented ping": bytes([0x09, 0x80]) + b"mask",
            "long ping": bytes([0x89, 0xFE, 0, 126]) + b"mask" + bytes(126),
            "continuation of nothing": frame(Opcode.CONT, b"x"),
            "long form of a short length": bytes([0x82, 0xFE, 0, 1]) + b"maskx",
            "message within a message": frame(Opcode.TEXT, b"x", fin=False)
            + frame(Opcode.TEXT, b"x"),
        }.items():
            client, receiver = self.server.open()
            client.socket.receive(data)
            self.assertEqual(1002, client.closed()[0], name)
            client.say("Ping")
            self.assertEqual([], receiver.messages, name)
            self.server.pass_time(2)
            self.assertIsNotNone(client.socket.lost, name)

    def test_close_reason(self):
        """
        The reason of the close says which rule was broken.
        """
        client, _ = self.server.open()
        client.socket.receive(Frame(Opcode.TEXT, said("Ping")).serialize(mask=False))
        self.assertEqual((1002, "unmasked client-to-server frame"), client.closed())

    def test_bad_close(self):
        """
        A client whose own close frame is broken is told so.
        """
        for code, payload in (
            (1002, b"x"),
            (1002, b"\x03\xed"),
            (1007, b"\x03\xe8\xff"),
        ):
            client, _ = self.server.open()
            client.send(Opcode.CLOSE, payload)
            closed = client.closed()
            self.assertIsNotNone(closed, payload)
            self.assertEqual(code, closed[0], payload)

    def test_end_after_bad_close(self):
        """
        A connection whose client sent a broken close frame ends at once.
        """
        client, receiver = self.server.open()
        client.send(Opcode.CLOSE, b"x")
        self.server.reactor.advance(0)
        self.assertIsNotNone(client.socket.lost)
        self.assertEqual(["closed"], receiver.events)

    def test_good_after_bad(self):
        """
        Good messages behind a broken frame in the same segment are not acted on.
        """
        client, receiver = self.server.open()
        client.socket.receive(frame(Opcode.CONT, b"x") + frame(Opcode.TEXT, said("Ping")))
        self.assertEqual(1002, client.closed()[0])
        self.assertEqual([], receiver.messages)

    def test_nothing_after_bad(self):
        """
        What comes after a broken frame is not looked at, control frames included.
        """
        client, receiver = self.server.open()
        client.send(Opcode.CONT, b"x")
        client.send(Opcode.PING, b"")
        client.say("Ping")
        self.assertEqual([], receiver.events)

    @settings(deadline=None, max_examples=200)
    @given(st.lists(st.binary(max_size=200), max_size=5), st.booleans())
    def test_junk(self, segments, masked):
        """
        Whatever bytes come, nothing is raised and what is answered is well-formed.
        """
        client, _ = self.server.open()
        for segment in segments:
            head = b"\x81\xfe\x00\xc8mask" if masked else b""
            client.socket.receive(head + segment)
        client.frames()
        self.server.reactor.advance(1)
        self.server.reactor.advance(0)
        self.assertEqual(client.close is not None, client.socket.lost is not None)


class ControlFrameTests(SynchronousTestCase):
    """
    Pings and pongs, and the pulse that is felt by them.
    """

    def setUp(self):
        """
        An open connection.
        """
        self.server = Server()
        self.client, self.receiver = self.server.open()
        self.link = self.receiver.link

    def test_ping(self):
        """
        A ping is answered with its payload, and reported.
        """
        self.client.send(Opcode.PING, b"payload")
        [pong] = self.client.frames()
        self.assertEqual((Opcode.PONG, b"payload"), (pong.opcode, pong.data))
        self.assertEqual(["control_frame"], self.receiver.events)

    def test_pong(self):
        """
        A pong, even one nobody asked for, is reported and not answered.
        """
        self.client.send(Opcode.PONG, b"payload")
        self.assertEqual([], self.client.frames())
        self.assertEqual(["control_frame"], self.receiver.events)

    def test_own_ping(self):
        """
        The server's pings have eight bytes that are not all zero and differ.
        """
        self.link.ping()
        self.link.ping()
        pings = self.client.frames()
        self.assertEqual([Opcode.PING] * 2, [ping.opcode for ping in pings])
        first, second = (bytes(ping.data) for ping in pings)
        self.assertEqual((8, 8), (len(first), len(second)))
        self.assertNotEqual(first, second)
        self.assertNotIn(bytes(8), (first, second))

    def test_pulse(self):
        """
        Messages and pings are activity; pongs and parts of frames are signs of life.
        """
        half = frame(Opcode.TEXT, said("Ping"))
        for data, pulse in (
            (half, ACTIVE),
            (frame(Opcode.BINARY, b""), ACTIVE),
            (frame(Opcode.PING, b""), ACTIVE),
            (frame(Opcode.PONG, b""), ANSWERED),
            (half[:7], ANSWERED),
        ):
            self.link.pulse = SILENT
            self.client.socket.receive(data)
            self.assertEqual(pulse, self.link.pulse, data)

    def test_pulse_does_not_sink(self):
        """
        A pong after a message leaves the connection active.
        """
        self.link.pulse = SILENT
        self.client.say("Ping")
        self.client.send(Opcode.PONG, b"")
        self.assertEqual(ACTIVE, self.link.pulse)

    def test_alive(self):
        """
        That a client is alive is passed on to its conversation, as long as there is one.
        """
        self.link.alive()
        self.client.socket.cut()
        self.link.alive()
        self.assertEqual(["alive", "closed"], self.receiver.events)


class CloseTests(SynchronousTestCase):
    """
    The ends of connections.
    """

    def setUp(self):
        """
        An open connection.
        """
        self.server = Server()
        self.client, self.receiver = self.server.open()
        self.link = self.receiver.link

    def test_close(self):
        """
        The client is told the last message, the code and the reason, and nothing after that.
        """
        self.link.deliver(PONG)
        self.link.close(CloseCode.ROOM_INACTIVE, "room_inactive", LAST)
        self.link.deliver(PONG)
        self.link.ping()
        self.link.close(CloseCode.NORMAL, "again", LAST)
        self.client.send(Opcode.PING, b"")
        self.server.reactor.advance(0)
        self.assertEqual(["Pong", "Error"], [told.type for told in self.client.heard()])
        self.assertEqual((4005, "room_inactive"), self.client.closed())
        self.assertEqual(1, self.server.factory.traffic.closes.total())
        self.assertEqual(1, self.server.factory.traffic.closes[4005])

    def test_client_closes_while_messages_wait(self):
        """
        What waits when the client closes is not sent any more: nothing follows a close frame.
        """
        self.client.socket.bufferSize = 0
        for _ in range(3):
            self.link.deliver(PONG)
            self.server.reactor.advance(0)
        self.client.send(Opcode.CLOSE, Close(1000, "").serialize())
        self.assertEqual(["Pong"], [told.type for told in self.client.heard()])
        self.assertEqual((1000, ""), self.client.closed())

    def test_reports_after_a_violation(self):
        """
        What is still to be reported is not, once the server has said goodbye for any reason.
        """
        self.link.form = V3
        origin = Origin(SENDER, 1, self.link)
        for number in (1, 2, 3):
            self.link.deliver(BinaryData(origin, number, b"", Encoding.MESSAGE_PACK))
        self.server.reactor.advance(0.5)
        self.client.send(Opcode.CONT, b"")
        self.server.reactor.advance(0.5)
        types = [told.type for told in self.client.heard()]
        self.assertEqual(["DeliveryReport", "Error"], types)
        self.assertEqual(1002, self.client.close.code)

    def test_not_at_once(self):
        """
        Closing calls the conversation back on a later turn, and only once.
        """
        self.link.close(CloseCode.NORMAL, "reason")
        self.assertEqual([], self.receiver.events)
        self.assertIn(self.link, self.server.factory.connections)
        self.server.reactor.advance(0)
        self.assertEqual(["closed"], self.receiver.events)
        self.assertNotIn(self.link, self.server.factory.connections)
        self.server.pass_time(5)
        self.assertEqual(["closed"], self.receiver.events)
        self.assertEqual(0, self.server.factory.traffic.active)

    def test_close_from_within(self):
        """
        A conversation that closes its own connection is not called back before it returns.
        """
        seen = []

        def act(message):
            self.link.close(CloseCode.NORMAL, "reason")
            seen.append(list(self.receiver.events))

        self.receiver.act = act
        self.client.socket.receive(frame(Opcode.TEXT, said("Ping")) * 3)
        self.assertEqual([[Ping()]], seen)
        self.server.reactor.advance(0)
        self.assertEqual([Ping(), "closed"], self.receiver.events)

    def test_client_answers(self):
        """
        When the client answers the close frame, the socket is closed at once.
        """
        self.link.close(CloseCode.NORMAL, "reason")
        self.client.closed()
        self.client.send(Opcode.CLOSE, Close(1000, "").serialize())
        self.server.reactor.advance(0)
        self.assertIsNotNone(self.client.socket.lost)
        self.assertEqual([], self.server.reactor.getDelayedCalls())

    def test_client_does_not_answer(self):
        """
        A client that does not answer the close frame within a second is cut off.
        """
        self.link.close(CloseCode.NORMAL, "reason")
        self.server.reactor.advance(0.9)
        self.assertFalse(self.client.socket.aborting)
        self.server.reactor.advance(0.1)
        self.assertTrue(self.client.socket.aborting)
        self.server.reactor.advance(0)
        self.assertEqual(["closed"], self.receiver.events)

    def test_client_does_not_read(self):
        """
        A client that does not read is cut off as well, however much is still to be sent.
        """
        self.client.socket.peer_reads = False
        for _ in range(5000):
            self.link.deliver(PONG)
        self.link.close(CloseCode.NORMAL, "reason", LAST)
        self.server.reactor.advance(1)
        self.server.reactor.advance(0)
        self.assertIsNotNone(self.client.socket.lost)

    def test_what_was_queued(self):
        """
        What was queued before is sent before the close frame, if the client reads on.
        """
        self.client.socket.peer_reads = False
        for _ in range(10000):
            self.link.deliver(PONG)
            self.server.reactor.advance(0)
        self.assertTrue(len(self.link._outbox))
        self.link.close(CloseCode.NORMAL, "reason", LAST)
        self.client.socket.peer_reads = True
        types = [told.type for told in self.client.heard()]
        self.assertEqual(["Pong"] * 10000 + ["Error"], types)
        self.assertEqual((1000, "reason"), self.client.closed())

    def test_slow_consumer(self):
        """
        A client that is too slow is not sent what is queued, but told why.
        """
        self.client.socket.peer_reads = False
        for _ in range(10000):
            self.link.deliver(PONG)
            self.server.reactor.advance(0)
        queued = len(self.link._outbox)
        self.link.close(CloseCode.SLOW_CONSUMER, "slow_consumer", LAST)
        self.client.socket.peer_reads = True
        types = [told.type for told in self.client.heard()]
        self.assertEqual(["Pong"] * (10000 - queued) + ["Error"], types)
        self.assertEqual((4002, "slow_consumer"), self.client.closed())

    def test_client_closes(self):
        """
        A close frame of the client is answered with the same code, and the socket closed.
        """
        self.client.send(Opcode.CLOSE, Close(4321, "bye").serialize())
        self.assertEqual((4321, "bye"), self.client.closed())
        self.assertIsNotNone(self.client.socket.lost)
        self.assertEqual(["closed"], self.receiver.events)
        self.assertEqual(0, self.server.factory.traffic.closes.total())

    def test_client_closes_without_code(self):
        """
        A close frame without a code is answered with one without a code.
        """
        self.client.send(Opcode.CLOSE, b"")
        [answer] = self.client.frames()
        self.assertEqual((Opcode.CLOSE, b""), (answer.opcode, answer.data))

    def test_client_closes_and_does_not_read(self):
        """
        A client that closes but reads nothing is cut off, and not waited for by anybody.
        """
        self.client.socket.peer_reads = False
        for _ in range(10000):
            self.link.deliver(PONG)
            self.server.reactor.advance(0)
        self.client.send(Opcode.CLOSE, Close(1000, "").serialize())
        self.server.reactor.advance(0)
        self.assertEqual(["closed"], self.receiver.events)
        self.server.reactor.advance(1)
        self.server.reactor.advance(0)
        self.assertIsNotNone(self.client.socket.lost)

    def test_nothing_remains(self):
        """
        After the end of a connection no call is scheduled for it.
        """
        self.server = Server(outbox=OutboxLimits(capacity=10, patience=5.0))
        for end in (
            lambda client, link: client.socket.cut(),
            lambda client, link: link.close(CloseCode.NORMAL, "reason"),
            lambda client, link: client.send(Opcode.CLOSE, b""),
        ):
            client, receiver = self.server.open()
            link = receiver.link
            client.socket.peer_reads = False
            for _ in range(10000):
                link.deliver(PONG)
            end(client, link)
            self.server.reactor.advance(1)
            self.server.reactor.advance(0)
            self.assertIsNotNone(client.socket.lost)
            self.assertEqual([], self.server.reactor.getDelayedCalls())

    def test_cut(self):
        """
        A connection that is gone without a word is released at once.
        """
        self.client.socket.cut()
        self.assertEqual(["closed"], self.receiver.events)
        self.assertEqual([], self.server.reactor.getDelayedCalls())

    def test_in_any_state(self):
        """
        Delivering and closing never raise, and do nothing before the handshake or after the end.
        """
        fresh = self.server.factory.buildProtocol(None)
        Socket(self.server.reactor).open(fresh)
        closing, receiver = self.server.open()
        receiver.link.close(CloseCode.NORMAL, "reason")
        self.client.socket.cut()
        for link in (fresh, receiver.link, self.link):
            link.deliver(PONG)
            link.deliver(Untellable())
            link.close(CloseCode.NORMAL, "another reason", LAST)
            link.close(CloseCode.SLOW_CONSUMER, "another reason")
        self.assertEqual([], closing.heard())
        self.assertEqual((1000, "reason"), closing.closed())
        self.assertEqual([], self.client.frames())
        self.assertEqual(0, self.server.factory.traffic.messages_sent)

    def test_message_after_close(self):
        """
        What a client says after the connection was closed is not acted on.
        """
        self.link.close(CloseCode.NORMAL, "reason")
        self.client.say("Ping")
        self.assertEqual([], self.receiver.messages)
        self.assertEqual(0, self.server.factory.traffic.messages_received)


class RestTests(SynchronousTestCase):
    """
    Connections that are not read for a while.
    """

    def setUp(self):
        """
        An open connection.
        """
        self.server = Server()
        self.client, self.receiver = self.server.open()
        self.link = self.receiver.link

    def test_rest(self):
        """
        While a connection rests nothing is read, and afterwards everything, in order.
        """
        self.assertTrue(self.link.reads)
        self.link.rest(2.0)
        self.assertFalse(self.link.reads)
        self.assertFalse(self.client.socket.reading)
        self.client.say("Ping")
        self.client.say("LeaveRoom")
        self.server.reactor.advance(1.9)
        self.client.socket.turn()
        self.assertEqual([], self.receiver.messages)
        self.server.reactor.advance(0.1)
        self.client.socket.turn()
        names = [type(message).__name__ for message in self.receiver.messages]
        self.assertEqual(["Ping", "LeaveRoom"], names)
        self.assertTrue(self.link.reads)

    def test_rest_within_a_segment(self):
        """
        What has been read already waits as well, and keeps its order.
        """
        self.receiver.act = lambda message: self.link.rest(1.0)
        kinds = ["Ping", "LeaveRoom", "PlayerReady", "StartGame"]
        segment = b"".join(frame(Opcode.TEXT, said(kind)) for kind in kinds)
        self.client.socket.receive(segment)
        for number in range(1, 5):
            names = [type(message).__name__ for message in self.receiver.messages]
            self.assertEqual(kinds[:number], names)
            self.server.reactor.advance(1)
        self.assertTrue(self.client.socket.reading)

    def test_rest_and_the_next_segment(self):
        """
        What comes while a connection rests stays behind what has been read already.
        """
        self.receiver.act = lambda message: self.link.rest(1.0)
        first, second = frame(Opcode.TEXT, said("Ping")), frame(Opcode.TEXT, said("LeaveRoom"))
        self.client.socket.receive(first + first + second[:3])
        self.client.socket.receive(second[3:])
        self.server.pass_time(3)
        names = [type(message).__name__ for message in self.receiver.messages]
        self.assertEqual(["Ping", "Ping", "LeaveRoom"], names)

    def test_rest_again(self):
        """
        A connection that rests already is not made to rest longer.
        """
        self.link.rest(1.0)
        self.server.reactor.advance(0.5)
        self.link.rest(1.0)
        self.server.reactor.advance(0.5)
        self.assertTrue(self.link.reads)
        self.assertTrue(self.client.socket.reading)

    def test_rest_and_send(self):
        """
        A connection that rests is still told things.
        """
        self.link.rest(1.0)
        self.link.deliver(PONG)
        self.assertEqual([Told("Pong")], self.client.heard())

    def test_rest_and_end(self):
        """
        A connection that ends while it rests is not read again.
        """
        self.link.rest(1.0)
        self.client.socket.cut()
        self.server.reactor.advance(1)
        self.assertFalse(self.client.socket.reading)
        self.assertEqual([], self.server.reactor.getDelayedCalls())

    def test_rest_and_close(self):
        """
        A connection that is closed while it rests ends as any other.
        """
        self.link.rest(10.0)
        self.link.close(CloseCode.NORMAL, "reason")
        self.assertEqual((1000, "reason"), self.client.closed())
        self.server.reactor.advance(1)
        self.server.reactor.advance(0)
        self.assertIsNotNone(self.client.socket.lost)
        self.assertEqual([], self.server.reactor.getDelayedCalls())


class SlowClientTests(SynchronousTestCase):
    """
    Clients that do not take what they are sent.
    """

    def setUp(self):
        """
        A connection whose queue has ten places.
        """
        self.server = Server(outbox=OutboxLimits(capacity=10, patience=5.0))
        self.client, self.receiver = self.server.open()
        self.link = self.receiver.link
        self.client.socket.peer_reads = False

    def fill(self):
        """
        Deliver until the queue is full.
        """
        while len(self.link._outbox) < 10:
            self.link.deliver(PONG)
            self.server.reactor.advance(0)

    def test_order(self):
        """
        What waited is sent in order when the client reads again, and before what comes later.
        """
        sent = [Notice(Error(message=str(n) * 900, error_code="INVALID_INPUT")) for n in range(80)]
        for notice in sent:
            self.link.deliver(notice)
            self.server.reactor.advance(0)
        self.assertTrue(len(self.link._outbox))
        self.client.socket.peer_reads = True
        self.client.socket.turn()
        self.link.deliver(PONG)
        texts = [told.data and told.data["message"] for told in self.client.heard()]
        self.assertEqual([notice.message.message for notice in sent] + [None], texts)

    def test_given_up(self):
        """
        A client whose queue stays full for the time of patience is closed with 4002.
        """
        self.fill()
        self.server.reactor.advance(4.9)
        self.assertEqual([], self.receiver.events)
        self.server.reactor.advance(0.1)
        self.server.reactor.advance(0)
        self.assertEqual(["closed"], self.receiver.events)
        self.client.socket.peer_reads = True
        *_, last = self.client.heard()
        self.assertEqual(("Error", "SLOW_CONSUMER"), (last.type, last.data["error_code"]))
        self.assertEqual((4002, "slow_consumer"), self.client.closed())

    def test_recovered(self):
        """
        A client that reads again in time is kept.
        """
        self.fill()
        self.server.reactor.advance(4.9)
        self.client.socket.peer_reads = True
        self.client.socket.turn()
        self.server.pass_time(20)
        self.assertIsNone(self.client.closed())
        self.assertEqual([], self.receiver.events)

    def test_memory(self):
        """
        However much is delivered to a client that reads nothing, little is kept of it.
        """
        big = Notice(Error(message="x" * 1_000_000, error_code="INVALID_INPUT"))
        for _ in range(9):
            self.link.deliver(big)
        kept = self.link._outbox._queue.size
        self.assertLess(kept, 5_000_000)
        self.server.reactor.advance(0)
        self.server.reactor.advance(0)
        self.assertEqual(["closed"], self.receiver.events)

    def test_nothing_is_lost_silently(self):
        """
        A client that was given up is closed even if it reads again in the same moment.
        """
        big = Notice(Error(message="x" * 1_000_000, error_code="INVALID_INPUT"))
        for _ in range(8):
            self.link.deliver(big)
        self.client.socket.peer_reads = True
        heard = self.client.heard()
        self.server.reactor.advance(0)
        if len(heard) < 8:
            self.assertEqual((4002, "slow_consumer"), self.client.closed())


class Data:
    """
    Game data of one sender.
    """

    kind = None
    frames = (None,) * SLOTS

    def __init__(self, source):
        self.source = source

    def frame(self, form):
        """
        Something that takes 40 KiB.
        """
        return Notice(Error(message="x" * 40960, error_code=ErrorCode.INVALID_INPUT)).frame(form)


class PacingTests(SynchronousTestCase):
    """
    Senders who are too fast for somebody else.
    """

    def setUp(self):
        """
        A sender, a bystander, and a recipient that reads nothing and has room for two frames.
        """
        limits = OutboxLimits(capacity=2, patience=5.0, backlog=100_000)
        self.server = Server(outbox=limits)
        self.sender, self.talk = self.server.open()
        self.bystander, self.other = self.server.open()
        self.recipient, self.receiver = self.server.open()
        self.link = self.receiver.link
        self.recipient.socket.peer_reads = False
        self.data = Data(self.talk.link)

    def stall(self):
        """
        Send so much that the sender is held.
        """
        for _ in range(8):
            self.link.deliver(self.data)
            self.server.reactor.advance(0)
        self.assertFalse(self.talk.link.reads)

    def assert_reads(self, reads):
        """
        Check whether the sender is read.
        """
        self.server.reactor.advance(0)
        self.talk.events.clear()
        self.sender.say("Ping")
        self.server.reactor.advance(0)
        self.assertEqual([Ping()] if reads else [], self.talk.events)

    def test_held(self):
        """
        The sender is not read, and nobody else is concerned.
        """
        self.stall()
        self.assert_reads(reads=False)
        self.assertFalse(self.sender.socket.reading)
        self.bystander.say("Ping")
        self.assertEqual([Ping()], self.other.messages)
        self.talk.link.deliver(PONG)
        self.assertEqual([Told("Pong")], self.sender.heard())

    def test_let_go(self):
        """
        When the recipient has caught up the sender is read on, nothing lost.
        """
        self.stall()
        self.sender.say("Ping")
        self.recipient.socket.peer_reads = True
        self.assertEqual(8, len(self.recipient.heard()))
        self.server.reactor.advance(0)
        self.sender.socket.turn()
        self.assertEqual([Ping()], self.talk.messages)
        self.assertTrue(self.sender.socket.reading)

    def test_given_up(self):
        """
        When the recipient is given up the sender is read on.
        """
        self.stall()
        self.server.reactor.advance(5)
        self.assert_reads(reads=True)
        self.assertEqual(["closed"], self.receiver.events)

    def test_gone(self):
        """
        When the recipient is gone, in whatever way, the sender is read on.
        """
        for end in (
            lambda test: test.recipient.socket.cut(),
            lambda test: test.link.close(CloseCode.NORMAL, "reason"),
            lambda test: test.recipient.send(Opcode.CLOSE, b""),
        ):
            self.setUp()
            self.stall()
            end(self)
            self.server.reactor.advance(1)
            self.server.reactor.advance(0)
            self.assert_reads(reads=True)

    def test_two_reasons(self):
        """
        A sender that rests too is read when neither reason is left.
        """
        self.stall()
        self.talk.link.rest(1.0)
        self.recipient.socket.peer_reads = True
        self.recipient.frames()
        self.assert_reads(reads=False)
        self.server.reactor.advance(1)
        self.sender.socket.turn()
        self.assertEqual([Ping()], self.talk.messages)

    def test_two_reasons_the_other_way(self):
        """
        The end of a rest does not let a sender go that is held.
        """
        self.stall()
        self.talk.link.rest(1.0)
        self.server.reactor.advance(1)
        self.assert_reads(reads=False)

    def test_two_recipients(self):
        """
        A sender that is held by two recipients is read when both have caught up.
        """
        second, receiver = self.server.open()
        second.socket.peer_reads = False
        self.stall()
        for _ in range(8):
            receiver.link.deliver(self.data)
        second.socket.peer_reads = True
        second.frames()
        self.assert_reads(reads=False)
        self.recipient.socket.peer_reads = True
        self.recipient.frames()
        self.server.reactor.advance(0)
        self.sender.socket.turn()
        self.assertEqual([Ping()], self.talk.messages)

    def test_sender_is_gone(self):
        """
        A sender that ends while it is held is forgotten without harm.
        """
        self.stall()
        self.sender.socket.cut()
        self.recipient.socket.peer_reads = True
        self.assertEqual(8, len(self.recipient.heard()))
        self.server.reactor.advance(0)
        self.assertFalse(self.sender.socket.reading)
        self.assertEqual(["closed"], self.talk.events)

    def test_spectator(self):
        """
        Nobody waits for a spectator: one whose queue is full is closed at once.
        """
        self.link.spectates = True
        for _ in range(4):
            self.link.deliver(self.data)
            self.server.reactor.advance(0)
        self.assertTrue(self.talk.link.reads)
        self.server.reactor.advance(0)
        self.server.reactor.advance(0)
        self.assertEqual(["closed"], self.receiver.events)
        self.recipient.socket.peer_reads = True
        self.assertEqual((4002, "slow_consumer"), self.recipient.closed())

    def test_spectator_no_more(self):
        """
        Who watches no longer is given time again.
        """
        self.link.spectates = True
        self.link.spectates = False
        self.stall()
        self.server.reactor.advance(4.9)
        self.assertEqual([], self.receiver.events)
        self.server.reactor.advance(0.1)
        self.server.reactor.advance(0)
        self.assertEqual(["closed"], self.receiver.events)
