"""
Tests for signalfish.tap.
"""

import errno
import socket
import time
from io import StringIO
from pathlib import Path

from twisted.application.service import IService, MultiService
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.testing import MemoryReactorClock
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import Site

from signalfish import config
from signalfish.net.listening import ListenError
from signalfish.net.liveness import Liveness
from signalfish.net.sojourn import Sojourn
from signalfish.net.statistics import Statistics
from signalfish.service import RoomService
from signalfish.tap import Options, SignalFish, _endpoints, assemble, makeService
from tests.fakes import Told
from tests.net.fakes import Client

JOIN = {"game_name": "g", "player_name": "p"}


def parsed(*arguments):
    """
    Options as twistd parses them.
    """
    options = Options()
    options.parseOptions(arguments)
    return options


class OptionsTests(SynchronousTestCase):
    """
    The command line.
    """

    def test_defaults(self):
        """
        Nothing needs to be given.
        """
        options = parsed()
        told = (options["port"], options["config"], options["listen"])
        self.assertEqual((None, None, []), told)

    def test_all(self):
        """
        Everything can be given, endpoints more than once.
        """
        options = parsed("--port", "1", "--config", "c", "--listen", "tcp:1", "--listen", "tcp:2")
        told = (options["port"], options["config"], options["listen"])
        self.assertEqual(("1", "c", ["tcp:1", "tcp:2"]), told)

    def test_short(self):
        """
        The options have short names.
        """
        options = parsed("-p", "1", "-c", "c", "-l", "tcp:1")
        told = (options["port"], options["config"], options["listen"])
        self.assertEqual(("1", "c", ["tcp:1"]), told)

    def test_own_lists(self):
        """
        Two command lines do not share their endpoints.
        """
        parsed("--listen", "tcp:1")
        self.assertEqual([], parsed()["listen"])

    def test_unknown(self):
        """
        Unknown options and arguments are refused.
        """
        for arguments in (("--nonsense",), ("argument",)):
            self.assertRaises(UsageError, parsed, *arguments)

    def test_help(self):
        """
        The help names all options.
        """
        text = str(Options())
        for name in ("--port", "--config", "--listen", "--check-config", "--print-config"):
            self.assertIn(name, text)


class EndpointTests(SynchronousTestCase):
    """
    What is listened on.
    """

    def listened(self, *arguments, **settings):
        """
        The kind, port or path, interface and backlog of each port that would be opened.
        """
        reactor = MemoryReactorClock()
        endpoints = _endpoints(parsed(*arguments), config.settings(settings), reactor)
        for endpoint in endpoints.values():
            endpoint.listen(None)
        tcp = [("tcp", port, host, backlog) for port, _, backlog, host in reactor.tcpServers]
        unix = [("unix", path, None, backlog) for path, _, backlog, _, _ in reactor.unixServers]
        return tcp + unix

    def use_ipv6(self, available):
        """
        Make a machine with or without IPv6.
        """

        class Probe:
            """
            A socket that can be bound, or not.
            """

            def __init__(self, *arguments):
                """
                Be created.
                """

            def __enter__(self):
                """
                Begin.
                """
                return self

            def __exit__(self, *arguments):
                """
                End.
                """

            def bind(self, address):
                """
                Be bound, or not.
                """
                if not available:
                    raise OSError(errno.EADDRNOTAVAIL, "no IPv6 here")

        self.patch(socket, "socket", Probe)

    def test_default(self):
        """
        By default it is port 3536 on all interfaces, of both kinds.
        """
        self.use_ipv6(True)
        self.assertEqual([("tcp", 3536, "::", 1024)], self.listened())

    def test_no_ipv6(self):
        """
        Without IPv6 it is all interfaces that there are.
        """
        self.use_ipv6(False)
        self.assertEqual([("tcp", 3536, "", 1024)], self.listened())

    def test_port(self):
        """
        The port of the command line wins over the configured one.
        """
        self.use_ipv6(True)
        self.assertEqual([("tcp", 1, "::", 1024)], self.listened(port=1))
        self.assertEqual([("tcp", 2, "::", 1024)], self.listened("--port", "2", port=1))

    def test_port_is_endpoint(self):
        """
        A port may be an endpoint.
        """
        expected = [("tcp", 5, "127.0.0.1", 50)]
        self.assertEqual(expected, self.listened("--port", "tcp:5:interface=127.0.0.1"))

    def test_listen(self):
        """
        Endpoints replace the configured port.
        """
        told = self.listened("--listen", "tcp:5", "--listen", "unix:/run/fish", port=1)
        self.assertEqual([("tcp", 5, "", 50), ("unix", "/run/fish", None, 50)], told)

    def test_both(self):
        """
        Endpoints do not replace a port that is given beside them.
        """
        self.use_ipv6(True)
        told = self.listened("--port", "1", "--listen", "tcp:5")
        self.assertEqual([("tcp", 1, "::", 1024), ("tcp", 5, "", 50)], told)
        told = self.listened("--port", "tcp:6", "--listen", "tcp:5")
        self.assertEqual([("tcp", 6, "", 50), ("tcp", 5, "", 50)], told)

    def test_bad(self):
        """
        What cannot be listened on is named.
        """
        for arguments, name in (
            (("--port", "-1"), "cannot listen on -1: "),
            (("--port", "nonsense:1"), "cannot listen on nonsense:1: "),
            (("--port", ""), "cannot listen on : "),
            (("--listen", "tcp"), "cannot listen on tcp: "),
            (("--listen", "ssl:1:privateKey=/nowhere"), "cannot listen on ssl:1:"),
        ):
            error = str(self.assertRaises(config.ConfigError, self.listened, *arguments))
            self.assertIn(name, error)
            self.assertEqual(1, len(error.splitlines()))


