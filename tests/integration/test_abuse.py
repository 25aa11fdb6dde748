"""
Tests for clients that are broken, hostile, slow or gone.
"""

import contextlib
import json
import struct
import time
from threading import Thread

from tests.integration.harness import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    TIMEOUT,
    Client,
    RawClient,
    ServerTestCase,
    eventually,
    frame_head,
)

LIMIT = 65536  # of a message, by default
PING_MESSAGE = frame_head(15, TEXT) + b'{"type":"Ping"}'


def game_data(size):
    """
    A GameData message of so many bytes.
    """
    head, tail = b'{"type":"GameData","data":{"data":"', b'"}}'
    return head + b"x" * (size - len(head) - len(tail)) + tail


class MessageTests(ServerTestCase):
    """
    Messages that are wrong.
    """

    def test_malformed(self):
        """
        What is not a message of the protocol is answered with an error, and changes nothing.
        """
        client = self.client()
        for text in (
            "",
            "hello",
            "[]",
            '{"type": "JoinRoom"',
            '{"type": "JoinRoom", "data": {"game_name": "reef-racers"}}',
            '{"type": "JoinRoom", "data": {"game_name": "reef-racers", "player_name": 7}}',
            '{"type": "Teleport"}',
            '{"type": "ping"}',
            '{"data": {}}',
            '{"type": "Ping"} {"type": "Ping"}',
            '\ufeff{"type": "Ping"}',
            '{"type": "GameData", "data": {}}',
            '{"type": "GameData", "data": {"data": NaN}}',
            '{"type": "GameData", "data": {"data": 1e400}}',
            '{"type": "GameData", "data": {"data": "\\ud83d"}}',
            '{"type": "Reconnect", "data": {"player_id": "1", "room_id": "2", "auth_token": ""}}',
        ):
            client.send_raw(text)
            error = client.expect("Error", error_code="INVALID_INPUT")
            self.assertTrue(error["message"], text)
        client.expect_nothing()

    def test_nesting(self):
        """
        Game data may be as deep as a receiver can decode, and no deeper.
        """
        alice, bob = self.pair()
        for levels in (125, 126, 100_00):
            data = "[" * levels + "]" * levels
            alice.send_raw('{"type": "GameData", "data": {"data": ' + data + "}}")
        alice.expect("Error", error_code="INVALID_INPUT")
        alice.expect("Error", error_code="INVALID_INPUT")
        alice.expect_nothing()
        bob.expect("GameData")
        bob.expect_nothing()

    def test_twenty_malformed(self):
        """
        A client that sends nothing but rubbish is shut out.
        """
        client = self.client()
        for _ in range(20):
            client.send_raw("rubbish")
        for _ in range(20):
            client.expect("Error", error_code="INVALID_INPUT")
        client.expect("Error", error_code="RATE_LIMIT_EXCEEDED")
        client.expect_close(4006, "inbound_rate_limited")

    def test_bad_utf8(self):
        """
        A text message that is not UTF-8 ends the connection.
        """
        for payload in (b'{"type": "\xff"}', b'{"type": "\xed\xa0\x80"}', b'{"type": "\xc3'):
            client = self.raw_client()
            client.send_frame(payload)
            client.expect_close(1007, "invalid_utf8")

    def test_large(self):
        """
        A message of the largest size is fine, and a larger one is refused.
        """
        alice, bob = self.pair()
        for size in (LIMIT, LIMIT + 1, 2 * LIMIT):
            alice.send_raw(game_data(size).decode())
        alice.send_raw(bytes(LIMIT + 1))
        for _ in range(3):
            alice.expect("Error", error_code="MESSAGE_TOO_LARGE")
        alice.expect_nothing()
        bob.expect("GameData")
        bob.expect_nothing()

    def test_too_large(self):
        """
        More than twice the largest size ends the connection.
        """
        for opcode in (TEXT, BINARY):
            client = self.raw_client()
            client.send_frame(game_data(2 * LIMIT + 1), opcode)
            self.assertEqual(1009, client.close_code())

    def test_too_large_announced(self):
        """
        The head of a frame is enough to end the connection.
        """
        client = self.raw_client()
        client.send_raw(frame_head(1 << 40, TEXT))
        self.assertEqual(1009, client.close_code())

    def test_too_large_in_pieces(self):
        """
        The size of a fragmented message is limited while it is read.
        """
        client = self.raw_client()
        client.send_frame(bytes(LIMIT), final=False)
        client.send_frame(bytes(LIMIT), CONTINUATION, final=False)
        client.send_frame(b"x", CONTINUATION, final=False)
        self.assertEqual(1009, client.close_code())


