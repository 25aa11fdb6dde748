"""
Tests for :mod:`signalfish.wire.names`.
"""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from signalfish.wire.client import JoinAsSpectator, JoinRoom, RoomRequest, SpectatorRequest
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.names import CODE_ALPHABET, Rules, check_app_id, check_password, fold
from tests.strategies import examples

GOOD = {
    "Ada": "Latin",
    "x": "one letter",
    "7": "a digit",
    "A-b_c 9": "hyphen, underscore, space",
    "two  blanks": "spaces inside",
    "Zoë": "a composed accent",
    "ßﬁ": "sharp s and a ligature",
    "Ж\N{CYRILLIC SMALL LETTER A}нн\N{CYRILLIC SMALL LETTER A}": "Cyrillic",
    "漢字かな": "Han and Hiragana",
    "한글": "Hangul",
    "नि": "a Devanagari vowel sign after its consonant",
    "ि": "a Devanagari vowel sign alone",
    "กาลี": "Thai with a vowel sign",
    "ั": "a Thai vowel sign alone",
    "கு": "a Tamil vowel sign",
    "ۖ": "an alphabetic Arabic mark",
    "\u0345": "the alphabetic combining iota",
    "Ⓐⓑ": "circled letters, which are Alphabetic",
    "①": "a circled digit",
    "Ⅳ": "a Roman numeral",
    "½²": "a fraction and a superscript",
    "٣७": "Arabic and Devanagari digits",
    "ªʰ": "modifier letters",
    "\U0001d400\U0001d7d8": "mathematical letters and digits, beyond the basic plane",
    "é" * 16: "32 bytes of two-byte letters",
    "漢" * 10 + "ab": "32 bytes of three-byte letters",
    "x" * 32: "32 bytes",
}
BAD = {
    "e\u0301": "a combining acute accent",
    "\u0308": "a combining diaeresis alone",
    "हिन्दी": "a Devanagari virama",
    "เจ้า": "a Thai tone mark",
    "😀": "an emoji",
    "x😀": "an emoji after a letter",
    "a\u200db": "a zero-width joiner",
    "a\u200bb": "a zero-width space",
    "\ufeffa": "a byte order mark",
    "a\u00adb": "a soft hyphen",
    "a\u202eb": "a direction override",
    "a.b": "a full stop",
    "a/b": "a slash",
    "<b>": "markup",
    "a'b": "an apostrophe",
    "a\u2010b": "a Unicode hyphen",
    "a\u203fb": "a Unicode undertie",
    "a\x00b": "a null",
    "a\x7fb": "a delete",
    "ⓐ©": "a sign that is no letter",
    "\ue000": "a private character",
    "㋿": "a square era name",
    "\U0003fffd": "an unassigned character",
}
WHITE = ["\t", "\n", "\r", "\x0b", "\x0c", "\x85", "\xa0", "\u1680", "\u2003", "\u2028", "\u3000"]


def refused(check, *arguments):
    """
    The code and the text with which something is refused.
    """
    try:
        check(*arguments)
    except Refusal as refusal:
        return refusal.code, refusal.text
    return None