class MakeServiceTests(SynchronousTestCase):
    """
    What twistd runs.
    """

    def setUp(self):
        """
        The environment configures nothing.
        """
        self.patch(__import__("os"), "environ", {})

    def make(self, *arguments):
        """
        The service for a command line.
        """
        return makeService(parsed("--listen", "tcp:0:interface=127.0.0.1", *arguments))

    def problem(self, *arguments):
        """
        The one line with which it ends for a command line.
        """
        exit_ = self.assertRaises(SystemExit, makeService, parsed(*arguments))
        text = str(exit_.code)
        self.assertTrue(text.startswith("signalfish: "), text)
        self.assertEqual(1, len(text.splitlines()), text)
        return text

    def test_tree(self):
        """
        It is a service of the rooms, the checks and the ports, which all go on during the drain.
        """
        service = self.make()
        self.assertTrue(IService.providedBy(service))
        self.assertIsInstance(service, SignalFish)
        [parts] = service
        names = {"rooms", "liveness", "sojourn", "statistics", "listening"}
        self.assertEqual(names, set(parts.namedServices))
        self.assertEqual([], parts.getServiceNamed("listening").ports)

    def test_names(self):
        """
        The parts can be found by their names.
        """
        [parts] = self.make()
        self.assertIsInstance(parts.getServiceNamed("rooms"), RoomService)
        self.assertIsInstance(parts.getServiceNamed("liveness"), Liveness)
        self.assertIsInstance(parts.getServiceNamed("sojourn"), Sojourn)
        self.assertIsInstance(parts.getServiceNamed("statistics"), Statistics)

    def test_config(self):
        """
        The configuration is that of the file and the environment.
        """
        path = Path(self.mktemp())
        path.write_text('{"server": {"max_rooms": 7, "reconnection_window": 8}}')
        self.patch(__import__("os"), "environ", {"SIGNAL_FISH__SERVER__MAX_ROOMS": "9"})
        [parts] = self.make("--config", str(path))
        rooms = parts.getServiceNamed("rooms")
        told = (rooms._settings.max_rooms, rooms._settings.reconnection_window)
        self.assertEqual((9, 8), told)

    def test_bad_config(self):
        """
        A bad configuration ends the process with one line that says why.
        """
        path = Path(self.mktemp())
        path.write_text('{"port": -1}')
        self.assertIn("port: ", self.problem("--config", str(path)))
        self.assertIn("nowhere.json", self.problem("--config", "nowhere.json"))
        self.assertIn("listen on nonsense: ", self.problem("--listen", "nonsense"))
        self.patch(__import__("os"), "environ", {"SIGNAL_FISH__PORTS": "1"})
        self.assertIn("ports: unknown key", self.problem())

    def test_binding_needs_tls(self):
        """
        Token binding cannot be required where somebody could listen in.
        """
        name = "SIGNAL_FISH__SECURITY__TRANSPORT__TOKEN_BINDING"
        self.patch(__import__("os"), "environ", {name: '{"enabled": true, "required": true}'})
        path = "security.transport.token_binding.required"
        self.assertEqual(f"signalfish: {path}: needs TLS, which port 3536 has not", self.problem())
        for plain in ("tcp:1", "unix:x", "haproxy:tcp:1"):
            self.assertIn(
                f"{path}: needs TLS, which {plain} has not", self.problem("--port", plain)
            )

    def test_binding_needs_certificates(self):
        """
        Certificates cannot be required where nothing asks clients for them.
        """
        name = "SIGNAL_FISH__SECURITY__TRANSPORT__TOKEN_BINDING"
        value = '{"enabled": true, "require_client_fingerprint": true}'
        self.patch(__import__("os"), "environ", {name: value})
        self.assertIn("require_client_fingerprint: no endpoint asks clients", self.problem())

    def test_cannot_listen(self):
        """
        A port that cannot be opened ends the process with one line that says why.
        """

        class Broken(MultiService):
            """
            A service that cannot listen.
            """

            def privilegedStartService(self):
                """
                Fail.
                """
                raise ListenError("cannot listen on port 3536: in use")

        server = SignalFish(None, None)
        Broken().setServiceParent(server)
        exit_ = self.assertRaises(SystemExit, server.privilegedStartService)
        self.assertEqual("signalfish: cannot listen on port 3536: in use", exit_.code)


class FormatTests(SynchronousTestCase):
    """
    Which formats of game data clients may choose.
    """

    def test_offered(self):
        """
        Those that the operator allows, JSON first.
        """
        for settings, expected in (
            ({}, ["json", "message_pack"]),
            ({"enable_message_pack_game_data": False}, ["json"]),
            ({"enable_rkyv_game_data": True}, ["json", "message_pack", "rkyv"]),
            (
                {"enable_protobuf_game_data": True, "enable_message_pack_game_data": False},
                ["json", "protobuf"],
            ),
        ):
            reactor = MemoryReactorClock()
            parts = assemble(config.settings({"protocol": settings}), reactor)
            client = Client(reactor, parts.site).upgrade()
            wanted = {"app_id": "a", "game_data_format": expected[-1]}
            client.say("Authenticate", wanted)
            _, info = client.heard()
            self.assertEqual(expected, info.data["game_data_formats"])


class StopTests(SynchronousTestCase):
    """
    The end of the server that ``twistd`` runs.
    """

    def test_impatience(self):
        """
        A second signal ends the drain; one before the first does not exist.
        """
        reactor = MemoryReactorClock()
        parts = assemble(config.settings({}), reactor)
        acts = []
        server = SignalFish(parts.drain, acts.append)
        parts.service.setServiceParent(server)
        server.startService()
        client = Client(reactor, parts.site).upgrade()
        self.assertEqual([], acts)
        stopped = server.stopService()
        self.assertIsNone(client.closed())
        [hurry] = acts
        hurry()
        self.assertEqual((4000, "server_shutdown"), client.closed())
        reactor.advance(1)
        self.successResultOf(stopped)


