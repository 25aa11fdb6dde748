"""
Tests for where settings come from, and for those of the public server.
"""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from signalfish.config import ConfigError, Settings, as_json, configure, load, settings
from signalfish.config.legacy import ALIASES, IGNORED, REFUSED, modern
from signalfish.config.reference import entries
from tests.test_config import nested

OLD = {
    "port": 3536,
    "server": {"heartbeat_throttle_secs": 30, "region_id": "eu", "max_rooms": 7},
    "protocol": {
        "min_protocol_version": 2,
        "sdk_compatibility": {"enforce": False},
    },
    "logging": {"dir": "logs", "rotation": "daily", "level": None},
    "security": {
        "require_metrics_auth": True,
        "metrics_auth_token": "s3cret",
        "transport": {
            "tls": {"enabled": False, "certificate_path": None, "client_auth": "none"},
            "token_binding": {
                "enabled": False,
                "subprotocol": "signalfish.tokenbinding.v1",
                "scheme": "sec_websocket_key_sha256",
            },
        },
    },
    "auth": {"rate_limit_cache_alert_rows": 1},
    "coordination": {"dedup_cache": {"capacity": 1}},
    "metrics": {"dashboard_cache_ttl_secs": 30},
    "websocket": {"enable_batching": True, "batch_size": 10, "batch_interval_ms": 16},
}
"""
A configuration such as the public server has.
"""