class NameTests(SynchronousTestCase):
    """
    What players and games may be called.
    """

    def setUp(self):
        """
        The rules of an unconfigured server.
        """
        self.rules = Rules()

    def player(self, text):
        """
        A refusal of a player name.
        """
        return ErrorCode.INVALID_PLAYER_NAME, f"Player name {text}"

    def game(self, text):
        """
        A refusal of a game name.
        """
        return ErrorCode.INVALID_GAME_NAME, f"Game name {text}"

    def test_good(self):
        """
        Letters and digits of any script, hyphens, underscores and inner spaces are fine.
        """
        for name in GOOD:
            self.assertIsNone(self.rules.check_player_name(name))
            self.assertIsNone(self.rules.check_game_name(name))

    def test_bad(self):
        """
        Other characters are refused, wherever they are.
        """
        for name, why in BAD.items():
            for text in (name, f"a{name}", f"{name}a"):
                self.assertEqual(
                    self.player("contains invalid characters"),
                    refused(self.rules.check_player_name, text),
                    why,
                )
                self.assertEqual(
                    self.game("contains invalid characters"),
                    refused(self.rules.check_game_name, text),
                    why,
                )

    def test_empty(self):
        """
        There is no empty name.
        """
        self.assertEqual(self.player("cannot be empty"), refused(self.rules.check_player_name, ""))
        self.assertEqual(self.game("cannot be empty"), refused(self.rules.check_game_name, ""))

    def test_length_is_in_bytes(self):
        """
        Player names have at most 32 bytes and game names 64, whatever their number of letters.
        """
        for name, length in [
            ("x" * 33, 33),
            ("é" * 17, 34),
            ("漢" * 11, 33),
            ("\N{MATHEMATICAL BOLD CAPITAL A}" * 9, 36),
        ]:
            self.assertEqual(
                self.player(f"is {length} bytes long; the maximum is 32"),
                refused(self.rules.check_player_name, name),
            )
            self.assertIsNone(self.rules.check_game_name(name))
        self.assertIsNone(self.rules.check_game_name("é" * 32))
        for name, length in [("x" * 65, 65), ("é" * 33, 66)]:
            self.assertEqual(
                self.game(f"is {length} bytes long; the maximum is 64"),
                refused(self.rules.check_game_name, name),
            )

    def test_length_before_content(self):
        """
        A name that is too long is called that, whatever is in it.
        """
        self.assertEqual(
            self.player("is 36 bytes long; the maximum is 32"),
            refused(self.rules.check_player_name, "😀" * 9),
        )

    def test_blank(self):
        """
        A player name of white space only is blank; a game name of spaces is allowed.
        """
        for name in [" ", "   ", *WHITE, " \t "]:
            self.assertEqual(
                self.player("cannot be blank"), refused(self.rules.check_player_name, name)
            )
        self.assertIsNone(self.rules.check_game_name("  "))

    def test_outer_whitespace(self):
        """
        A player name neither begins nor ends with white space; a game name may, with spaces.
        """
        for blank in [" ", *WHITE]:
            for name in (f"{blank}a", f"a{blank}", f"{blank}a{blank}"):
                self.assertEqual(
                    self.player("cannot have leading or trailing whitespace"),
                    refused(self.rules.check_player_name, name),
                )
        self.assertIsNone(self.rules.check_game_name(" a "))

    def test_inner_whitespace(self):
        """
        Inside a name no white space but the space is allowed.
        """
        for blank in WHITE:
            self.assertEqual(
                self.player("cannot contain whitespace characters"),
                refused(self.rules.check_player_name, f"a{blank}b"),
            )
            self.assertEqual(
                self.game("contains invalid characters"),
                refused(self.rules.check_game_name, f"a{blank}b"),
            )

    def test_first_offender_decides(self):
        """
        Of two bad characters the first is the one that is reported.
        """
        self.assertEqual(
            self.player("cannot contain whitespace characters"),
            refused(self.rules.check_player_name, "a\tb😀c"),
        )
        self.assertEqual(
            self.player("contains invalid characters"),
            refused(self.rules.check_player_name, "a😀b\tc"),
        )

    def test_ascii_only(self):
        """
        A server can restrict player names to ASCII; game names are not affected.
        """
        rules = Rules(allow_unicode=False)
        self.assertIsNone(rules.check_player_name("Ada-9_z"))
        for name in ("Zoë", "漢", "٣", "²"):
            self.assertEqual(
                self.player("contains invalid characters"),
                refused(rules.check_player_name, name),
            )
            self.assertIsNone(rules.check_game_name(name))

    def test_without_spaces(self):
        """
        A server can forbid spaces in player names; game names are not affected.
        """
        rules = Rules(allow_spaces=False)
        self.assertEqual(
            self.player("cannot contain spaces"), refused(rules.check_player_name, "a b")
        )
        self.assertIsNone(rules.check_game_name("a b"))

    def test_with_outer_whitespace(self):
        """
        A server can allow outer spaces, but neither blank names nor other white space.
        """
        rules = Rules(allow_outer_whitespace=True)
        self.assertIsNone(rules.check_player_name(" a "))
        self.assertEqual(self.player("cannot be blank"), refused(rules.check_player_name, " "))
        self.assertEqual(
            self.player("cannot contain whitespace characters"),
            refused(rules.check_player_name, "a\t"),
        )

    def test_symbols(self):
        """
        A server decides which symbols player names may have; game names are not affected.
        """
        rules = Rules(allowed_symbols=frozenset("!😀"))
        self.assertIsNone(rules.check_player_name("a!😀"))
        for name in ("a-b", "a_b"):
            self.assertEqual(
                self.player("contains invalid characters"),
                refused(rules.check_player_name, name),
            )
            self.assertIsNone(rules.check_game_name(name))

    def test_other_limits(self):
        """
        A server can set other lengths.
        """
        rules = Rules(max_player_name=2, max_game_name=3)
        rules.check_player_name("ab")
        rules.check_game_name("abc")
        self.assertRaises(Refusal, rules.check_player_name, "abc")
        self.assertRaises(Refusal, rules.check_game_name, "abcd")

    @examples(200)
    @given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8))
    def test_any_text(self, name):
        """
        Any text is a good name or refused with the right code, and what has passed is no blank.
        """
        try:
            self.rules.check_player_name(name)
        except Refusal as refusal:
            self.assertEqual(ErrorCode.INVALID_PLAYER_NAME, refusal.code)
        else:
            self.assertEqual(name, name.strip())
            kinds = {unicodedata.category(char) for char in name if char not in "-_ "}
            self.assertEqual(set(), kinds & {"Cc", "Cf", "Zs", "Zl", "Zp", "Sm", "Sc", "Po", "Ps"})

    @examples(200)
    @given(st.text(st.characters(categories=["L", "Nd", "Nl", "No"]), min_size=1, max_size=8))
    def test_any_letters(self, name):
        """
        Every name of letters and numbers is good for a player and a game.
        """
        self.assertIsNone(self.rules.check_player_name(name))
        self.assertIsNone(self.rules.check_game_name(name))