class AssembleTestCase(SynchronousTestCase):
    """
    The parts of a server, in a process of one's own.
    """

    settings = {}

    def setUp(self):
        """
        Parts that are joined, and not started.
        """
        self.reactor = MemoryReactorClock()
        self.parts = assemble(config.settings(self.settings), self.reactor)

    def client(self, path="/v2/ws", site=None, **options):
        """
        A client that has done the opening handshake.
        """
        return Client(self.reactor, site or self.parts.site, **options).upgrade(path)

    def pass_time(self, seconds, *clients):
        """
        Let whole seconds pass, in which clients read.
        """
        for _ in range(seconds):
            self.reactor.advance(1)
            for client in clients:
                client.socket.turn()


class AssembleTests(AssembleTestCase):
    """
    A whole server without its ports.
    """

    def test_nothing_runs(self):
        """
        Nothing is started, opened or scheduled.
        """
        self.assertEqual([], self.reactor.getDelayedCalls())
        self.assertEqual([], self.reactor.tcpServers)
        self.assertFalse(self.parts.service.running)

    def test_game(self):
        """
        Two clients meet in a room and play.
        """
        ann, bob = self.client(), self.client("/ws")
        ann.say("JoinRoom", {**JOIN, "player_name": "ann", "max_players": 2})
        [joined] = ann.heard()
        self.assertEqual("RoomJoined", joined.type)
        code = joined.data["room_code"].lower()
        bob.say("JoinRoom", {**JOIN, "player_name": "bob", "room_code": code})
        self.assertEqual(["RoomJoined", "LobbyStateChanged"], [m.type for m in bob.heard()])
        self.assertEqual(["PlayerJoined", "LobbyStateChanged"], [m.type for m in ann.heard()])
        bob.say("GameData", {"data": {"x": 1}})
        [told] = ann.heard()
        self.assertEqual(("GameData", {"x": 1}), (told.type, told.data["data"]))
        bob.socket.cut()
        self.assertEqual("PlayerLeft", ann.heard()[0].type)

    def test_order_of_checks(self):
        """
        Syntax is checked before budgets, and budgets before the place of the client.
        """
        client = self.client()
        for _ in range(30):
            client.say("JoinRoom", {**JOIN, "game_name": ""})
        codes = {told.data["error_code"] for told in client.heard()}
        self.assertEqual({"INVALID_GAME_NAME"}, codes)
        for _ in range(6):
            client.say("JoinRoom", JOIN)
        first, *others, last = client.heard()
        self.assertEqual("RoomJoined", first.type)
        self.assertEqual({"ALREADY_IN_ROOM"}, {told.data["error_code"] for told in others})
        self.assertEqual("RATE_LIMIT_EXCEEDED", last.data["error_code"])

    def test_in_kind(self):
        """
        Whatever refuses a request, the answer is the failure reply of the request.
        """
        client = self.client()
        watch = {"game_name": "g", "room_code": "NOROOM", "spectator_name": "s"}
        zeros = "00000000-0000-4000-8000-000000000000"
        back = {"player_id": zeros, "room_id": zeros, "auth_token": "t"}
        for _ in range(20):
            client.say("JoinAsSpectator", watch)
        client.heard()
        for kind, data, reply in (
            ("JoinRoom", JOIN, "RoomJoinFailed"),
            ("JoinAsSpectator", watch, "SpectatorJoinFailed"),
            ("Reconnect", back, "ReconnectionFailed"),
        ):
            client.say(kind, data)
            [told] = client.heard()
            self.assertEqual((reply, "RATE_LIMIT_EXCEEDED"), (told.type, told.data["error_code"]))

    def test_first_message(self):
        """
        A join that was refused for its syntax counts as a first message.
        """
        client = self.client()
        client.say("JoinRoom", {**JOIN, "game_name": ""})
        client.say("Authenticate", {"app_id": "app"})
        _, told = client.heard()
        self.assertEqual(("Error", "INVALID_INPUT"), (told.type, told.data["error_code"]))

    def test_addresses(self):
        """
        New connections of one address do not have new budgets for ever.
        """
        codes = []
        for _ in range(51):
            client = self.client(host="192.0.2.5")
            client.say("JoinRoom", JOIN)
            codes += [told.data.get("error_code") for told in client.heard()]
            client.socket.cut()
        self.assertEqual([None] * 50 + ["RATE_LIMIT_EXCEEDED"], codes)
        client = self.client(host="192.0.2.6")
        client.say("JoinRoom", JOIN)
        self.assertEqual("RoomJoined", client.heard()[0].type)

    def test_token_cannot_be_guessed(self):
        """
        Ids and tokens differ from server to server.
        """
        tokens = set()
        for _ in range(3):
            self.setUp()
            client = self.client()
            client.say("JoinRoom", JOIN)
            data = client.heard()[0].data
            tokens |= {data["player_id"], data["room_id"], data["reconnection_token"]}
        self.assertEqual(9, len(tokens))

    def test_metrics(self):
        """
        The metrics are those of the server.
        """
        client = self.client()
        client.say("JoinRoom", JOIN)
        body = Client(self.reactor, self.parts.site).request("/metrics/prom")[2].decode()
        for line in (
            "signal_fish_connections_total 1.0",
            "signal_fish_rooms_live 1.0",
            "signal_fish_messages_received_total 1.0",
            "signal_fish_sockets_accepted_total 2.0",
        ):
            self.assertIn(f"\n{line}\n", body)

    def test_malformed(self):
        """
        Twenty malformed messages in a row end the connection with 4006.
        """
        client = self.client()
        for _ in range(25):
            client.text(b"nonsense")
        told = client.heard()
        self.assertEqual(["INVALID_INPUT"] * 20, [t.data["error_code"] for t in told[:20]])
        text = "20 malformed messages within 10 seconds"
        error = Told("Error", {"message": text, "error_code": "RATE_LIMIT_EXCEEDED"})
        self.assertEqual([error], told[20:])
        self.assertEqual((4006, "inbound_rate_limited"), client.closed())


