"""
Tests for signalfish.config.
"""

import base64
import json
from pathlib import Path

from attrs import asdict, fields, has
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from signalfish.config import (
    ConfigError,
    IncompatibleJoiner,
    Settings,
    allowed_origins,
    load,
    settings,
    verification_key,
)
from signalfish.rooms.rules import StartRule
from signalfish.wire.types import IceServer, Topology

RANGES = {
    "port": (0, 65535),
    "server.default_max_players": (1, 100),
    "server.default_max_spectators": (0, None),
    "server.max_rooms": (1, None),
    "server.max_rooms_per_game": (1, None),
    "server.event_buffer_size": (0, 65536),
    "server.replay_memory_bytes": (0, None),
    "server.ping_timeout": (0, None),
    "rate_limit.max_room_creations": (1, None),
    "rate_limit.max_join_attempts": (1, None),
    "rate_limit.max_signals": (1, None),
    "rate_limit.max_signal_errors": (1, None),
    "rate_limit.max_inbound_error_replies": (1, None),
    "rate_limit.address_multiplier": (1, None),
    "rate_limit.max_messages_per_second": (0, None),
    "rate_limit.message_burst": (1, None),
    "protocol.max_game_name_length": (1, None),
    "protocol.max_player_name_length": (1, None),
    "protocol.room_code_length": (4, 64),
    "protocol.min_protocol_version": (2, 3),
    "protocol.max_protocol_version": (2, 3),
    "turn.credential_ttl_secs": (1, 86400),
    "websocket.send_queue_capacity": (1, None),
    "websocket.control_queue_capacity": (2, None),
    "websocket.max_sojourn_ms": (1, None),
    "websocket.delivery_stats_interval_secs": (0, 3600),
    "websocket.sender_backlog_bytes": (1, None),
    "websocket.slow_consumer_timeout_ms": (1, 600_000),
    "websocket.server_ping_interval_secs": (0, 3600),
    "websocket.pong_timeout_secs": (1, 3600),
    "websocket.auth_timeout_secs": (5, 60),
    "websocket.idle_timeout_secs": (0, None),
    "websocket.http_header_read_timeout_secs": (1, 60),
    "websocket.socket_send_buffer_bytes": (0, 16 << 20),
    "security.max_signal_bytes": (1, None),
    "security.max_connections_per_ip": (1, None),
    "security.max_connections": (1, None),
}
"""
Whole numbers, and what they may be.
"""

POSITIVE = [
    "server.room_cleanup_interval",
    "server.empty_room_timeout",
    "server.inactive_room_timeout",
    "rate_limit.time_window",
]
"""
Numbers that are above 0.
"""