class LimitTests(SynchronousTestCase):
    """
    Capacities, codes, passwords and labels.
    """

    def test_max_players(self):
        """
        A room has 1 to 100 seats, or as many as the server says.
        """
        for number in (None, 1, 2, 100):
            self.assertIsNone(Rules().check_max_players(number))
        code = ErrorCode.INVALID_MAX_PLAYERS
        self.assertEqual(
            (code, "Max players must be at least 1"), refused(Rules().check_max_players, 0)
        )
        self.assertEqual(
            (code, "Max players cannot exceed 100"), refused(Rules().check_max_players, 101)
        )
        self.assertEqual(
            (code, "Max players cannot exceed 4"),
            refused(Rules(max_players=4).check_max_players, 5),
        )

    def test_codes(self):
        """
        A code is any six ASCII letters and digits, in upper case afterwards.
        """
        for code in ("abc234", "ABC234", "aBc234", "000000", "10IOio"):
            self.assertEqual(code.upper(), Rules().normal_code(code))

    def test_bad_codes(self):
        """
        A code of another length or with other characters is refused.
        """
        kinds = {
            "": "cannot be empty",
            "ABC23": "must be exactly 6 characters",
            "ABC2345": "must be exactly 6 characters",
            " ABC23 ": "must be exactly 6 characters",
            "ABC\uff12\uff13\uff14": "must be exactly 6 characters",
            "ß": "must be exactly 6 characters",
            "ßßß": "must be alphanumeric",
            "٣٣٣": "must be alphanumeric",
            "ABC-23": "must be alphanumeric",
            "ABC 23": "must be alphanumeric",
            "ABC23\n": "must be alphanumeric",
        }
        for code, text in kinds.items():
            self.assertEqual(
                (ErrorCode.INVALID_ROOM_CODE, f"Room code {text}"),
                refused(Rules().normal_code, code),
            )

    def test_code_length(self):
        """
        A server can use codes of another length.
        """
        self.assertEqual("ABCD", Rules(room_code_length=4).normal_code("abcd"))

    def test_code_alphabet(self):
        """
        Generated codes have 32 symbols, all upper case, without those that people confuse.
        """
        self.assertEqual(32, len(set(CODE_ALPHABET)))
        self.assertEqual(CODE_ALPHABET, CODE_ALPHABET.upper())
        self.assertTrue(CODE_ALPHABET.isascii() and CODE_ALPHABET.isalnum())
        self.assertEqual(set(), set("01IO") & set(CODE_ALPHABET))

    def test_passwords(self):
        """
        A password is absent or has 1 to 256 bytes of any kind.
        """
        for password in (None, "x", " ", "\x00", "x" * 256, "é" * 128, "😀" * 64):
            self.assertIsNone(check_password(password))
        for password in ("", "x" * 257, "é" * 129):
            code, text = refused(check_password, password)
            self.assertEqual(ErrorCode.INVALID_INPUT, code)
            self.assertNotIn("é", text)

    def test_app_ids(self):
        """
        An app id has at most 256 bytes and no control characters.
        """
        for app_id in ("", "x", "any thing/é😀\u200b", "x" * 256, "é" * 128):
            self.assertIsNone(check_app_id(app_id))
        for app_id in ("x" * 257, "é" * 129, "a\x00", "\n", "a\x7fb", "\x85"):
            self.assertEqual(ErrorCode.INVALID_APP_ID, refused(check_app_id, app_id)[0])