class SettingsTests(AssembleTestCase):
    """
    A server where everything is configured.
    """

    settings = {
        "server": {
            "default_max_players": 3,
            "default_max_spectators": 1,
            "start_rule": "explicit",
            "max_rooms": 2,
            "room_code_prefix": "EU",
            "inactive_room_timeout": 50,
        },
        "rate_limit": {
            "time_window": 7,
            "max_room_creations": 2,
            "max_join_attempts": 3,
            "max_inbound_error_replies": 4,
            "address_multiplier": 100,
            "max_messages_per_second": 10,
            "message_burst": 30,
        },
        "protocol": {
            "max_game_name_length": 10,
            "max_player_name_length": 9,
            "room_code_length": 8,
            "max_players_limit": 5,
            "enable_message_pack_game_data": False,
            "player_name_validation": {
                "allow_unicode_alphanumeric": False,
                "allow_spaces": False,
                "allow_leading_trailing_whitespace": True,
                "allowed_symbols": ["!"],
                "additional_allowed_characters": "?",
            },
            "sdk_compatibility": {
                "minimum_versions": {"x": "1"},
                "recommended_versions": {"x": "2"},
                "capabilities": {"x": ["c"]},
                "notes": {"x": "n"},
            },
        },
        "relay_types": {"default_relay_type": "r", "game_relay_mappings": {"special": "s"}},
        "websocket": {
            "send_queue_capacity": 11,
            "sender_backlog_bytes": 5000,
            "slow_consumer_timeout_ms": 1500,
            "server_ping_interval_secs": 2,
            "pong_timeout_secs": 1,
            "idle_timeout_secs": 100,
            "socket_send_buffer_bytes": 12345,
        },
        "security": {
            "max_message_size": 512,
            "max_connection_info_bytes": 64,
            "max_connections_per_ip": 2,
            "max_connections": 3,
        },
    }

    def answer(self, client, kind, data):
        """
        The error code of an answer, or its data.
        """
        client.say(kind, data)
        told = client.heard()[0]
        return told.data.get("error_code") or told.data

    def test_rooms(self):
        """
        Rooms are as they are configured.
        """
        room = self.answer(self.client(), "JoinRoom", JOIN)
        self.assertEqual((3, "r"), (room["max_players"], room["relay_type"]))
        self.assertEqual(("EU", 8), (room["room_code"][:2], len(room["room_code"])))
        client = self.client()
        client.say("JoinRoom", {**JOIN, "game_name": "special"})
        joined, changed = client.heard()
        self.assertEqual("s", joined.data["relay_type"])
        self.assertEqual("lobby", changed.data["lobby_state"])
        third = self.client(host="192.0.2.99")
        code = self.answer(third, "JoinRoom", JOIN)
        self.assertEqual("MAX_ROOMS_PER_GAME_EXCEEDED", code)

    def test_names(self):
        """
        Names are checked as it is configured, and clients are told how.
        """
        self.settings = {**self.settings, "rate_limit": {}}
        self.setUp()
        client = self.client()
        client.say(
            "Authenticate", {"app_id": "a", "platform": "X", "game_data_format": "message_pack"}
        )
        advice, _, info = client.heard()
        self.assertEqual("UNSUPPORTED_GAME_DATA_FORMAT", advice.data["error_code"])
        self.assertEqual(["json"], info.data["game_data_formats"])
        self.assertEqual(
            {
                "max_length": 9,
                "min_length": 1,
                "allow_unicode_alphanumeric": False,
                "allow_spaces": False,
                "allow_leading_trailing_whitespace": True,
                "allowed_symbols": ["!"],
                "additional_allowed_characters": "?",
            },
            info.data["player_name_rules"],
        )
        told = [info.data[key] for key in ("minimum_version", "recommended_version", "notes")]
        self.assertEqual(["1", "2", "n"], told)
        self.assertEqual(["c"], info.data["capabilities"])
        for name in ("a-b", "a b", "ä", "0123456789"):
            code = self.answer(client, "JoinRoom", {**JOIN, "player_name": name})
            self.assertEqual("INVALID_PLAYER_NAME", code)
        for change, expected in (
            ({"game_name": "12345678901"}, "INVALID_GAME_NAME"),
            ({"max_players": 6}, "INVALID_MAX_PLAYERS"),
            ({"room_code": "ABCDEF"}, "INVALID_ROOM_CODE"),
        ):
            self.assertEqual(expected, self.answer(client, "JoinRoom", {**JOIN, **change}))
        self.assertIn("room_id", self.answer(client, "JoinRoom", {**JOIN, "player_name": "a!?"}))

    def test_budgets(self):
        """
        Budgets are as they are configured.
        """
        client = self.client()
        codes = [self.answer(client, "JoinRoom", JOIN) for _ in range(3)]
        self.assertEqual(["ALREADY_IN_ROOM", "RATE_LIMIT_EXCEEDED"], codes[1:])
        other = self.client()
        join = {**JOIN, "room_code": "NOROOM00", "join_only": True}
        codes = [self.answer(other, "JoinRoom", join) for _ in range(4)]
        self.assertEqual(["ROOM_NOT_FOUND"] * 3 + ["RATE_LIMIT_EXCEEDED"], codes)
        other.say("JoinRoom", join)
        self.assertEqual((4006, "inbound_rate_limited"), other.closed())

    def test_rate(self):
        """
        The rate of messages is as it is configured.
        """
        client = self.client()
        for _ in range(31):
            client.say("Ping")
        self.assertFalse(client.socket.reading)

    def test_sizes(self):
        """
        Sizes are as they are configured.
        """
        client = self.client()
        client.send(2, bytes(513))
        self.assertEqual("MESSAGE_TOO_LARGE", client.heard()[0].data["error_code"])
        client.say("JoinRoom", JOIN)
        client.heard()
        info = {"type": "custom", "data": "x" * 64}
        code = self.answer(client, "ProvideConnectionInfo", {"connection_info": info})
        self.assertEqual("MESSAGE_TOO_LARGE", code)
        client.send(2, bytes(1025))
        self.assertEqual(1009, client.closed()[0])
        self.assertEqual([12345], [size for _, _, size in client.socket.handle.options])

    def test_connections(self):
        """
        The caps of connections are as they are configured, and sockets have twice as many.
        """
        self.client(host="192.0.2.1")
        self.client(host="192.0.2.1")
        third = self.client(host="192.0.2.1")
        text = "Too many connections from your IP (2/2)"
        self.assertEqual(text, third.heard()[0].data["message"])
        self.assertEqual((1013, "too_many_connections"), third.closed())
        self.client(host="192.0.2.2")
        fourth = self.client(host="192.0.2.3")
        text = "Server is at capacity (3/3 connections)"
        self.assertEqual(text, fourth.heard()[0].data["message"])
        Client(self.reactor, self.parts.site, "192.0.2.1")
        dropped = Client(self.reactor, self.parts.site, "192.0.2.1")
        self.assertTrue(dropped.socket.aborting)

    def test_outbox(self):
        """
        A client whose queue is full for as long as it is configured is closed.
        """
        self.settings = {**self.settings, "rate_limit": {}}
        self.setUp()
        slow, client = self.client(), self.client()
        self.answer(client, "JoinRoom", {**JOIN, "room_code": "EUROOMAA"})
        self.answer(slow, "JoinRoom", {**JOIN, "player_name": "q", "room_code": "EUROOMAA"})
        client.heard()
        slow.socket.peer_reads = False
        [link] = [c for c in self.parts.factory.connections if c.transport.transport is slow.socket]
        frame = b'{"type":"GameData","data":{"data":"%s"}}' % (b"x" * 450)
        while len(link._outbox) < 11:
            self.assertEqual([], client.heard())
            client.send(1, frame)
        self.reactor.advance(1.3)
        self.assertEqual([], client.heard())
        self.reactor.advance(0.2)
        self.reactor.advance(0)
        self.assertEqual("PlayerLeft", client.heard()[0].type)

    def test_backlog(self):
        """
        A sender is held when a slow client is owed as much of it as is configured.
        """
        self.settings = {**self.settings, "rate_limit": {}}
        self.setUp()
        slow, client = self.client(), self.client()
        self.answer(client, "JoinRoom", {**JOIN, "room_code": "EUROOMAA"})
        self.answer(slow, "JoinRoom", {**JOIN, "player_name": "q", "room_code": "EUROOMAA"})
        slow.socket.peer_reads = False
        [link] = [c for c in self.parts.factory.connections if c.transport.transport is slow.socket]
        frame = b'{"type":"GameData","data":{"data":"%s"}}' % (b"x" * 450)
        sent = 0
        while client.socket.reading:
            client.send(1, frame)
            self.reactor.advance(0)
            sent += len(link._outbox) >= 11
        self.assertTrue(5000 / 600 < sent < 5000 / 450, sent)

    def test_liveness(self):
        """
        The checks of silent clients are as they are configured.
        """
        self.parts.service.startService()
        client = self.client()
        self.pass_time(6, client)
        self.assertEqual((4003, "activity_timeout"), client.closed())