SECTIONS = st.sampled_from(("port", "server", "security", "turn", "logging", "_", "connect_token"))

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(SECTIONS | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


class SourceTestCase(SynchronousTestCase):
    """
    Configurations from several sources.
    """

    def file(self, content, name="settings.json"):
        """
        The path of a new file, in a directory of its own.
        """
        directory = Path(self.mktemp()).resolve()
        directory.mkdir()
        path = directory / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    def problem(self, path=None, **environment):
        """
        What is wrong, which must be one line.
        """
        text = str(self.assertRaises(ConfigError, load, path, environment))
        self.assertEqual(1, len(text.splitlines()), text)
        return text

    def notes(self, path=None, directory=None, **environment):
        """
        What an operator is told besides.
        """
        return configure(path, environment, directory).notes


class LegacyTests(SourceTestCase):
    """
    Configurations of the public server.
    """

    def test_file(self):
        """
        A file of the public server works, and one line says what of it means nothing.
        """
        configuration = configure(self.file(OLD), {})
        self.assertEqual(7, configuration.settings.server.max_rooms)
        self.assertEqual(b"s3cret", configuration.settings.security.metrics_token)
        [note] = configuration.notes
        head, _, names = note.partition(": ")
        self.assertEqual("Settings that mean nothing to this server", head)
        self.assertEqual(
            [
                "auth",
                "coordination",
                "logging",
                "metrics",
                "security.transport.tls.certificate_path",
                "security.transport.tls.client_auth",
                "security.transport.token_binding.scheme",
                "server.heartbeat_throttle_secs",
                "server.region_id",
                "websocket.batch_interval_ms",
                "websocket.batch_size",
                "websocket.enable_batching",
            ],
            names.split(", "),
        )

    def test_every_ignored_key(self):
        """
        Each key that means nothing is accepted with any value, in files and as a variable.
        """
        for key in IGNORED:
            for value in (None, 1, "x", [], {"a": {"b": 1}}):
                configuration = configure(self.file(nested(key, value)), {})
                self.assertEqual(Settings(), configuration.settings, key)
                self.assertIn(key, configuration.notes[0])
            name = "SIGNAL_FISH__" + key.upper().replace(".", "__")
            self.assertIn(key, self.notes(**{name: "x"})[0])

    def test_nothing_at_once(self):
        """
        No key means nothing and something.
        """
        declared = {entry.name for entry in entries()}
        self.assertEqual(set(), declared & (IGNORED | set(REFUSED) | set(ALIASES)))

    def test_comments(self):
        """
        Keys that begin as comments do are left out, in every section.
        """
        tree = {"$schema": "x", "_note": 1, "turn": {"_": 1}, "port": 1}
        configuration = configure(self.file(tree), {})
        self.assertEqual(Settings(port=1), configuration.settings)
        self.assertTrue(configuration.notes[0].endswith(": $schema, _note, turn._"))

    def test_no_comments_in_data(self):
        """
        What looks like a comment among the keys of an operator is none.
        """
        games = {"_default": "tcp", "$": "udp"}
        configuration = configure(self.file(nested("relay_types.game_relay_mappings", games)), {})
        self.assertEqual(games, configuration.settings.relay_types.game_relay_mappings)
        self.assertEqual((), configuration.notes)

    def test_refused(self):
        """
        What somebody relies on who switches it on may only be off.
        """
        for key, reason in REFUSED.items():
            for value in (False, None):
                self.assertEqual((), self.notes(self.file(nested(key, value))))
            for value in (True, 1, 0, "false", []):
                text = self.problem(self.file(nested(key, value)))
                expected = f"{key}: expected `false`, not {value!r}, because {reason}"
                self.assertEqual(expected, text)

    def test_other_keys(self):
        """
        Keys that nobody knows are refused beside those that mean nothing.
        """
        for key in ("security.transport.tls.enable", "websocket.batches", "logging_", "server.x"):
            self.assertTrue(self.problem(self.file(nested(key, 1))).startswith(f"{key}: unknown"))

    def test_aliases(self):
        """
        An older name stands for the newer one, in each source by itself.
        """
        for key, name in ALIASES.items():
            section = key.partition(".")[0]
            self.assertEqual({section: {name: 1}}, modern(nested(key, 1), set()))
            both = nested(key, 1)
            both[section][name] = 2
            text = str(self.assertRaises(ConfigError, modern, both, set()))
            self.assertEqual(f"{key}: is another name of {section}.{name}, given as well", text)

    def test_aliases_later(self):
        """
        An older name in a later source wins over the newer one in an earlier source.
        """
        ALIASES["server.most_rooms"] = "max_rooms"
        self.addCleanup(ALIASES.pop, "server.most_rooms")
        path = self.file(nested("server.max_rooms", 1))
        result = load(path, {"SIGNAL_FISH__SERVER__MOST_ROOMS": "2"})
        self.assertEqual(2, result.server.max_rooms)


class PlaceTests(SourceTestCase):
    """
    Files and texts that the environment names.
    """

    def test_path(self):
        """
        The environment may name the file.
        """
        path = self.file("port = 1", "settings.toml")
        self.assertEqual(1, load(None, {"SIGNAL_FISH_CONFIG_PATH": str(path)}).port)
        self.assertIn("nowhere", self.problem(SIGNAL_FISH_CONFIG_PATH="nowhere"))

    def test_inline(self):
        """
        The environment may hold the configuration, which wins over the file that it names.
        """
        path = self.file({"port": 1, "server": {"max_rooms": 1, "ping_timeout": 1}})
        result = load(
            None,
            {
                "SIGNAL_FISH_CONFIG_PATH": str(path),
                "SIGNAL_FISH_CONFIG_JSON": '{"server": {"max_rooms": 2, "ping_timeout": 2}}',
                "SIGNAL_FISH__SERVER__PING_TIMEOUT": "3",
            },
        )
        told = (result.port, result.server.max_rooms, result.server.ping_timeout)
        self.assertEqual((1, 2, 3), told)

    def test_bad_inline(self):
        """
        A configuration that is none is not shown, as it may hold secrets.
        """
        for text in ('{"turn": s3cret', "s3cret", "[" * 100_000, '["s3cret"]', "null"):
            problem = self.problem(SIGNAL_FISH_CONFIG_JSON=text)
            self.assertTrue(problem.startswith("SIGNAL_FISH_CONFIG_JSON"), problem)
            self.assertNotIn("s3cret", problem)

    def test_option(self):
        """
        A file that is named otherwise replaces both, which is said.
        """
        path = self.file({"port": 1})
        variables = {"SIGNAL_FISH_CONFIG_PATH": "nowhere", "SIGNAL_FISH_CONFIG_JSON": "nonsense"}
        self.assertEqual(1, load(path, variables).port)
        self.assertEqual(
            tuple(f"{name} is not read, because there is --config" for name in variables),
            self.notes(path, **variables),
        )

    def test_empty(self):
        """
        Variables that are empty name nothing.
        """
        names = ("PATH", "JSON", "STDIN")
        empty = {f"SIGNAL_FISH_CONFIG_{name}": "" for name in names}
        self.assertEqual(Settings(), load(None, empty))
        self.assertEqual((), self.notes(self.file({}), **empty))

    def test_standard_input(self):
        """
        Who wants the standard input to be read is told how.
        """
        for text in ("1", "true", "YES ", "True"):
            problem = self.problem(SIGNAL_FISH_CONFIG_STDIN=text)
            self.assertIn("--config /dev/stdin", problem)
        self.assertEqual(Settings(), load(None, {"SIGNAL_FISH_CONFIG_STDIN": "0"}))

    def test_working_directory(self):
        """
        A file that the public server would read is not, and that is said.
        """
        path = self.file({"port": 1}, "config.json")
        expected = ("config.json in the working directory is not read; --config reads it",)
        directory = path.parent
        configuration = configure(None, {}, directory)
        self.assertEqual((Settings(), expected), (configuration.settings, configuration.notes))
        self.assertEqual(expected, self.notes(self.file({}), directory))
        self.assertEqual((), self.notes(path, directory))
        self.assertEqual((), self.notes(None, directory, SIGNAL_FISH_CONFIG_PATH=str(path)))
        path.unlink()
        self.assertEqual((), self.notes(None, directory))

    def test_deep(self):
        """
        A file that is nested too deeply is not read.
        """
        path = self.file("[" * 100_000)
        self.assertTrue(self.problem(path).startswith(f"cannot read configuration file {path}: "))


class VariableTests(SourceTestCase):
    """
    Values of single variables.
    """

    def test_digits(self):
        """
        A text that looks like a number is a text where a text is expected.
        """
        for text in ("123456", "1e5", "12.50", " 7 "):
            result = load(None, {"SIGNAL_FISH__SECURITY__METRICS_AUTH_TOKEN": text})
            self.assertEqual(text.strip(), result.security.metrics_auth_token)
        result = load(None, {"SIGNAL_FISH__SERVER__ROOM_CODE_PREFIX": "12"})
        self.assertEqual("12", result.server.room_code_prefix)

    def test_lists(self):
        """
        A list may have blanks around its commas, or nothing in it.
        """
        name = "SIGNAL_FISH__TURN__STUN_URLS"
        self.assertEqual(("stun:a", "stun:b"), load(None, {name: "stun:a, stun:b"}).turn.stun_urls)
        for text in ("", " ", "[]"):
            self.assertEqual((), load(None, {name: text}).turn.stun_urls)

    def test_no_json(self):
        """
        A section or a list of objects that is not JSON is not shown, as it may hold secrets.
        """
        for key in ("SECURITY", "SESSION__ICE_SERVERS", "RELAY_TYPES__GAME_RELAY_MAPPINGS"):
            problem = self.problem(**{f"SIGNAL_FISH__{key}": '{"x": "s3cret'})
            place = key.lower().replace("__", ".")
            self.assertEqual(f"{place}: expected JSON, which the variable is not", problem)

    def test_section_after_null(self):
        """
        A section that is null may be filled by a variable.
        """
        key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        path = self.file({"security": {"connect_token": None}})
        result = load(path, {"SIGNAL_FISH__SECURITY__CONNECT_TOKEN__PUBLIC_KEY": key})
        self.assertEqual(key, result.security.connect_token.public_key)

    def test_line_breaks(self):
        """
        Line breaks in keys and values do not make two lines of one.
        """
        for tree in ({"a\nb": 1}, {"server": {"\r\n": 1}}, {"port": "1\n2"}):
            self.problem(self.file(tree))
        self.assertEqual(1, len(self.notes(self.file({"_a\nb": 1}))[0].splitlines()))


class MetricsTokenTests(SourceTestCase):
    """
    When the metrics need a token.
    """

    def token(self, **values):
        """
        The token that the metrics need.
        """
        return settings({"security": values}).security.metrics_token

    def test_on(self):
        """
        A token switches protection on.
        """
        self.assertEqual(b"t", self.token(metrics_auth_token="t"))
        self.assertEqual(b"t", self.token(metrics_auth_token="t", require_metrics_auth=True))
        self.assertEqual(b"t", self.token(metrics_auth_token="t", require_metrics_auth=None))
        self.assertEqual(b"a b~!", self.token(metrics_auth_token="a b~!"))

    def test_off(self):
        """
        Without a token, or if somebody says so, the metrics are open.
        """
        self.assertIsNone(self.token())
        for token in (None, "", "t"):
            self.assertIsNone(self.token(metrics_auth_token=token, require_metrics_auth=False))

    def test_contradiction(self):
        """
        Protection without a token, and an empty token, are mistakes.
        """
        for token in (None, ""):
            tree = {"security": {"metrics_auth_token": token, "require_metrics_auth": True}}
            text = self.problem(self.file(tree))
            self.assertTrue(text.startswith("security.require_metrics_auth: is true, but "), text)
        text = self.problem(self.file({"security": {"metrics_auth_token": ""}}))
        self.assertTrue(text.startswith("security.metrics_auth_token: is empty; expected "), text)

    def test_unfit(self):
        """
        A token that no request could have is refused, and not shown.
        """
        for token in (" s3cret", "s3cret ", "s3cret\n", "s3cret\x00x", "s3crét", ["s3cret"], 5):
            text = self.problem(self.file({"security": {"metrics_auth_token": token}}))
            self.assertTrue(text.startswith("security.metrics_auth_token: expected "), text)
            self.assertTrue(text.endswith(", not <redacted>"), text)


class TogetherTests(SourceTestCase):
    """
    Settings that do not go together.
    """

    def test_versions(self):
        """
        The oldest protocol version is not above the newest.
        """
        tree = {"protocol": {"min_protocol_version": 3, "max_protocol_version": 2}}
        text = self.problem(self.file(tree))
        expected = "protocol.min_protocol_version: 3 is above protocol.max_protocol_version, which "
        self.assertEqual(f"{expected}is 2", text)
        tree = {"protocol": {"min_protocol_version": 3}}
        self.assertEqual(3, load(self.file(tree)).protocol.min_protocol_version)

    def test_turn_secret(self):
        """
        Nobody could trust credentials made with an empty secret.
        """
        turn = {"enabled": True, "urls": ["turn:a"]}
        self.assertTrue(
            self.problem(self.file({"turn": turn})).startswith("turn.static_auth_secret: is empty")
        )
        load(self.file({"turn": {**turn, "static_auth_secret": "x"}}))


class SecretTests(SourceTestCase):
    """
    What is never shown.
    """

    SECRETS = {
        "turn": {"static_auth_secret": "s3cret"},
        "security": {"metrics_auth_token": "s3cret"},
        "session": {"ice_servers": [{"urls": ["turn:a"], "username": "u", "credential": "s3cret"}]},
    }

    def test_repr(self):
        """
        Settings show no secrets.
        """
        result = settings(self.SECRETS)
        self.assertEqual("s3cret", result.session.ice_servers[0].credential)
        self.assertNotIn("s3cret", repr(result))
        self.assertIn("turn:a", repr(result))

    def test_misspelt(self):
        """
        A secret whose name is misspelt is not shown, and not left out.
        """
        for name in ("credentail", "password", "Credential"):
            server = {"urls": ["turn:a"], name: "s3cret"}
            text = self.problem(self.file({"session": {"ice_servers": [server]}}))
            self.assertTrue(text.startswith("session.ice_servers"), text)
            self.assertIn(name, text)
            self.assertNotIn("s3cret", text)

    def test_messages(self):
        """
        Nor do messages about them, or about what is around them.
        """
        for tree in (
            {"turn": {"static_auth_secret": ["s3cret"]}},
            {"turn": [{"static_auth_secret": "s3cret"}]},
            {"security": [{"metrics_auth_token": "s3cret"}]},
            {"session": {"ice_servers": {"urls": 1, "credential": "s3cret"}}},
            {"session": {"ice_servers": [{"urls": ["a"], "credential": ["s3cret"]}]}},
            {"port": [{"app_secret": "s3cret"}]},
        ):
            text = self.problem(self.file(tree))
            self.assertNotIn("s3cret", text)
            self.assertIn("<redacted>", text)

    def test_long_values(self):
        """
        A value that is very long is not shown in full.
        """
        self.assertLess(len(self.problem(self.file({"port": "x" * 10_000}))), 400)

    def test_print(self):
        """
        What is printed has no secrets, and is not taken for a configuration as long as they lack.
        """
        text = as_json(settings(self.SECRETS))
        self.assertNotIn("s3cret", text)
        self.assertEqual(3, text.count("<redacted>"))
        path = self.file(text)
        self.assertIn("is '<redacted>'; put the secret in its place", self.problem(path))
        environment = {
            "SIGNAL_FISH__TURN__STATIC_AUTH_SECRET": "s3cret",
            "SIGNAL_FISH__SECURITY__METRICS_AUTH_TOKEN": "s3cret",
            "SIGNAL_FISH__SESSION__ICE_SERVERS": json.dumps(self.SECRETS["session"]["ice_servers"]),
        }
        self.assertEqual(settings(self.SECRETS), load(path, environment))

    def test_print_defaults(self):
        """
        What is printed is the same configuration, if it has no secrets.
        """
        self.assertEqual(Settings(), load(self.file(as_json(Settings()))))
        tree = {
            "port": 1,
            "server": {"start_rule": "explicit", "room_code_prefix": "EU"},
            "relay_types": {"game_relay_mappings": {"Ü": "tcp"}},
            "session": {"ice_servers": [{"urls": ["stun:a"]}]},
        }
        self.assertEqual(settings(tree), load(self.file(as_json(settings(tree)))))


class JunkTests(SourceTestCase):
    """
    Whatever is in a file.
    """

    @given(JUNK)
    def test_junk(self, tree):
        """
        There are settings, or one line that says what is wrong.
        """
        try:
            load(None, {"SIGNAL_FISH_CONFIG_JSON": json.dumps(tree)})
        except ConfigError as error:
            self.assertEqual(1, len(str(error).splitlines()))
