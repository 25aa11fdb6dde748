"""
Tests for signalfish.config.apps, and for what else is said of clients that may connect.
"""

import json
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from signalfish.apps import App
from signalfish.config import ConfigError, allowed_apps, configure, load, settings

REEF = {"app_id": "reef", "app_name": "Reef Racers"}
CHESS = {"app_id": "chess", "app_name": "Chess", "max_rooms": 3, "max_players_per_room": 2}
KEY = {"public_key": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="}


def configured(security):
    """
    The settings with one section.
    """
    return load(None, {"SIGNAL_FISH_CONFIG_JSON": json.dumps({"security": security})})


class AppsTestCase(SynchronousTestCase):
    """
    Settings that may list applications.
    """

    def listed(self, **security):
        """
        The ids of the applications whose clients may connect; None if any may.
        """
        apps = allowed_apps(configured(security).security)
        return None if apps is None else [app.id for app in apps]

    def problem(self, **security):
        """
        Why a section is wrong.
        """
        text = str(self.assertRaises(ConfigError, configured, security))
        self.assertNotIn("\n", text)
        return text

    def file(self, content):
        """
        The path of a file.
        """
        path = Path(self.mktemp()).resolve()
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(json.dumps(content))
        return str(path)


class ListTests(AppsTestCase):
    """
    When there is a list, and what is in it.
    """

    def test_values(self):
        """
        All that can be said of an application.
        """
        entry = {
            **CHESS,
            "rate_limit_per_minute": 30,
            "max_relay_bytes": 1000,
            "require_connect_token": True,
        }
        tree = {"security": {"allowed_apps": [REEF, entry], "connect_token": KEY}}
        first, second = allowed_apps(settings(tree).security)
        self.assertEqual(App("reef", "Reef Racers"), first)
        self.assertEqual(App("chess", "Chess", 3, 2, 30, 1000, True), second)

    def test_switch(self):
        """
        To list applications is to let in no others, unless it is said to be not.
        """
        file = self.file({"apps": [CHESS]})
        for security, expected in (
            ({}, None),
            ({"enforce_app_id_allowlist": False}, None),
            ({"allowed_apps": [REEF]}, ["reef"]),
            ({"allowed_apps": [REEF], "enforce_app_id_allowlist": None}, ["reef"]),
            ({"allowed_apps": [REEF], "enforce_app_id_allowlist": True}, ["reef"]),
            ({"allowed_apps": [REEF], "enforce_app_id_allowlist": False}, None),
            ({"app_auth_path": file}, ["chess"]),
            ({"app_auth_path": file, "enforce_app_id_allowlist": True}, ["chess"]),
            ({"app_auth_path": file, "enforce_app_id_allowlist": False}, None),
            ({"app_auth_path": file, "allowed_apps": [REEF]}, ["reef", "chess"]),
            ({"app_auth_path": file, "allowed_apps": []}, ["chess"]),
            ({"allowed_apps": [], "enforce_app_id_allowlist": False}, None),
        ):
            self.assertEqual(expected, self.listed(**security), security)

    def test_nobody(self):
        """
        A server that would let nobody in does not start.
        """
        for security in (
            {"allowed_apps": []},
            {"enforce_app_id_allowlist": True},
            {"enforce_app_id_allowlist": True, "allowed_apps": []},
            {"app_auth_path": self.file({"apps": []})},
        ):
            text = self.problem(**security)
            self.assertIn("security.allowed_apps: lists no application", text)

    def test_older_names(self):
        """
        The older names of two keys mean the same, and the newer and the older exclude each other.
        """
        self.assertEqual(["reef"], self.listed(authorized_apps=[REEF]))
        self.assertIsNone(self.listed(authorized_apps=[REEF], require_websocket_auth=False))
        self.assertIn("lists no application", self.problem(require_websocket_auth=True))
        for older, newer, value in (
            ("require_websocket_auth", "enforce_app_id_allowlist", True),
            ("authorized_apps", "allowed_apps", [REEF]),
        ):
            text = self.problem(**{older: value, newer: value})
            self.assertEqual(
                f"security.{older}: is another name of security.{newer}, given as well", text
            )

    def test_older_names_of_a_value(self):
        """
        What is wrong with a value is told under the newer name.
        """
        self.assertIn("enforce_app_id_allowlist: ", self.problem(require_websocket_auth="maybe"))

    def test_secret(self):
        """
        The secrets that applications once had are neither needed nor told.
        """
        secret = "hunter2"
        entry = {**REEF, "app_secret": secret}
        self.assertEqual(["reef"], self.listed(authorized_apps=[entry]))
        self.assertEqual(["reef"], self.listed(app_auth_path=self.file({"apps": [entry]})))
        self.assertNotIn(secret, self.problem(allowed_apps=[{**entry, "max_rooms": 0}]))
        self.assertNotIn(secret, self.problem(allowed_apps=[{"app_secret": secret}]))
        text = json.dumps({"security": {"authorized_apps": [entry]}})
        [note] = configure(None, {"SIGNAL_FISH_CONFIG_JSON": text}).notes
        self.assertIn("security.allowed_apps.app_secret", note)
        self.assertNotIn(secret, note)

    def test_environment(self):
        """
        A variable replaces what the file says, under either name.
        """
        path = Path(self.mktemp()).resolve().with_suffix(".json")
        section = {"enforce_app_id_allowlist": True, "authorized_apps": [REEF]}
        path.write_text(json.dumps({"security": section}))
        for name, value, expected in (
            ("REQUIRE_WEBSOCKET_AUTH", "false", None),
            ("ENFORCE_APP_ID_ALLOWLIST", "false", None),
            ("ALLOWED_APPS", json.dumps([CHESS]), ["chess"]),
            ("AUTHORIZED_APPS", json.dumps([CHESS]), ["chess"]),
        ):
            loaded = load(path, {f"SIGNAL_FISH__SECURITY__{name}": value})
            apps = allowed_apps(loaded.security)
            self.assertEqual(expected, apps and [app.id for app in apps], name)


class MistakeTests(AppsTestCase):
    """
    What is wrong is named, in the settings and in the file alike.
    """

    def both(self, *apps, **security):
        """
        What is said of the same list in both places, less the place.
        """
        own = self.problem(allowed_apps=list(apps), **security)
        path = self.file({"apps": list(apps)})
        other = self.problem(app_auth_path=path, **security)
        self.assertTrue(own.startswith("security.allowed_apps["), own)
        prefix = f"security.app_auth_path: {path}: apps["
        self.assertTrue(other.startswith(prefix), other)
        return own.removeprefix("security.allowed_apps["), other.removeprefix(prefix)

    def test_values(self):
        """
        Values of the wrong type or out of range, keys that are missing or unknown.
        """
        for change, expected in (
            ({"app_id": 7}, ".app_id: expected `str`"),
            ({"app_name": None}, ".app_name: expected `str`"),
            ({"max_rooms": 0}, ".max_rooms: expected `int` >= 1"),
            ({"max_rooms": "3"}, ".max_rooms: expected `int | null`"),
            ({"max_rooms": 1.5}, ".max_rooms: expected `int | null`"),
            ({"max_players_per_room": 0}, ".max_players_per_room: expected `int` >= 1"),
            ({"max_players_per_room": 256}, ".max_players_per_room: expected `int` <= 255"),
            ({"rate_limit_per_minute": 0}, ".rate_limit_per_minute: expected `int` >= 1"),
            ({"rate_limit_per_minute": 1000001}, ".rate_limit_per_minute: expected `int` <= 100"),
            ({"max_relay_bytes": 0}, ".max_relay_bytes: expected `int` >= 1"),
            ({"require_connect_token": "yes"}, ".require_connect_token: expected `bool | null`"),
            ({"max_room": 1}, ": object contains unknown field `max_room`"),
            ({"id": "x"}, ": object contains unknown field `id`"),
        ):
            own, other = self.both(CHESS, {**REEF, **change})
            for text in (own, other):
                self.assertTrue(text.startswith("1]" + expected), text)
            if expected.startswith("."):
                self.assertTrue(own.endswith(f", not {next(iter(change.values()))!r}"), own)
        for entry, expected in (
            ({"app_name": "n"}, ": object missing required field `app_id`"),
            ({"app_id": "n"}, ": object missing required field `app_name`"),
            ("reef", ": expected `object`"),
            (None, ": expected `object`"),
            ([], ": expected `object`"),
        ):
            for text in self.both(entry):
                self.assertIn("0]" + expected, text)

    def test_names(self):
        """
        Ids that no client can send, and names that say nothing.
        """
        for change, expected in (
            ({"app_id": ""}, ".app_id: must not be blank"),
            ({"app_id": " "}, ".app_id: must not be blank"),
            ({"app_id": "a\nb"}, r".app_id: The app id must have no control characters"),
            ({"app_id": "ü" * 129}, ".app_id: The app id must have no control characters"),
            ({"app_name": " "}, ".app_name: must not be blank"),
        ):
            for text in self.both({**REEF, **change}):
                self.assertIn("0]" + expected, text)

    def test_twice(self):
        """
        No application is listed twice, also not in both places.
        """
        for text in self.both(REEF, CHESS, {**REEF, "max_rooms": 1}):
            self.assertEqual("2].app_id: 'reef' is listed twice", text)
        path = self.file({"apps": [REEF]})
        text = self.problem(allowed_apps=[REEF], app_auth_path=path)
        expected = f"security.app_auth_path: {path}: apps[0].app_id: 'reef' is listed twice"
        self.assertEqual(expected, text)

    def test_token_without_key(self):
        """
        Nobody can require what cannot be verified.
        """
        for text in self.both({**REEF, "require_connect_token": True}):
            expected = "0].require_connect_token: is true, but security.connect_token has no key"
            self.assertEqual(expected, text)
        entry = {**REEF, "require_connect_token": False}
        self.assertEqual(["reef"], self.listed(allowed_apps=[entry]))

    def test_not_in_force(self):
        """
        Mistakes are told though the list is not in force.
        """
        for text in self.both(REEF, REEF, enforce_app_id_allowlist=False):
            self.assertIn("listed twice", text)

    def test_no_list(self):
        """
        What is no list of applications at all.
        """
        for value in ("reef", 7, {}, True):
            self.assertIn(
                "security.allowed_apps: expected `array", self.problem(allowed_apps=value)
            )

    def test_file(self):
        """
        Files that cannot be read, or hold something else.
        """
        missing = str(Path(self.mktemp()).resolve())
        self.assertEqual(
            f"security.app_auth_path: cannot read {missing}: No such file or directory",
            self.problem(app_auth_path=missing),
        )
        for content in (b"", b"{", b"\xff", b"apps: []", b"[" * 100_000):
            self.assertIn(" is not JSON: ", self.problem(app_auth_path=self.file(content)))
        for tree in ([], None, {}, {"apps": {}}, {"apps": [], "app": []}, [REEF]):
            text = self.problem(app_auth_path=self.file(tree))
            self.assertIn('must hold an object {"apps": [...]} and nothing else', text)


class PlatformTests(SynchronousTestCase):
    """
    Oldest versions, where they are enforced.
    """

    def settings(self, minimum, *, enforce=True):
        """
        The settings with these oldest versions.
        """
        known = {"enforce": enforce, "minimum_versions": minimum}
        return settings({"protocol": {"sdk_compatibility": known}})

    def test_bad(self):
        """
        They must be versions, of platforms that can be found.
        """
        key = "protocol.sdk_compatibility.minimum_versions"
        for minimum, expected in (
            ({"unity": "1.10"}, f"{key}.unity: '1.10' is not a version such as 1.2.3"),
            ({"Unity": "1.10.0"}, f"{key}: 'Unity' must be in lower case"),
        ):
            self.assertEqual(expected, str(self.assertRaises(ConfigError, self.settings, minimum)))
            self.settings(minimum, enforce=False)

    def test_good(self):
        """
        The defaults can be enforced.
        """
        self.assertTrue(self.settings({"unity": "1.10.0"}).protocol.sdk_compatibility.enforce)
        known = {"enforce": True}
        settings({"protocol": {"sdk_compatibility": known}})