class ReaperTests(AssembleTestCase):
    """
    A server that does not ping, but closes after 20 seconds of inactivity.
    """

    settings = {"server": {"ping_timeout": 20}, "websocket": {"server_ping_interval_secs": 0}}
    closed = (4003, "activity_timeout")

    def test_closed(self):
        """
        A silent client is closed after that time, give or take one look.
        """
        self.parts.service.startService()
        client = self.client()
        self.pass_time(19, client)
        self.assertIsNone(client.closed())
        self.pass_time(11, client)
        self.assertEqual(self.closed, client.closed())


class IdleTests(ReaperTests):
    """
    A server that does not ping, but closes idle connections after 20 seconds.
    """

    settings = {
        "server": {"ping_timeout": 0},
        "websocket": {"server_ping_interval_secs": 0, "idle_timeout_secs": 20},
    }
    closed = (4004, "idle_timeout")


class EmbeddingTests(AssembleTestCase):
    """
    A server as a part of an application of one's own.
    """

    def setUp(self):
        """
        An application with a service and a web site of its own.
        """
        super().setUp()
        self.application = MultiService()
        self.parts.service.setServiceParent(self.application)
        root = Resource()
        root.putChild(b"signal", self.parts.resource)
        self.site = Site(root, reactor=self.reactor)

    def test_web(self):
        """
        Everything is found below the path of one's choice.
        """
        body = Client(self.reactor, self.site).request("/signal/v2/health")[2]
        self.assertEqual(b"OK", body)
        status = Client(self.reactor, self.site).request("/v2/health")[0]
        self.assertIn("404", status)

    def test_socket(self):
        """
        WebSockets work below the path of one's choice.
        """
        for path in ("/signal/v2/ws", "/signal/ws"):
            client = self.client(path, self.site)
            client.say("Ping")
            self.assertEqual([Told("Pong")], client.heard())

    def test_no_delay(self):
        """
        In a site of one's own Nagle's algorithm is off as well.
        """
        self.assertTrue(self.client("/signal/ws", self.site).socket.getTcpNoDelay())

    def test_running(self):
        """
        While the application runs, rooms are swept and silent clients are pinged.
        """
        self.application.startService()
        client = self.client("/signal/ws", self.site)
        self.pass_time(30, client)
        self.assertEqual((4003, "activity_timeout"), client.closed())
        self.assertTrue(self.parts.rooms.running)

    def test_stopping(self):
        """
        When the application stops, clients get ten seconds to leave, and then nothing remains.
        """
        self.application.startService()
        client = self.client("/signal/v3/ws", self.site)
        client.say("Ping")
        stopped = self.application.stopService()
        self.assertEqual(["Pong", "GoingAway"], [told.type for told in client.heard()])
        client.say("JoinRoom", JOIN)
        self.assertEqual("SERVER_DRAINING", client.heard()[0].data["error_code"])
        self.pass_time(9, client)
        self.assertIsNone(client.closed())
        self.pass_time(1, client)
        self.assertEqual((4000, "server_shutdown"), client.closed())
        self.assertNoResult(stopped)
        self.pass_time(1, client)
        self.assertTrue(all(ok for ok, _ in self.successResultOf(stopped)))
        self.assertEqual([], [IDelayedCall(call) for call in self.reactor.getDelayedCalls()])

    def test_again(self):
        """
        An application that was stopped can be started again.
        """
        for _ in range(2):
            self.application.startService()
            client = self.client("/signal/ws", self.site)
            client.say("Ping")
            self.assertEqual([Told("Pong")], client.heard())
            client.say("JoinRoom", JOIN)
            self.assertEqual("RoomJoined", client.heard()[0].type)
            self.application.stopService()
            self.pass_time(12, client)
            self.assertEqual([], self.reactor.getDelayedCalls())

    def test_stopping_without_clients(self):
        """
        With nobody connected the application stops at once.
        """
        self.application.startService()
        self.successResultOf(self.application.stopService())
        self.assertEqual([], self.reactor.getDelayedCalls())

    def test_two_servers(self):
        """
        Two servers in one process share nothing.
        """
        other = assemble(config.settings({}), self.reactor)
        client = self.client("/signal/ws", self.site)
        client.say("JoinRoom", JOIN)
        self.assertEqual((1, 0), (len(self.parts.rooms.rooms), len(other.rooms.rooms)))
        self.assertEqual(0, other.factory.traffic.connections)