class FrameTests(ServerTestCase):
    """
    Frames that are wrong, or only unusual.
    """

    def test_fragments(self):
        """
        A message may come in fragments, with control frames between them.
        """
        client = self.raw_client()
        client.send_frame(b'{"type": ', final=False)
        client.send_frame(b"still there?", PING)
        self.assertEqual((PONG, b"still there?"), client.receive_frame())
        client.send_frame(b"", CONTINUATION, final=False)
        client.send_frame(b'"Ping"', CONTINUATION, final=False)
        client.send_frame(b"}", CONTINUATION)
        client.expect("Pong")

    def test_split_character(self):
        """
        A fragment, and a TCP segment, may end within a character.
        """
        client = self.raw_client()
        text = json.dumps(
            {"type": "JoinRoom", "data": {"game_name": "Zoë", "player_name": "漢字"}},
            ensure_ascii=False,
        ).encode()
        middle = text.index(b"\xab")
        client.send_frame(text[:middle], final=False)
        frame = frame_head(len(text) - middle, CONTINUATION) + text[middle:]
        for byte in frame:
            client.send_raw(bytes([byte]))
        self.assertEqual("Zoë", client.expect("RoomJoined")["game_name"])

    def test_many_at_once(self):
        """
        Many messages in one segment are all answered, in order.
        """
        client = self.raw_client()
        client.send_raw(200 * PING_MESSAGE)
        for _ in range(200):
            client.expect("Pong")

    def test_broken_frames(self):
        """
        Whoever breaks the WebSocket protocol is sent away.
        """
        ping = b'{"type":"Ping"}'
        for what, data in (
            ("not masked", frame_head(len(ping), TEXT, masked=False) + ping),
            ("unknown opcode", frame_head(0, 0x3)),
            ("unknown control opcode", frame_head(0, 0xB)),
            ("reserved bit", bytes([0xC1]) + frame_head(len(ping), TEXT)[1:] + ping),
            ("nothing to continue", frame_head(len(ping), CONTINUATION) + ping),
            ("two messages at once", 2 * frame_head(0, TEXT, final=False)),
            ("fragmented ping", frame_head(0, PING, final=False)),
            ("long ping", frame_head(126, PING) + bytes(126)),
        ):
            client = self.raw_client()
            client.send_raw(data)
            self.assertEqual(1002, client.close_code(), what)

    def test_broken_close_frames(self):
        """
        A close frame can be wrong too.
        """
        for payload, code in (
            (b"\x03", 1002),
            (struct.pack(">H", 1005), 1002),
            (struct.pack(">H", 1000) + b"\xff", 1007),
        ):
            client = self.raw_client()
            client.send_frame(payload, CLOSE)
            self.assertEqual(code, client.close_code(), payload)

    def test_close(self):
        """
        A client that closes is answered with its own code.
        """
        client = self.raw_client()
        client.send_frame(struct.pack(">H", 3007) + b"bye", CLOSE)
        self.assertEqual(3007, client.close_code())
        self.assertEqual(b"", client.socket.recv(1))

    def test_after_the_close(self):
        """
        What a client says after its close frame is not heard.
        """
        mallory = self.raw_client()
        mallory.send("JoinRoom", game_name=Client.GAME, player_name="Mallory", room_code="QUIETX")
        mallory.expect("RoomJoined")
        watcher = self.seat("Watcher", room_code="QUIETX")
        mallory.expect("PlayerJoined")
        data = b'{"type":"GameData","data":{"data":1}}'
        mallory.send_raw(
            frame_head(2, CLOSE) + struct.pack(">H", 1000) + frame_head(len(data), TEXT) + data
        )
        watcher.expect("PlayerLeft")
        watcher.expect("AuthorityChanged")
        watcher.expect_nothing()