class VetTests(SynchronousTestCase):
    """
    Whole requests.
    """

    def join(self, **members):
        """
        What becomes of a JoinRoom: the code in it, or the code of the refusal.
        """
        message = JoinRoom(RoomRequest(**{"game_name": "g", "player_name": "p", **members}))
        try:
            Rules().vet_join(message)
        except Refusal as refusal:
            return refusal.code
        return message.data.room_code

    def spectate(self, **members):
        """
        What becomes of a JoinAsSpectator: the code in it, or the code of the refusal.
        """
        members = {"game_name": "g", "room_code": "abc234", "spectator_name": "s", **members}
        message = JoinAsSpectator(SpectatorRequest(**members))
        try:
            Rules().vet_spectate(message)
        except Refusal as refusal:
            return refusal.code
        return message.data.room_code

    def test_join(self):
        """
        A good JoinRoom passes, its code in upper case, if it has one.
        """
        self.assertIsNone(self.join())
        self.assertEqual("ABC234", self.join(room_code="abc234"))
        self.assertEqual("ABC234", self.join(room_code="abc234", join_only=True, password="x"))
        self.assertIsNone(self.join(join_only=False))

    def test_join_order(self):
        """
        Of many faults in a JoinRoom the first in the order of the protocol is reported.
        """
        faults = [
            ("game_name", "", "g", ErrorCode.INVALID_GAME_NAME),
            ("player_name", "", "p", ErrorCode.INVALID_PLAYER_NAME),
            ("max_players", 0, 1, ErrorCode.INVALID_MAX_PLAYERS),
            ("password", "", None, ErrorCode.INVALID_INPUT),
            ("room_code", "?", "ABCDEF", ErrorCode.INVALID_ROOM_CODE),
        ]
        request = {name: bad for name, bad, _, _ in faults}
        for name, _, good, code in faults:
            self.assertEqual(code, self.join(**request))
            request[name] = good
        self.assertEqual("ABCDEF", self.join(**request))

    def test_join_only(self):
        """
        Joining only needs a code, and says so before it looks at the password.
        """
        message = JoinRoom(RoomRequest("g", "p", join_only=True, password=""))
        refusal = self.assertRaises(Refusal, Rules().vet_join, message)
        self.assertEqual(ErrorCode.INVALID_INPUT, refusal.code)
        self.assertEqual("join_only requires an explicit room_code", refusal.text)

    def test_empty_code(self):
        """
        An empty code is no absent code.
        """
        self.assertEqual(ErrorCode.INVALID_ROOM_CODE, self.join(room_code=""))
        self.assertEqual(ErrorCode.INVALID_ROOM_CODE, self.join(room_code="", join_only=True))

    def test_spectate(self):
        """
        A good JoinAsSpectator passes, its code in upper case.
        """
        self.assertEqual("ABC234", self.spectate())
        self.assertEqual("ABC234", self.spectate(password="x"))

    def test_spectate_order(self):
        """
        Of many faults in a JoinAsSpectator the first in the order of the protocol is reported.
        """
        faults = [
            ("spectator_name", "", "s", ErrorCode.INVALID_PLAYER_NAME),
            ("game_name", "", "g", ErrorCode.INVALID_GAME_NAME),
            ("room_code", "?", "ABCDEF", ErrorCode.INVALID_ROOM_CODE),
            ("password", "", None, ErrorCode.INVALID_INPUT),
        ]
        request = {name: bad for name, bad, _, _ in faults}
        for name, _, good, code in faults:
            self.assertEqual(code, self.spectate(**request))
            request[name] = good
        self.assertEqual("ABCDEF", self.spectate(**request))