class ConnectTokenTests(AssembleTestCase):
    """
    A server that requires connect tokens.
    """

    settings = {
        "security": {
            "connect_token": {
                "public_key": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
                "required": True,
            }
        },
        "websocket": {"auth_timeout_secs": 7},
        "rate_limit": {"max_inbound_error_replies": 2},
    }

    def test_nothing_first(self):
        """
        Whoever says anything before Authenticate is out.
        """
        for kind, data in (("Ping", None), ("JoinRoom", JOIN), ("LeaveRoom", None)):
            client = self.client()
            client.say(kind, data)
            error = {"message": "Authentication required", "error_code": "MISSING_APP_ID"}
            self.assertEqual([Told("Error", error)], client.heard())
            self.assertEqual((1000, "unregistered"), client.closed())

    def test_malformed_first(self):
        """
        A malformed message is only told so.
        """
        client = self.client()
        client.text(b"{")
        self.assertEqual("INVALID_INPUT", client.heard()[0].data["error_code"])
        self.assertIsNone(client.closed())

    def test_tries(self):
        """
        A refused token costs a refusal, and the connection lives on until these are used up.
        """
        client = self.client()
        for credentials, code in (
            ({}, "CONNECT_TOKEN_REQUIRED"),
            ({"connect_token": "x"}, "CONNECT_TOKEN_INVALID"),
        ):
            client.say("Authenticate", {"app_id": "a", **credentials})
            [told] = client.heard()
            self.assertEqual("AuthenticationError", told.type)
            self.assertEqual(code, told.data["error_code"])
        self.assertIsNone(client.closed())
        client.say("Authenticate", {"app_id": "a"})
        self.assertEqual((4006, "inbound_rate_limited"), client.closed())

    def test_timeout(self):
        """
        Who does not authenticate in time is out.
        """
        client = self.client()
        self.pass_time(6, client)
        self.assertIsNone(client.closed())
        self.pass_time(1, client)
        [told] = client.heard()
        self.assertEqual("AUTHENTICATION_TIMEOUT", told.data["error_code"])
        self.assertEqual((4001, "auth_timeout"), client.closed())

    def test_not_required(self):
        """
        Where tokens are not required, nobody has to authenticate.
        """
        self.settings = {}
        self.setUp()
        client = self.client()
        self.pass_time(20, client)
        client.say("Ping")
        self.assertEqual("Pong", client.heard()[-1].type)


class ListedTests(AssembleTestCase):
    """
    A server for the clients of two applications.
    """

    settings = {
        "security": {
            "allowed_apps": [
                {"app_id": "reef", "app_name": "Reef Racers", "rate_limit_per_minute": 4},
                {"app_id": "chess", "app_name": "Chess", "max_rooms": 1},
            ]
        },
        "rate_limit": {"max_room_creations": 1, "max_join_attempts": 3},
        "protocol": {"sdk_compatibility": {"enforce": True}},
    }

    def enter(self, app_id, **credentials):
        """
        A client that has authenticated.
        """
        client = self.client()
        client.say("Authenticate", {"app_id": app_id, **credentials})
        self.assertEqual(["Authenticated", "ProtocolInfo"], [told.type for told in client.heard()])
        return client

    def test_nothing_first(self):
        """
        Whoever says anything before Authenticate is out, and so is who says nothing.
        """
        client = self.client()
        client.say("JoinRoom", JOIN)
        [told] = client.heard()
        self.assertEqual("MISSING_APP_ID", told.data["error_code"])
        self.assertEqual((1000, "unregistered"), client.closed())
        client = self.client()
        self.pass_time(10, client)
        self.assertEqual((4001, "auth_timeout"), client.closed())

    def test_unknown(self):
        """
        Clients of other applications are out.
        """
        client = self.client()
        client.say("Authenticate", {"app_id": "other"})
        error = {"error": "InvalidAppId", "error_code": "INVALID_APP_ID"}
        self.assertEqual([Told("AuthenticationError", error)], client.heard())
        self.assertEqual((1000, "unregistered"), client.closed())

    def test_too_often(self):
        """
        So are those that come too often from one address, for a minute.
        """
        for _ in range(2):
            self.enter("reef")
        client = self.client()
        client.say("Authenticate", {"app_id": "reef"})
        error = {"error": "RateLimitExceeded", "error_code": "RATE_LIMIT_EXCEEDED"}
        self.assertEqual([Told("AuthenticationError", error)], client.heard())
        self.assertEqual((1000, "unregistered"), client.closed())

    def test_tries(self):
        """
        Who is too old, or wants what is too old, may try again on the same connection.
        """
        client = self.client()
        for credentials, code in (
            ({"platform": "unity", "sdk_version": "1.0.0"}, "SDK_VERSION_UNSUPPORTED"),
            ({"protocol_version": 1}, "UNSUPPORTED_PROTOCOL_VERSION"),
        ):
            client.say("Authenticate", {"app_id": "chess", **credentials})
            [told] = client.heard()
            self.assertEqual("AuthenticationError", told.type)
            self.assertEqual(code, told.data["error_code"])
        self.assertIsNone(client.closed())
        client.say("Authenticate", {"app_id": "chess"})
        authenticated, _ = client.heard()
        self.assertEqual("Chess", authenticated.data["app_name"])

    def test_apart(self):
        """
        Rooms are those of one application, and the budgets know it.
        """
        one, two = self.enter("reef"), self.enter("chess")
        for client in (one, two):
            client.say("JoinRoom", {**JOIN, "room_code": "AAAAAA"})
            told = client.heard()[0]
            self.assertEqual(("RoomJoined", 1), (told.type, len(told.data["current_players"])))
        two.say("LeaveRoom")
        two.heard()
        two.say("JoinRoom", {**JOIN, "game_name": "other"})
        [told] = two.heard()
        self.assertEqual("RATE_LIMIT_EXCEEDED", told.data["error_code"])

    def test_rooms(self):
        """
        An application has no more rooms than it may have.
        """
        self.enter("chess").say("JoinRoom", JOIN)
        client = self.enter("chess")
        client.say("JoinRoom", {**JOIN, "game_name": "other"})
        [told] = client.heard()
        self.assertEqual("MAX_ROOMS_PER_GAME_EXCEEDED", told.data["error_code"])

    def test_switched_off(self):
        """
        A list that is not in force changes nothing.
        """
        security = {**self.settings["security"], "enforce_app_id_allowlist": False}
        self.settings = {"security": security}
        self.setUp()
        client = self.client()
        client.say("Ping")
        self.assertEqual("Pong", client.heard()[-1].type)
        client = self.enter("other")
        client.say("JoinRoom", JOIN)
        self.assertEqual("RoomJoined", client.heard()[0].type)


