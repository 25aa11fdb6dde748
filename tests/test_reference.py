"""
Tests for signalfish.config.reference.
"""

from attrs import field, frozen
from twisted.trial.unittest import SynchronousTestCase

from signalfish.config import Settings, reference
from signalfish.config.declaring import setting
from tests.test_config import RANGES, leaves


class ReferenceTests(SynchronousTestCase):
    """
    What is said of settings.
    """

    def test_complete(self):
        """
        Every setting is described in one line, once.
        """
        keys = list(reference.entries())
        names = [key.name for key in keys]
        sections = [name for name in names if name.startswith("security.connect_token.")]
        self.assertEqual(3, len(sections))
        others = {name for name, _ in leaves(Settings())} - {"security.connect_token"}
        self.assertEqual(others, set(names) - set(sections))
        self.assertEqual(len(names), len(set(names)))
        for key in keys:
            self.assertRegex(key.meaning, r"\A[^\n]{6,120}\Z", key.name)

    def test_ranges(self):
        """
        The borders of numbers are told.
        """
        told = {key.name: key.allowed for key in reference.entries()}
        for name, (least, most) in RANGES.items():
            if name == "server.default_max_players":
                continue  # which is held to protocol.max_players_limit besides
            if most is not None:
                size = "16 MiB" if most == 16 << 20 else str(most)
                self.assertIn(f"{least} to {size}", told[name])
            elif least:
                self.assertIn(f"at least {least}", told[name])
        self.assertEqual("seconds, above 0", told["server.room_cleanup_interval"])

    def test_words(self):
        """
        The words that are allowed are told.
        """
        told = {key.name: key.allowed for key in reference.entries()}
        self.assertEqual("``automatic``, ``explicit``, ``by_protocol``", told["server.start_rule"])

    def test_defaults(self):
        """
        Defaults are told as they would be written.
        """
        told = {key.name: key.default for key in reference.entries()}
        for name, default in (
            ("port", "3536"),
            ("server.start_rule", "by_protocol"),
            ("server.enable_reconnection", "true"),
            ("server.room_code_prefix", "null"),
            ("protocol.player_name_validation.allowed_symbols", '["-", "_"]'),
            ("turn.urls", ""),
            ("turn.static_auth_secret", ""),
            ("relay_types.game_relay_mappings", ""),
        ):
            self.assertEqual(default, told[name], name)

    def test_secrets(self):
        """
        It is known which settings are secret.
        """
        secret = {key.name for key in reference.entries() if key.is_secret}
        self.assertIn("turn.static_auth_secret", secret)
        self.assertNotIn("port", secret)

    def test_table(self):
        """
        The table has a row for each setting, below its head.
        """
        rows = reference.table().count("\n   * - ")
        self.assertEqual(1 + len(list(reference.entries())), rows)
        self.assertIn(
            "   * - ``port``\n     - ``3536``\n     - port, 0 to 65535; 0 for any\n"
            "     - the port if no other is given\n",
            reference.table(),
        )

    def test_undeclared(self):
        """
        A setting that is not described is a mistake of ours.
        """

        @frozen
        class Careless:
            """
            A section.
            """

            size: int = field(default=1)

        self.assertRaises(KeyError, lambda: list(reference.entries(Careless)))

    def test_secret_repr(self):
        """
        Secrets are not shown by the sections that have them.
        """

        @frozen
        class Careful:
            """
            A section.
            """

            shown: str = setting("a", "", "x")
            hidden: str = setting("b", "", "x", secret=True)

        self.assertIn("Careful(shown='a')", repr(Careful()))