DEFAULTS = {
    "port": 3536,
    "server.default_max_players": 8,
    "server.default_max_spectators": 32,
    "server.start_rule": StartRule.BY_PROTOCOL,
    "server.max_rooms": 10000,
    "server.max_rooms_per_game": 1000,
    "server.room_code_prefix": None,
    "server.room_cleanup_interval": 60,
    "server.empty_room_timeout": 300,
    "server.inactive_room_timeout": 3600,
    "server.enable_reconnection": True,
    "server.reconnection_window": 300,
    "server.event_buffer_size": 100,
    "server.replay_game_data": True,
    "server.replay_memory_bytes": 268435456,
    "server.ping_timeout": 30,
    "rate_limit.time_window": 60,
    "rate_limit.max_room_creations": 5,
    "rate_limit.max_join_attempts": 20,
    "rate_limit.max_inbound_error_replies": 3000,
    "rate_limit.address_multiplier": 10,
    "rate_limit.max_messages_per_second": 1000,
    "rate_limit.message_burst": 2000,
    "protocol.max_game_name_length": 64,
    "protocol.max_player_name_length": 32,
    "protocol.room_code_length": 6,
    "protocol.max_players_limit": 100,
    "protocol.enable_message_pack_game_data": True,
    "protocol.enable_rkyv_game_data": False,
    "protocol.enable_protobuf_game_data": False,
    "relay_types.default_relay_type": "matchbox",
    "relay_types.game_relay_mappings": {},
    "websocket.send_queue_capacity": 1024,
    "websocket.control_queue_capacity": 128,
    "websocket.max_sojourn_ms": 15000,
    "websocket.delivery_stats_interval_secs": 0,
    "websocket.sender_backlog_bytes": 131072,
    "websocket.slow_consumer_timeout_ms": 5000,
    "websocket.server_ping_interval_secs": 10,
    "websocket.pong_timeout_secs": 5,
    "websocket.auth_timeout_secs": 10,
    "websocket.idle_timeout_secs": 300,
    "websocket.http_header_read_timeout_secs": 10,
    "websocket.socket_send_buffer_bytes": 65536,
    "security.max_message_size": 65536,
    "security.max_connection_info_bytes": 8192,
    "security.max_outbound_message_size": 8388608,
    "server.drain_grace_secs": 10,
    "security.max_connections_per_ip": 64,
    "security.max_connections": 10000,
    "security.max_signal_bytes": 16384,
    "security.connect_token": None,
    "security.trusted_proxies": (),
    "security.cors_origins": "*",
    "security.transport.token_binding.enabled": False,
    "security.transport.token_binding.required": False,
    "security.transport.token_binding.require_client_fingerprint": False,
    "security.transport.token_binding.subprotocol": "signalfish.tokenbinding.v2",
    "rate_limit.max_signals": 600,
    "rate_limit.max_signal_errors": 60,
    "protocol.max_protocol_version": 3,
    "session.default_topology": Topology.MESH,
    "session.game_topology_mappings": {},
    "session.enable_webrtc": True,
    "session.enable_direct": True,
    "session.enable_ice_pregather": True,
    "session.incompatible_joiner": IncompatibleJoiner.RELAY,
    "session.ice_servers": (),
    "turn.stun_urls": ("stun:stun.l.google.com:19302",),
    "turn.enabled": False,
    "turn.urls": (),
    "turn.static_auth_secret": "",
    "turn.credential_ttl_secs": 3600,
}


def nested(key, value):
    """
    The tree with one value at a dotted key.
    """
    for name in reversed(key.split(".")):
        value = {name: value}
    return value


def found(result, key):
    """
    The value at a dotted key.
    """
    for name in key.split("."):
        result = getattr(result, name)
    return result


def leaves(section, path=""):
    """
    All dotted keys and their values.
    """
    for attribute in fields(type(section)):
        value = getattr(section, attribute.name)
        if has(type(value)):
            yield from leaves(value, f"{path}{attribute.name}.")
        else:
            yield path + attribute.name, value


class ConfigTestCase(SynchronousTestCase):
    """
    Settings from a tree.
    """

    def problem(self, tree):
        """
        What is wrong with a tree, which must be one line.
        """
        text = str(self.assertRaises(ConfigError, settings, tree))
        self.assertEqual(1, len(text.splitlines()), text)
        return text

    def assert_fits(self, key, value):
        """
        Check that a value is allowed and arrives.
        """
        self.assertEqual(value, found(settings(nested(key, value)), key))

    def assert_wrong(self, key, value):
        """
        Check that a value is not allowed, and that it and the key are named; the text.
        """
        text = self.problem(nested(key, value))
        self.assertTrue(text.startswith(f"{key}: "), text)
        self.assertIn(repr(value), text)
        return text


class DefaultTests(ConfigTestCase):
    """
    Nothing has to be configured.
    """

    def test_empty(self):
        """
        Without any source all settings have their defaults.
        """
        self.assertEqual(Settings(), load())
        self.assertEqual(Settings(), settings({}))
        for key, value in DEFAULTS.items():
            self.assertEqual(value, found(Settings(), key), key)

    def test_own_dictionaries(self):
        """
        No two settings share anything that can change.
        """
        first, second = Settings(), Settings()
        first.relay_types.game_relay_mappings["g"] = "r"
        self.assertEqual({}, second.relay_types.game_relay_mappings)

    def test_default_tree(self):
        """
        The defaults are allowed themselves.
        """
        tree = json.loads(json.dumps(asdict(Settings())))
        self.assertEqual(Settings(), settings(tree))