class TokenBindingTests(AssembleTestCase):
    """
    A server that binds connections.
    """

    settings = {
        "security": {"transport": {"token_binding": {"enabled": True, "subprotocol": "own"}}}
    }

    def test_settings(self):
        """
        The settings are those of the binder.
        """
        self.assertEqual("own", self.parts.factory.binder.subprotocol)
        for key in ("required", "require_client_fingerprint"):
            tree = {"enabled": True, key: True}
            settings = config.settings({"security": {"transport": {"token_binding": tree}}})
            binder = assemble(settings, self.reactor).factory.binder
            told = {"required": binder.required, "require_client_fingerprint": binder.certified}
            self.assertEqual({**dict.fromkeys(told, False), key: True}, told)

    def test_off(self):
        """
        By default no connection is bound.
        """
        self.assertIsNone(assemble(config.settings({}), self.reactor).factory.binder)

    def test_challenge(self):
        """
        Who offers the subprotocol is challenged, each time anew; others are served as ever.
        """
        nonces = set()
        for _ in range(2):
            client = Client(self.reactor, self.parts.site).upgrade(subprotocols=["own"])
            [told] = client.heard()
            self.assertEqual("TokenBindingChallenge", told.type)
            nonces.add(told.data["nonce"])
        self.assertEqual({44}, set(map(len, nonces)))
        self.assertEqual(2, len(nonces))
        client = self.client()
        client.say("Ping")
        self.assertEqual(["Pong"], [told.type for told in client.heard()])


class Version3Tests(AssembleTestCase):
    """
    A server that speaks version 3 as well.
    """

    settings = {
        "rate_limit": {"max_signals": 2, "max_signal_errors": 1},
        "security": {"max_signal_bytes": 10},
        "session": {
            "default_topology": "host",
            "game_topology_mappings": {"reef": "mesh"},
            "incompatible_joiner": "refuse",
            "ice_servers": [{"urls": ["stun:own.example"]}],
        },
        "turn": {
            "stun_urls": [],
            "enabled": True,
            "urls": ["turn:turn.example"],
            "static_auth_secret": "Jefe",
            "credential_ttl_secs": 60,
        },
    }

    def join(self, path="/v3/ws", game="reef", **credentials):
        """
        Somebody who has taken a seat; the client, and the answer.
        """
        client = self.client(path)
        client.say("Authenticate", {"app_id": "a", **credentials})
        client.say("JoinRoom", {"game_name": game, "player_name": f"p{id(client)}"})
        _, info, joined = client.heard()[:3]
        return info.data.get("protocol_version", 2), joined.data

    def test_endpoints(self):
        """
        The endpoint decides for those who do not say which version they speak.
        """
        for path, wanted, version in (
            ("/v3/ws", {}, 3),
            ("/v2/ws", {}, 2),
            ("/ws", {}, 2),
            ("/v3/ws", {"protocol_version": 2}, 2),
            ("/v2/ws", {"protocol_version": 3}, 3),
            ("/ws", {"protocol_version": 9}, 3),
        ):
            self.assertEqual(version, self.join(path, **wanted)[0], (path, wanted))

    def test_ice_servers(self):
        """
        Players who may need them are told of the configured servers.
        """
        able = {"supported_transports": ["webrtc"], "supported_topologies": ["mesh"]}
        _, joined = self.join(**able)
        own, turn = joined["ice_servers"]
        self.assertEqual({"urls": ["stun:own.example"]}, own)
        self.assertEqual(["turn:turn.example"], turn["urls"])
        until, player = turn["username"].split(":")
        self.assertEqual(joined["player_id"], player)
        self.assertTrue(abs(int(until) - time.time() - 60) < 30)
        self.assertNotIn("ice_servers", self.join(game="other", **able)[1])
        self.assertNotIn("ice_servers", self.join()[1])

    def test_signals(self):
        """
        The size and the budgets of signals are as they are configured.
        """
        client = self.client("/v3/ws")
        nobody = "00000000-0000-4000-8000-000000000000"
        codes = []
        for value in ("x" * 9, "x"):
            client.say("Signal", {"to": nobody, "generation": nobody, "signal": value})
            codes += [told.data["error_code"] for told in client.heard()]
        self.assertEqual(["SIGNAL_TOO_LARGE", "SIGNAL_RATE_LIMITED"], codes)
        client = self.client("/v3/ws")
        for _ in range(3):
            client.say("TransportStatus", {"transport": "relay", "connected": True})
        self.assertEqual([], [told for told in client.heard() if told.type != "Error"])