class HTTPJunkTests(ServerTestCase):
    """
    Connections that never become WebSockets.
    """

    def answers(self, junk):
        """
        Everything that the server has to say to junk with a good request after it.
        """
        client = self.raw_client(upgrade=False)
        answer = b""
        with contextlib.suppress(ConnectionError):
            client.send_raw(junk + b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            while data := client.socket.recv(4096):
                answer += data
        return answer

    def test_junk(self):
        """
        Junk is refused, and does the server no harm.
        """
        for junk in (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
            b"SSH-2.0-OpenSSH_9.9\r\n",
            b"GET\r\n\r\n",
            b"GET /v2/ws HTTP/9.9\r\n\r\n",
            b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET " + b"/" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST /v2/ws HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
            b"GET /v2/ws HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 600 + b"\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ):
            answers = self.answers(junk)
            self.assertNotIn(b"101 Switching", answers, junk)
            self.assertNotIn(b"500 Internal", answers, junk)
            self.assertNotIn(b"Traceback", answers, junk)
            self.assertNotIn(b"HTTP/1.1 200", answers[:12], junk)
        self.assertEqual("OK", self.server.get("/health"))

    def test_bad_handshakes(self):
        """
        A handshake that is not one of RFC 6455, version 13, is answered with 400.
        """
        good = {
            "Host": "localhost",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        for name, value in (
            ("Upgrade", None),
            ("Upgrade", "h2c"),
            ("Connection", None),
            ("Connection", "close"),
            ("Sec-WebSocket-Version", None),
            ("Sec-WebSocket-Version", "8"),
            ("Sec-WebSocket-Version", "x"),
            ("Sec-WebSocket-Key", None),
            ("Sec-WebSocket-Key", "short"),
        ):
            headers = {**good, name: value}
            lines = [f"{key}: {text}" for key, text in headers.items() if text is not None]
            request = "\r\n".join(["GET /v2/ws HTTP/1.1", *lines, "", ""])
            client = self.raw_client(upgrade=False)
            client.send_raw(request.encode())
            self.assertEqual(b"HTTP/1.1 400", client.read_line()[:12], f"{name}: {value}")

    def test_half_open_handshakes(self):
        """
        Clients that do not finish their handshake are in nobody's way.
        """
        unfinished = [self.raw_client(upgrade=False) for _ in range(40)]
        for client in unfinished:
            client.send_raw(b"GET /v2/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: web")
        alice, bob = self.pair()
        alice.send("GameData", data=1)
        bob.expect("GameData")
        for client in unfinished:
            client.reset()
        alice.expect_nothing()


class LossTests(ServerTestCase):
    """
    Connections that come and go.
    """

    def test_reset(self):
        """
        A player whose connection is reset is lost at once.
        """
        alice = self.seat("Alice")
        rude = self.raw_client()
        rude.send(
            "JoinRoom",
            game_name=alice.GAME,
            player_name="Rude",
            room_code=alice.room["room_code"],
        )
        player = rude.expect("RoomJoined")["player_id"]
        alice.expect("PlayerJoined")
        rude.reset()
        alice.expect("PlayerLeft", player_id=player)

    def test_reset_while_sending(self):
        """
        A connection that breaks in the middle of a message is simply lost.
        """
        alice, bob = self.pair()
        rude = self.raw_client()
        rude.send(
            "JoinAsSpectator",
            game_name=alice.GAME,
            spectator_name="Rude",
            room_code=alice.room["room_code"],
        )
        rude.expect("SpectatorJoined")
        for player in (alice, bob):
            player.expect("NewSpectatorJoined")
        rude.send_raw(frame_head(1000, TEXT) + b"half of it")
        rude.reset()
        for player in (alice, bob):
            player.expect("SpectatorDisconnected", reason="disconnected")

    def test_thousand_connections(self):
        """
        A thousand connections that come and go leave nothing behind.
        """
        before = self.server.metrics()["connections"]["total"]
        for number in range(1000):
            client = RawClient(self.server.port)
            if number % 3 == 0:
                client.reset()
            else:
                client.close()
        self.assertEqual(1000, self.server.metrics()["connections"]["total"] - before)
        eventually(
            lambda: self.server.metrics()["connections"]["active"] == 0,
            "all connections are forgotten",
        )
        self.client().expect_nothing()


class LimitTests(ServerTestCase):
    """
    What one client or one address may use up.
    """

    settings = {
        "security": {"max_connections_per_ip": 3},
        "rate_limit": {"max_room_creations": 2, "max_join_attempts": 4},
    }

    def test_connections(self):
        """
        One connection too many is told so; when another ends, there is room again.
        """
        first, _, _ = [self.client() for _ in range(3)]
        refused = self.raw_client()
        message = "Too many connections from your IP (3/3)"
        refused.expect("Error", error_code="TOO_MANY_CONNECTIONS", message=message)
        refused.expect_close(1013, "too_many_connections")
        first.close()
        self.client().expect_nothing()

    def test_sockets(self):
        """
        An address that opens many more sockets is not even heard.
        """
        clients = [self.raw_client(upgrade=False) for _ in range(6)]
        for client in clients:
            client.send_raw(b"GET /health HTTP/1.1\r\nHost: x\r\n")
        for client in clients:
            client.send_raw(b"X-Half: ")
        extra = self.raw_client(upgrade=False)
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(b"", extra.socket.recv(1))
        for client in clients:
            client.close()
        eventually(self.is_heard, "the address is heard again")

    def is_heard(self):
        """
        Whether the server answers.
        """
        try:
            return self.server.get("/health")
        except ConnectionError:
            return False

    def test_joins(self):
        """
        A connection has its budgets of rooms and joins; malformed requests cost nothing.
        """
        client = self.client()
        request = {"game_name": client.GAME, "player_name": "Mira"}
        for _ in range(6):
            client.send("JoinRoom", **request, room_code="?")
            client.expect("RoomJoinFailed", error_code="INVALID_ROOM_CODE")
        for _ in range(2):
            code = client.join("Mira")["room_code"]
            client.send("LeaveRoom")
            client.expect("RoomLeft")
        client.send("JoinRoom", **request)
        refusal = client.expect("RoomJoinFailed", error_code="RATE_LIMIT_EXCEEDED")
        self.assertRegex(
            refusal["reason"],
            r"\ARoom creation rate limit exceeded\. Try again in \d+ seconds\.\Z",
        )
        client.join("Mira", room_code=code)
        client.send("LeaveRoom")
        client.expect("RoomLeft")
        client.send("JoinAsSpectator", game_name=client.GAME, room_code=code, spectator_name="Juno")
        client.expect("SpectatorJoined")
        client.send("LeaveSpectator")
        client.expect("SpectatorLeft")
        client.send("JoinRoom", **request, room_code=code)
        client.expect("RoomJoinFailed", error_code="RATE_LIMIT_EXCEEDED")
        client.send("JoinAsSpectator", game_name=client.GAME, room_code=code, spectator_name="Juno")
        client.expect("SpectatorJoinFailed", error_code="RATE_LIMIT_EXCEEDED")
        nobody = "00000000-0000-0000-0000-000000000000"
        client.send("Reconnect", player_id=nobody, room_id=nobody, auth_token="")
        client.expect("ReconnectionFailed", error_code="RATE_LIMIT_EXCEEDED")
        client.expect_nothing()


class PacedTests(ServerTestCase):
    """
    Clients that talk too much.
    """

    settings = {
        "rate_limit": {
            "max_messages_per_second": 200,
            "message_burst": 20,
            "max_inbound_error_replies": 5,
        }
    }

    def test_message_rate(self):
        """
        A client that sends too fast is read more slowly, and loses nothing; others do not notice.
        """
        client, other = self.raw_client(), self.client()
        started = time.monotonic()
        for _ in range(4):
            client.send_raw(100 * PING_MESSAGE)
            self.assertLess(other.ping(), 0.5)
            for _ in range(100):
                client.expect("Pong")
        self.assertGreater(time.monotonic() - started, 0.8)

    def test_message_rate_at_once(self):
        """
        What a client sends in one segment is acted on no faster than what it sends one by one.
        """
        client = self.raw_client()
        started = time.monotonic()
        client.send_raw(120 * PING_MESSAGE)
        for _ in range(120):
            client.expect("Pong")
        self.assertGreater(time.monotonic() - started, 0.3)

    def test_refusals(self):
        """
        A client that is refused all the time is shut out.
        """
        client = self.client()
        for _ in range(6):
            client.send("LeaveRoom")
            client.expect("Error", error_code="NOT_IN_ROOM")
        client.expect("Error", error_code="RATE_LIMIT_EXCEEDED")
        client.expect_close(4006, "inbound_rate_limited")


class SlowReaderTests(ServerTestCase):
    """
    Receivers who do not keep up.
    """

    settings = {
        "websocket": {
            "send_queue_capacity": 16,
            "slow_consumer_timeout_ms": 1000,
            "socket_send_buffer_bytes": 8192,
        }
    }

    def test_eviction(self):
        """
        A player who does not read is sent away, and the others do not notice it.
        """
        alice, bob = self.seat("Alice", max_players=3), self.client()
        code = alice.room["room_code"]
        bob.join("Bob", room_code=code)
        alice.expect("PlayerJoined")
        slow = self.raw_client(receive_buffer=4096)
        slow.send("JoinRoom", game_name=alice.GAME, player_name="Slow", room_code=code)
        player = slow.expect("RoomJoined")["player_id"]
        slow.expect("LobbyStateChanged")
        for member in (alice, bob):
            member.expect("PlayerJoined")
            member.expect("LobbyStateChanged")

        data, delays = "x" * 8000, []
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            started = time.monotonic()
            alice.send("GameData", data=data)
            message = bob.receive()
            if message["type"] != "GameData":
                break
            delays.append(time.monotonic() - started)
        self.assertEqual(("PlayerLeft", {"player_id": player}), (message["type"], message["data"]))
        self.assertLess(max(delays), 0.5)
        self.assertLess(sorted(delays)[len(delays) // 2], 0.05)
        self.assertEqual("GameData", slow_ending(slow)[0])

    def test_spectator(self):
        """
        A spectator who does not read is sent away too.
        """
        alice = self.seat("Alice")
        slow = self.raw_client(receive_buffer=4096)
        slow.send(
            "JoinAsSpectator",
            game_name=alice.GAME,
            spectator_name="Slow",
            room_code=alice.room["room_code"],
        )
        slow.expect("SpectatorJoined")
        alice.expect("NewSpectatorJoined")
        for _ in range(40):
            alice.send("GameData", data="x" * 8000)
        alice.expect("SpectatorDisconnected", reason="disconnected")
        slow_ending(slow)

    def test_spectator_at_once(self):
        """
        A spectator has no time to catch up, because nobody waits for it.
        """
        started = time.monotonic()
        self.test_spectator()
        self.assertLess(time.monotonic() - started, 0.5)

    def test_slow_but_steady(self):
        """
        A player who reads slowly, but reads, gets everything.
        """
        alice = self.seat("Alice", max_players=2)
        steady = self.raw_client(receive_buffer=4096)
        code = alice.room["room_code"]
        steady.send("JoinRoom", game_name=alice.GAME, player_name="Steady", room_code=code)
        steady.expect("RoomJoined")
        steady.expect("LobbyStateChanged")
        for number in range(60):
            alice.send("GameData", data=[number, "x" * 8000])
        for number in range(60):
            self.assertEqual(number, steady.expect("GameData")["data"][0])


class PacingTests(ServerTestCase):
    """
    Senders who are faster than their receivers.
    """

    settings = {"websocket": {"send_queue_capacity": 16, "socket_send_buffer_bytes": 8192}}

    def test_sender_waits(self):
        """
        A sender with too much unsent data is not read until its receiver has caught up.
        """
        alice, slow = self.raw_client(), self.raw_client(receive_buffer=4096)
        room = {"game_name": "reef-racers", "room_code": "PACING", "max_players": 2}
        for client, name in ((alice, "Alice"), (slow, "Slow")):
            client.send("JoinRoom", player_name=name, **room)
            client.expect("RoomJoined")
        slow.expect("LobbyStateChanged")
        message = game_data(60_000)
        sending = Thread(
            target=alice.send_raw, args=(100 * (frame_head(len(message), TEXT) + message),)
        )
        sending.start()
        self.addCleanup(sending.join, TIMEOUT)
        sending.join(0.5)
        for _ in range(100):
            slow.expect("GameData")


class SilenceTests(ServerTestCase):
    """
    Clients of which nothing is heard.
    """

    settings = {"websocket": {"server_ping_interval_secs": 1, "pong_timeout_secs": 1}}

    def test_unanswered_ping(self):
        """
        A client that does not answer pings is sent away; one that does stays.
        """
        alice = self.seat("Alice")
        silent = self.raw_client()
        silent.send(
            "JoinRoom",
            game_name=alice.GAME,
            player_name="Silent",
            room_code=alice.room["room_code"],
        )
        silent.expect("RoomJoined")
        alice.expect("PlayerJoined")
        opcode, payload = silent.receive_frame()
        self.assertEqual((PING, 8), (opcode, len(payload)))
        silent.send_frame(payload, PONG)
        opcode, payload = silent.receive_frame()
        self.assertEqual((PING, 8), (opcode, len(payload)))
        silent.expect_close(4003, "activity_timeout")
        alice.expect("PlayerLeft")
        alice.expect_nothing()


def slow_ending(client):
    """
    Read what is left for a client that was too slow, to the end.

    :returns: the kinds of the messages before the last one.
    """
    kinds = []
    while True:
        opcode, payload = client.receive_frame()
        if opcode != TEXT:
            break
        kinds.append(json.loads(payload)["type"])
        last = payload
    [*earlier, kind] = kinds
    farewell = json.loads(last)["data"]
    if (kind, farewell.get("error_code")) != ("Error", "SLOW_CONSUMER"):
        raise AssertionError(f"expected SLOW_CONSUMER, got {last!r}")
    if payload != struct.pack(">H", 4002) + b"slow_consumer":
        raise AssertionError(f"expected close 4002, got {opcode} {payload!r}")
    return earlier