class RangeTests(ConfigTestCase):
    """
    What settings may be.
    """

    def test_borders(self):
        """
        Each number is allowed at its borders and not beyond, and the text says what is allowed.
        """
        for key, (least, most) in RANGES.items():
            self.assert_fits(key, least)
            text = self.assert_wrong(key, least - 1)
            self.assertIn(str(least), text)
            self.assert_fits(key, 10**9 if most is None else most)
            if most is not None:
                text = self.assert_wrong(key, most + 1)
                self.assertIn(str(most), text)

    def test_all_numbers(self):
        """
        No number was forgotten here.
        """
        others = {
            "protocol.max_players_limit",
            "security.max_connection_info_bytes",
            "security.max_message_size",
            "security.max_outbound_message_size",
            "server.drain_grace_secs",
            "server.reconnection_window",
            *POSITIVE,
        }
        numbers = {
            key
            for key, value in leaves(Settings())
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        self.assertEqual({*RANGES, *others}, numbers)

    @given(st.sampled_from(sorted(RANGES)), st.integers(-(10**6), 10**8))
    def test_any_number(self, key, number):
        """
        A number is allowed exactly if it is between the borders.
        """
        least, most = RANGES[key]
        if least <= number and (most is None or number <= most):
            self.assert_fits(key, number)
        else:
            self.assert_wrong(key, number)

    def test_positive(self):
        """
        Times are above 0 and at most 31 years, and may be fractions.
        """
        for key in POSITIVE:
            self.assert_fits(key, 1e9)
            self.assert_wrong(key, 1.1e9)
            self.assert_fits(key, 0.001)
            self.assert_fits(key, 7)
            for value in (0, 0.0, -1, -0.5):
                self.assertIn("> 0", self.assert_wrong(key, value))

    def test_window(self):
        """
        The window of return is at least a second.
        """
        self.assert_fits("server.reconnection_window", 1)
        self.assert_fits("server.reconnection_window", 1.5)
        for value in (0.99, 0, -5):
            self.assert_wrong("server.reconnection_window", value)

    def test_grace(self):
        """
        The time for clients to leave may be nothing.
        """
        for seconds in (0, 0.5, 1e9):
            self.assert_fits("server.drain_grace_secs", seconds)
        for seconds in (-0.1, 1.1e9):
            self.assert_wrong("server.drain_grace_secs", seconds)

    def test_message_sizes(self):
        """
        A message that is received can be passed on, with something around it.
        """
        self.assert_fits("security.max_message_size", 256)
        self.assert_wrong("security.max_message_size", 255)
        self.assert_fits("security.max_message_size", (8 << 20) - 256)
        text = self.problem(nested("security.max_message_size", (8 << 20) - 255))
        self.assertTrue(text.startswith("security.max_outbound_message_size: 8388608 "), text)
        self.assertIn("security.max_message_size, which is 8388353", text)
        largest = {"max_message_size": 16 << 20, "max_outbound_message_size": 64 << 20}
        self.assertEqual(16 << 20, settings({"security": largest}).security.max_message_size)
        self.assert_wrong("security.max_message_size", (16 << 20) + 1)
        self.assert_wrong("security.max_outbound_message_size", (64 << 20) + 1)
        self.assert_wrong("security.max_outbound_message_size", 0)

    def test_snapshot_sizes(self):
        """
        A full room in which everybody has told how to be reached can be described.
        """
        self.assert_fits("security.max_connection_info_bytes", 83886)
        self.assert_wrong("security.max_connection_info_bytes", 0)
        text = self.problem(nested("security.max_connection_info_bytes", 83887))
        self.assertTrue(text.startswith("security.max_outbound_message_size: 8388608 "), text)
        self.assertIn("100 players", text)
        self.assertIn("which is 83887", text)

    def test_origins(self):
        """
        Origins are listed in a list, or in a text with commas, or are any.
        """
        self.assertIsNone(allowed_origins(Settings().security.cors_origins))
        both = {"https://game.example", "http://localhost:5173"}
        for value in (sorted(both), "https://game.example,http://localhost:5173"):
            result = settings(nested("security.cors_origins", value))
            self.assertEqual(both, allowed_origins(result.security.cors_origins))
        name = "SIGNAL_FISH__SECURITY__CORS_ORIGINS"
        for text in (",".join(both), ", ".join(both), json.dumps(list(both))):
            loaded = load(None, {name: text})
            self.assertEqual(both, allowed_origins(loaded.security.cors_origins))

    def test_each_origin(self):
        """
        An origin is written as browsers write it.
        """
        for good in (
            "null",
            "http://a",
            "https://a-b.example",
            "http://a:443",
            "https://a:80",
            "http://a:65535",
            "http://127.0.0.1:8000",
            "http://[::1]:8000",
            "https://xn--bcher-kva.example",
        ):
            self.assert_fits("security.cors_origins", good)
            self.assert_fits("security.cors_origins", (good, "https://other.example"))
        for bad in (
            "",
            "ws://a",
            "https://a/",
            "https://a/path",
            "https://A.example",
            "HTTPS://a",
            "https://a:443",
            "http://a:80",
            "http://a:0",
            "http://a:080",
            "http://a:65536",
            "http://",
            "http://a.",
            "http://u@a",
            "http://a?x",
            "http://*.example",
            "http://bücher.example",
            "http://[0:0:0:0:0:0:0:1]",
            "http://[::1",
            "http://a b",
            "*",
            "NULL",
        ):
            tree = nested("security.cors_origins", ["https://game.example", bad])
            text = self.problem(tree)
            self.assertTrue(text.startswith(f"security.cors_origins: {bad!r} "), text)
        self.assertIn(
            "security.cors_origins: lists no", self.problem(nested("security.cors_origins", []))
        )
        for value in (None, 5, [None]):
            self.problem(nested("security.cors_origins", value))

    def test_trusted_proxies(self):
        """
        Proxies are addresses, networks, or whatever connects on a Unix socket.
        """
        good = ("127.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32", "unix", "0.0.0.0/0")
        self.assert_fits("security.trusted_proxies", good)
        name = "SIGNAL_FISH__SECURITY__TRUSTED_PROXIES"
        loaded = load(None, {name: "10.0.0.0/8,unix"})
        self.assertEqual(("10.0.0.0/8", "unix"), loaded.security.trusted_proxies)
        for bad in ("proxy.example", "10.0.0.1/8", "10.0.0.0/33", "", " 10.0.0.1", "*", "UNIX"):
            tree = nested("security.trusted_proxies", ["127.0.0.1", bad])
            text = self.problem(tree)
            self.assertTrue(text.startswith(f"security.trusted_proxies: {bad!r} is neither"), text)
        self.assert_wrong("security.trusted_proxies", "10.0.0.0/8")

    def test_not_finite(self):
        """
        Numbers are finite.
        """
        for key in (*POSITIVE, "server.reconnection_window", "server.drain_grace_secs"):
            for text in ("NaN", "Infinity"):
                name = "SIGNAL_FISH__" + key.upper().replace(".", "__")
                error = self.assertRaises(ConfigError, load, None, {name: text})
                self.assertTrue(str(error).startswith(key), str(error))

    def test_types(self):
        """
        A value of the wrong type is not allowed.
        """
        for key, value in (
            ("port", "3536"),
            ("port", 3536.5),
            ("port", True),
            ("port", None),
            ("server.max_rooms", "many"),
            ("server.max_rooms", True),
            ("server.enable_reconnection", "yes"),
            ("server.enable_reconnection", 1),
            ("server.empty_room_timeout", "300"),
            ("relay_types.default_relay_type", 1),
            ("server.room_code_prefix", 12),
        ):
            self.assertIn("expected", self.assert_wrong(key, value))

    def test_whole_sections(self):
        """
        A section is an object.
        """
        for section in ("server", "protocol", "security", "protocol.player_name_validation"):
            for value in (None, 5, "x", []):
                self.assert_wrong(section, value)

    def test_null(self):
        """
        Some settings may be null.
        """
        for key in (
            "server.default_max_spectators",
            "server.room_code_prefix",
            "protocol.player_name_validation.additional_allowed_characters",
        ):
            self.assert_fits(key, None)

    def test_start_rule(self):
        """
        The start rule is one of three words.
        """
        for rule in StartRule:
            self.assert_fits("server.start_rule", rule.value)
        self.assert_wrong("server.start_rule", "AUTOMATIC")

    def test_start_rule_text(self):
        """
        Who gets the start rule wrong is told the words that are allowed.
        """
        text = self.assert_wrong("server.start_rule", "sometimes")
        for rule in StartRule:
            self.assertIn(rule.value, text)

    def test_prefix(self):
        """
        The prefix of room codes has capital letters and digits, and leaves room for others.
        """
        for prefix in ("", "A", "EU1", "ABCDE"):
            self.assert_fits("server.room_code_prefix", prefix)
        for prefix in ("eu", "A-", "Ä", " A"):
            self.assert_wrong("server.room_code_prefix", prefix)
        text = self.problem(nested("server.room_code_prefix", "ABCDEF"))
        self.assertIn("protocol.room_code_length, which is 6", text)
        tree = {"server": {"room_code_prefix": "ABCDEF"}, "protocol": {"room_code_length": 7}}
        self.assertEqual("ABCDEF", settings(tree).server.room_code_prefix)

    def test_prefix_with_line_break(self):
        """
        The prefix of room codes does not end with a line break.
        """
        self.assert_wrong("server.room_code_prefix", "A\n")

    def test_capacity(self):
        """
        The default capacity of rooms is not above what may be asked for.
        """
        text = self.problem({"protocol": {"max_players_limit": 7}})
        self.assertIn("server.default_max_players: 8", text)
        self.assertIn("protocol.max_players_limit, which is 7", text)
        tree = {"server": {"default_max_players": 7}, "protocol": {"max_players_limit": 7}}
        self.assertEqual(7, settings(tree).server.default_max_players)
        self.assert_fits("protocol.max_players_limit", 255)
        self.assert_wrong("protocol.max_players_limit", 256)
        self.assert_wrong("protocol.max_players_limit", 0)

    def test_names(self):
        """
        The characters of names can be chosen.
        """
        names = "protocol.player_name_validation"
        result = settings(nested(f"{names}.allowed_symbols", ["!", "ü"]))
        self.assertEqual(("!", "ü"), found(result, f"{names}.allowed_symbols"))
        for symbols in (["ab"], [""]):
            text = self.problem(nested(f"{names}.allowed_symbols", symbols))
            self.assertTrue(text.startswith(f"{names}.allowed_symbols"), text)
        self.assert_wrong(f"{names}.allowed_symbols", "ab")

    def test_mappings(self):
        """
        Relay labels can be given for games of any name.
        """
        self.assert_fits("relay_types.game_relay_mappings", {"My Game!": "tcp", "b": "udp"})
        text = self.problem(nested("relay_types.game_relay_mappings", {"g": 1}))
        self.assertTrue(text.startswith("relay_types.game_relay_mappings"), text)


class UnknownKeyTests(ConfigTestCase):
    """
    Keys that do not exist.
    """

    def test_unknown(self):
        """
        An unknown key is named, with those that are allowed in its place.
        """
        for tree, key, allowed in (
            ({"prot": 1}, "prot", ["port", "server"]),
            ({"server": {"max_room": 1}}, "server.max_room", ["max_rooms", "start_rule"]),
            (
                nested("protocol.player_name_validation.spaces", True),
                "protocol.player_name_validation.spaces",
                ["allow_spaces"],
            ),
            ({"server": {"SERVER": {}}}, "server.SERVER", ["max_rooms"]),
        ):
            text = self.problem(tree)
            self.assertTrue(text.startswith(f"{key}: unknown key; allowed here: "), text)
            for name in allowed:
                self.assertIn(name, text.partition(" here: ")[2].split(", "))

    def test_every_section(self):
        """
        Unknown keys are found in every section.
        """

        def sections(section, path):
            yield path
            for attribute in fields(section):
                value = getattr(section(), attribute.name)
                if has(type(value)):
                    yield from sections(type(value), (*path, attribute.name))

        paths = list(sections(Settings, ()))
        self.assertGreater(len(paths), 6)
        for path in paths:
            self.assertIn("unknown key", self.problem(nested(".".join((*path, "nonsense")), 1)))

    def test_before_values(self):
        """
        A misspelt key is reported before a bad value.
        """
        self.assertIn("unknown", self.problem({"port": -1, "sever": {}}))


class SessionTests(ConfigTestCase):
    """
    What players are to run besides the relay.
    """

    def test_topologies(self):
        """
        Topologies have names; other names are wrong.
        """
        for topology in Topology:
            result = settings({"session": {"default_topology": topology.value}})
            self.assertIs(topology, result.session.default_topology)
        result = settings({"session": {"game_topology_mappings": {"chess": "host"}}})
        self.assertEqual({"chess": Topology.HOST}, result.session.game_topology_mappings)
        for wrong in ("star", "", "Mesh", None, 1):
            self.assert_wrong("session.default_topology", wrong)

    def test_incompatible_joiner(self):
        """
        There are two ways to deal with somebody who cannot run a session.
        """
        for way in IncompatibleJoiner:
            result = settings({"session": {"incompatible_joiner": way.value}})
            self.assertIs(way, result.session.incompatible_joiner)
        self.assert_wrong("session.incompatible_joiner", "kick")

    def test_ice_servers(self):
        """
        ICE servers are written as WebRTC implementations take them.
        """
        servers = [{"urls": ["stun:a"]}, {"urls": ["turn:b"], "username": "u", "credential": "c"}]
        self.assertEqual(
            (
                IceServer(urls=("stun:a",)),
                IceServer(urls=("turn:b",), username="u", credential="c"),
            ),
            settings({"session": {"ice_servers": servers}}).session.ice_servers,
        )
        for wrong in ([{}], [{"urls": "stun:a"}], [1], {}):
            self.problem({"session": {"ice_servers": wrong}})

    def test_secret_is_not_shown(self):
        """
        The secret of the TURN service does not get into logs.
        """
        result = settings({"turn": {"static_auth_secret": "Jefe"}})
        self.assertEqual("Jefe", result.turn.static_auth_secret)
        self.assertNotIn("Jefe", repr(result))


class TokenBindingTests(ConfigTestCase):
    """
    How connections are bound.
    """

    PATH = "security.transport.token_binding"

    def binding(self, **values):
        """
        A tree with these settings.
        """
        return nested(self.PATH, values)

    def test_together(self):
        """
        Nothing can be required of what is off.
        """
        for key in ("required", "require_client_fingerprint"):
            text = self.problem(self.binding(**{key: True}))
            expected = f"{self.PATH}.{key}: is true, but {self.PATH}.enabled is false"
            self.assertEqual(expected, text)
            result = settings(self.binding(enabled=True, **{key: True}))
            self.assertTrue(found(result, f"{self.PATH}.{key}"))

    def test_subprotocol(self):
        """
        The subprotocol has a name that HTTP allows, and not that of another version.
        """
        for name in ("signalfish.tokenbinding.v2", "my.binding", "!#$%&'*+-.^_`|~09AZaz"):
            self.assert_fits(f"{self.PATH}.subprotocol", name)
        for name in ("", " ", "a b", "a,b", "a\n", "é", "a/b", '"a"', None, 1):
            self.assert_wrong(f"{self.PATH}.subprotocol", name)
        for name in ("signalfish.tokenbinding.v1", "SignalFish.TokenBinding.v2"):
            self.assert_fits(f"{self.PATH}.subprotocol", name)
            text = self.problem(self.binding(enabled=True, subprotocol=name))
            self.assertTrue(text.startswith(f"{self.PATH}.subprotocol: {name!r} "), text)
            self.assertIn("'signalfish.tokenbinding.v2'", text)

    def test_by_variable(self):
        """
        It can be switched on by a variable.
        """
        name = "SIGNAL_FISH__SECURITY__TRANSPORT__TOKEN_BINDING__ENABLED"
        self.assertTrue(load(environment={name: "true"}).security.transport.token_binding.enabled)


class ConnectTokenTests(ConfigTestCase):
    """
    What connect tokens are verified with.
    """

    KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    PATH = "security.connect_token"

    def problem_of(self, **values):
        """
        What is wrong with these settings.
        """
        text = self.problem(nested(self.PATH, values))
        self.assertTrue(text.startswith(self.PATH), text)
        return text

    def test_null(self):
        """
        There may be none, also explicitly.
        """
        self.assertIsNone(settings(nested(self.PATH, None)).security.connect_token)
        self.assertIsNone(verification_key(None))

    def test_key(self):
        """
        The key may be given as it is.
        """
        result = settings(nested(self.PATH, {"public_key": self.KEY, "required": True}))
        section = result.security.connect_token
        self.assertTrue(section.required)
        self.assertEqual(base64.b64decode(self.KEY), verification_key(section).public_bytes_raw())

    def test_file(self):
        """
        The key may be in a file, with white space around it.
        """
        path = Path(self.mktemp())
        path.write_text(f"{self.KEY}\n")
        result = settings(nested(self.PATH, {"public_key_path": str(path)}))
        key = verification_key(result.security.connect_token)
        self.assertEqual(base64.b64decode(self.KEY), key.public_bytes_raw())

    def test_bad_file(self):
        """
        A file that cannot be read, or has no key, is named.
        """
        path = Path(self.mktemp())
        self.assertIn(f"cannot read {path}", self.problem_of(public_key_path=str(path)))
        for content in (b"", b"x", b"\xff" * 44, self.KEY.encode() * 2):
            path.write_bytes(content)
            self.assertIn(str(path), self.problem_of(public_key_path=str(path)))
        self.assertIn("public_key_path", self.problem_of(public_key_path="\0"))

    def test_one(self):
        """
        There is one key, not two and not none.
        """
        for values in ({}, {"required": True}, {"public_key": self.KEY, "public_key_path": "x"}):
            self.assertIn("either public_key or public_key_path", self.problem_of(**values))

    def test_wrong(self):
        """
        What is no key is shown.
        """
        for wrong in ("", "x", self.KEY[:-4], "A" * 43 + "="):
            text = self.problem_of(public_key=wrong)
            self.assertTrue(text.startswith(f"{self.PATH}.public_key: {wrong!r} is "), text)

    def test_unknown(self):
        """
        Unknown keys are found here too.
        """
        self.assertIn("unknown key", self.problem_of(public_key=self.KEY, secret="x"))

    def test_by_variable(self):
        """
        The key can be given by a variable.
        """
        name = "SIGNAL_FISH__SECURITY__CONNECT_TOKEN__PUBLIC_KEY"
        section = load(environment={name: self.KEY}).security.connect_token
        self.assertEqual(self.KEY, section.public_key)


class FileTests(ConfigTestCase):
    """
    Configuration files.
    """

    def file(self, name, text):
        """
        A file with this content.
        """
        path = Path(self.mktemp())
        path.mkdir()
        path /= name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def problem_of(self, path):
        """
        What is wrong with a file, which must be one line.
        """
        text = str(self.assertRaises(ConfigError, load, path))
        self.assertEqual(1, len(text.splitlines()), text)
        return text

    def test_json(self):
        """
        A file may be JSON.
        """
        path = self.file("config.json", '{"port": 1, "server": {"max_rooms": 2}}')
        result = load(path)
        self.assertEqual((1, 2), (result.port, result.server.max_rooms))
        self.assertEqual(1000, result.server.max_rooms_per_game)

    def test_toml(self):
        """
        A file may be TOML, if its name says so.
        """
        path = self.file("config.toml", 'port = 1\n[server]\nstart_rule = "explicit"\n')
        result = load(path)
        self.assertEqual((1, StartRule.EXPLICIT), (result.port, result.server.start_rule))

    def test_any_suffix(self):
        """
        A file with any other name is JSON.
        """
        self.assertEqual(1, load(self.file("config", '{"port": 1}')).port)

    def test_unreadable(self):
        """
        A file that cannot be read is named.
        """
        path = Path(self.mktemp())
        self.assertIn(str(path), self.problem_of(path))
        path.mkdir()
        self.assertIn(str(path), self.problem_of(path))

    def test_malformed(self):
        """
        A file that cannot be parsed is named.
        """
        for name, text in (
            ("a.json", "{"),
            ("a.json", ""),
            ("a.json", '{"port": 1,}'),
            ("a.json", b"\xff"),
            ("a.toml", "port: 1"),
            ("a.toml", b'x = "\xff"'),
        ):
            path = self.file(name, text)
            self.assertIn(str(path), self.problem_of(path))

    def test_no_object(self):
        """
        A file holds an object.
        """
        for text in ("[]", "1", '"port"', "null"):
            path = self.file("a.json", text)
            problem = f"configuration file {path} must hold an object of sections"
            self.assertEqual(problem, self.problem_of(path))

    def test_wrong(self):
        """
        What is wrong with a setting in a file is told by its key.
        """
        self.assertTrue(self.problem_of(self.file("a.json", '{"port": -1}')).startswith("port: "))


class EnvironmentTests(ConfigTestCase):
    """
    Settings by environment variables.
    """

    def test_values(self):
        """
        A value is JSON if it can be, and otherwise a text.
        """
        for name, text, value in (
            ("PORT", "1", 1),
            ("SERVER__ENABLE_RECONNECTION", "false", False),
            ("SERVER__EMPTY_ROOM_TIMEOUT", "1.5", 1.5),
            ("SERVER__START_RULE", "explicit", StartRule.EXPLICIT),
            ("SERVER__START_RULE", '"explicit"', StartRule.EXPLICIT),
            ("SERVER__DEFAULT_MAX_SPECTATORS", "null", None),
            ("SERVER__ROOM_CODE_PREFIX", '"12"', "12"),
            ("RELAY_TYPES__GAME_RELAY_MAPPINGS", '{"g": "tcp"}', {"g": "tcp"}),
            ("PROTOCOL__PLAYER_NAME_VALIDATION__ALLOW_SPACES", "false", False),
            ("PROTOCOL__PLAYER_NAME_VALIDATION__ALLOWED_SYMBOLS", '["!"]', ("!",)),
        ):
            result = load(environment={f"SIGNAL_FISH__{name}": text})
            self.assertEqual(value, found(result, name.lower().replace("__", ".")), name)

    def test_case(self):
        """
        The case of the keys does not matter.
        """
        self.assertEqual(1, load(environment={"SIGNAL_FISH__Port": "1"}).port)

    def test_comma_list(self):
        """
        A list of texts may be written with commas.
        """
        name = "SIGNAL_FISH__PROTOCOL__PLAYER_NAME_VALIDATION__ALLOWED_SYMBOLS"
        names = load(environment={name: "!,?"}).protocol.player_name_validation
        self.assertEqual(("!", "?"), names.allowed_symbols)

    def test_others(self):
        """
        Other variables are not looked at.
        """
        others = {"PORT": "1", "SIGNAL_FISH_PORT": "x", "XSIGNAL_FISH__PORT": "x", "HOME": "/"}
        self.assertEqual(Settings(), load(environment=others))

    def test_precedence(self):
        """
        Variables win over the file, and the file over the defaults.
        """
        path = Path(self.mktemp())
        path.write_text('{"port": 1, "server": {"max_rooms": 2, "ping_timeout": 3}}')
        result = load(path, {"SIGNAL_FISH__SERVER__MAX_ROOMS": "4"})
        expected = (1, 4, 3, 1000)
        server = result.server
        told = (result.port, server.max_rooms, server.ping_timeout, server.max_rooms_per_game)
        self.assertEqual(expected, told)

    def test_section(self):
        """
        A variable may hold a section, and more exact variables win over it.
        """
        result = load(
            environment={
                "SIGNAL_FISH__SERVER__MAX_ROOMS": "4",
                "SIGNAL_FISH__SERVER": '{"max_rooms": 1, "ping_timeout": 2}',
            }
        )
        self.assertEqual((4, 2), (result.server.max_rooms, result.server.ping_timeout))

    def test_section_and_file(self):
        """
        A variable that holds a section is merged with that of the file.
        """
        path = Path(self.mktemp())
        path.write_text('{"server": {"max_rooms": 2}}')
        result = load(path, {"SIGNAL_FISH__SERVER": '{"ping_timeout": 3}'})
        self.assertEqual((2, 3), (result.server.max_rooms, result.server.ping_timeout))

    def test_wrong(self):
        """
        What is wrong with a variable is told by its key.
        """
        for name, text, start in (
            ("PORT", "x", "port: "),
            ("SERVER__MAX_ROOMS", "0", "server.max_rooms: "),
            ("SERVER__MAX_ROOM", "1", "server.max_room: unknown key"),
            ("NONSENSE__X", "1", "nonsense: unknown key"),
            ("PORT__X", "1", "port: "),
            ("", "1", ": unknown key"),
        ):
            environment = {f"SIGNAL_FISH__{name}": text}
            error = str(self.assertRaises(ConfigError, load, None, environment))
            self.assertTrue(error.startswith(start), error)
            self.assertEqual(1, len(error.splitlines()))

    def test_no_section(self):
        """
        A variable cannot be inside of one that is no section.
        """
        environment = {"SIGNAL_FISH__PORT": "1", "SIGNAL_FISH__PORT__X": "1"}
        error = str(self.assertRaises(ConfigError, load, None, environment))
        self.assertTrue(error.startswith("port: "), error)
        environment = {"SIGNAL_FISH__SERVER": "1", "SIGNAL_FISH__SERVER__MAX_ROOMS": "1"}
        error = str(self.assertRaises(ConfigError, load, None, environment))
        self.assertTrue(error.startswith("server: "), error)

    def test_not_changed(self):
        """
        The environment is only read.
        """
        environment = {"SIGNAL_FISH__SERVER": '{"max_rooms": 1}'}
        before = dict(environment)
        load(environment=environment)
        self.assertEqual(before, environment)