class Version2OnlyTests(AssembleTestCase):
    """
    A server that does not speak version 3.
    """

    settings = {"protocol": {"max_protocol_version": 2}}

    def test_endpoint(self):
        """
        The endpoint of version 3 speaks version 2.
        """
        client = self.client("/v3/ws")
        client.say("Authenticate", {"app_id": "a", "protocol_version": 3})
        client.say("JoinRoom", {"game_name": "reef", "player_name": "p"})
        _, info, joined = client.heard()
        self.assertNotIn("protocol_version", info.data)
        self.assertNotIn("epoch", joined.data["current_players"][0])


class Version3OnlyTests(AssembleTestCase):
    """
    A server that does not speak version 2.
    """

    settings = {"protocol": {"min_protocol_version": 3}}

    def test_older_endpoints(self):
        """
        At the endpoints of version 2 clients are sent away.
        """
        for path in ("/v2/ws", "/ws"):
            client = self.client(path)
            [refusal] = client.heard()
            self.assertEqual("AuthenticationError", refusal.type)
            expected = "Endpoint protocol version 2 is below the server minimum 3"
            self.assertEqual(expected, refusal.data["error"])
            self.assertEqual("UNSUPPORTED_PROTOCOL_VERSION", refusal.data["error_code"])
            self.assertEqual((1000, "unregistered"), client.closed())

    def test_older_client(self):
        """
        A client that asks for version 2 is sent away.
        """
        client = self.client("/v3/ws")
        client.say("Authenticate", {"app_id": "a", "protocol_version": 2})
        [refusal] = client.heard()
        expected = "Client protocol version 2 is below the server minimum 3"
        self.assertEqual(expected, refusal.data["error"])
        self.assertEqual((1000, "unregistered"), client.closed())

    def test_newer_client(self):
        """
        A client that asks for nothing, or for version 3, is told both limits.
        """
        for request in ({}, {"protocol_version": 3}):
            client = self.client("/v3/ws")
            client.say("Authenticate", {"app_id": "a", **request})
            _, info = client.heard()
            limits = (info.data["min_protocol_version"], info.data["max_protocol_version"])
            self.assertEqual((3, 3), limits)

    def test_unauthenticated(self):
        """
        A client that never authenticates speaks version 3.
        """
        client = self.client("/v3/ws")
        client.say("JoinRoom", {"game_name": "reef", "player_name": "p"})
        self.assertEqual("RoomJoined", client.heard()[0].type)


class GuardedVersion3OnlyTests(AssembleTestCase):
    """
    A server that does not speak version 2, and expects everybody to authenticate.
    """

    settings = {
        "protocol": {"min_protocol_version": 3},
        "security": {
            "connect_token": {
                "public_key": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
                "required": True,
            }
        },
    }

    def test_older_endpoint(self):
        """
        It waits for what the client asks for.
        """
        client = self.client("/v2/ws")
        self.assertEqual([], client.heard())
        self.assertIsNone(client.closed())


class MetricsTokenTests(AssembleTestCase):
    """
    A server whose metrics need a token.
    """

    settings = {"security": {"metrics_auth_token": "s3cret"}}

    def test_token(self):
        """
        Only who has it sees them.
        """
        for headers, expected in (((), "401"), (("Authorization: Bearer s3cret",), "200")):
            client = Client(self.reactor, self.parts.site)
            self.assertEqual(expected, client.request("/metrics", *headers)[0].split()[1])


class ShowTests(SynchronousTestCase):
    """
    Options that only look at the configuration.
    """

    def setUp(self):
        """
        The environment configures nothing.
        """
        self.patch(__import__("os"), "environ", {})
        self.output = StringIO()
        self.patch(__import__("sys"), "stdout", self.output)

    def show(self, *arguments):
        """
        What is printed, if all is well.
        """
        exit_ = self.assertRaises(SystemExit, parsed, *arguments)
        self.assertEqual(0, exit_.code)
        return self.output.getvalue()

    def test_check(self):
        """
        A good configuration is said to be good, after what there is to know of it.
        """
        path = Path(self.mktemp())
        path.write_text('{"logging": {}, "security": {"metrics_auth_token": "s3cret"}}')
        self.assertEqual(
            [
                "Settings that mean nothing to this server: logging",
                "Open to everybody: any app id may connect, and the metrics need a token",
                "The configuration is good",
            ],
            self.show("--check-config", "--config", str(path)).splitlines(),
        )

    def test_check_bad(self):
        """
        A bad configuration is one line.
        """
        for arguments, start in (
            (("--config", "nowhere"), "signalfish: cannot read configuration file nowhere: "),
            (("--listen", "pigeon:1"), "signalfish: cannot listen on pigeon:1: "),
            (("--port", "70000"), "signalfish: port: 70000 is above 65535"),
        ):
            for option in ("--check-config", "--print-config"):
                exit_ = self.assertRaises(SystemExit, parsed, option, *arguments)
                self.assertTrue(exit_.code.startswith(start), exit_.code)
        self.assertEqual("", self.output.getvalue())

    def test_print(self):
        """
        The configuration is printed with what the command line says, and loads again.
        """
        self.patch(__import__("os"), "environ", {"SIGNAL_FISH__SERVER__MAX_ROOMS": "7"})
        path = Path(self.mktemp())
        path.write_text(self.show("--print-config", "--port", "77"))
        result = config.load(path)
        self.assertEqual((77, 7), (result.port, result.server.max_rooms))

    def test_print_endpoint(self):
        """
        A port that is no number has no place in it.
        """
        text = self.show("--print-config", "--port", "tcp:77")
        self.assertEqual(config.as_json(config.Settings()), text)