class FoldTests(SynchronousTestCase):
    """
    When two names are the same.
    """

    def test_same(self):
        """
        Upper and lower case and equivalent forms of one character make no difference.
        """
        for one, other in [
            ("Ada", "aDA"),
            ("Straße", "STRASSE"),
            ("Zoë", "ZOE\u0308"),
            ("Å", "\u212b"),
            ("\u212a", "k"),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
            ("ﬁ", "FI"),
            ("ᾳ", "\N{GREEK CAPITAL LETTER ALPHA}\N{GREEK CAPITAL LETTER IOTA}"),
            ("\u0345\u0301", "\u0301\N{GREEK SMALL LETTER IOTA}"),
            ("가", "\u1100\u1161"),
            ("İ", "i\u0307"),
            ("ẞ", "ss"),
            ("Ⓐ", "ⓐ"),
            ("\u03b1\u0345\u0301", "\u1fb4"),
        ]:
            self.assertEqual(fold(one), fold(other), (one, other))

    def test_different(self):
        """
        Merely similar names are different.
        """
        for one, other in [
            ("a", "b"),
            ("Zoe", "Zoë"),
            ("i", "\N{LATIN SMALL LETTER DOTLESS I}"),
            ("\N{FULLWIDTH LATIN CAPITAL LETTER A}", "A"),
            ("²", "2"),
            ("Ⅳ", "IV"),
            ("Ⓐ", "A"),
            ("\N{CYRILLIC SMALL LETTER A}", "a"),
            ("a b", "ab"),
            ("a-b", "a_b"),
        ]:
            self.assertNotEqual(fold(one), fold(other), (one, other))

    @examples(200)
    @given(st.text(st.characters(codec="utf-8"), max_size=6))
    def test_laws(self, name):
        """
        A fold is not changed by folding, by changing case fully, or by normalization first.
        """
        self.assertEqual(fold(name), fold(fold(name)))
        for form in ("NFC", "NFD"):
            self.assertEqual(fold(name), fold(unicodedata.normalize(form, name)))
        self.assertEqual(fold(name), fold(unicodedata.normalize("NFC", fold(name))))
