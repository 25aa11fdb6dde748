"""
Tests for signalfish.handshake.
"""

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from signalfish.apps import App, Apps
from signalfish.handshake import Compatibility, Offer, negotiate, unauthenticated
from signalfish.wire.client import Credentials
from signalfish.wire.errors import CloseCode, ErrorCode, Refusal
from signalfish.wire.outgoing import encode
from signalfish.wire.server import Authenticated, Error, ProtocolInfo, RateLimits
from signalfish.wire.tokens import TokenRules
from signalfish.wire.types import RELAY_ONLY, Encoding, Form, Topology, Transport
from tests.fakes import RULES

KNOWN = Compatibility(
    minimum_versions={"unity": "1.10.0"},
    recommended_versions={"unity": "1.12.0", "godot": "2.0.0"},
    capabilities={"_default": ("reconnection", "x"), "unity": ("relay", "x")},
    notes={"unity": "old"},
)
V2_ONLY = Offer(RULES, KNOWN)
BOTH = Offer(RULES, KNOWN, max_version=3)
V3_ONLY = Offer(RULES, KNOWN, min_version=3, max_version=3)
JSON_ONLY = Offer(RULES, KNOWN, formats=(Encoding.JSON,))


def agreed(offer=V2_ONLY, default=2, app_id="app", **credentials):
    """
    What is negotiated.
    """
    return negotiate(Credentials(app_id=app_id, **credentials), offer, default, "192.0.2.1")


class ConnectTokenTests(SynchronousTestCase):
    """
    Connect tokens, as one of the things that are looked at.
    """

    def refusal(self, offer, **credentials):
        """
        Why a client is refused.
        """
        return self.assertRaises(Refusal, agreed, offer, **credentials)

    def test_order(self):
        """
        The token is looked at after the app id and before the version.
        """
        offer = Offer(RULES, KNOWN, tokens=TokenRules(required=True))
        for credentials, code in (
            ({"app_id": "\n", "protocol_version": 1}, ErrorCode.INVALID_APP_ID),
            ({"protocol_version": 1}, ErrorCode.CONNECT_TOKEN_REQUIRED),
            ({"protocol_version": 1, "connect_token": "x"}, ErrorCode.CONNECT_TOKEN_INVALID),
        ):
            self.assertEqual(code, self.refusal(offer, **credentials).code)

    def test_another_try(self):
        """
        After a bad token the client may try again.
        """
        for offer in (V2_ONLY, Offer(RULES, KNOWN, tokens=TokenRules(required=True))):
            self.assertIsNone(self.refusal(offer, connect_token="x").close)

    def test_not_shown(self):
        """
        A token is not shown with the credentials.
        """
        shown = repr(Credentials(app_id="game", connect_token="sfct_v1.secret"))
        self.assertIn("game", shown)
        self.assertNotIn("secret", shown)


class ListedTests(SynchronousTestCase):
    """
    A server that lets in the clients of some applications only.
    """

    def offer(self, *apps, **options):
        """
        The offer of a server with these applications.
        """
        return Offer(RULES, KNOWN, apps=Apps(apps), **options)

    def test_name(self):
        """
        A client is told the name of its application, and its rate.
        """
        app = App("reef", "Reef Racers", rate_limit_per_minute=30)
        agreement = agreed(self.offer(app), app_id="reef")
        rates = RateLimits(per_minute=30, per_hour=1800, per_day=43200)
        expected = Authenticated(app_name="Reef Racers", rate_limits=rates)
        self.assertEqual(expected, agreement.replies[0])
        self.assertIs(app, agreement.app)

    def test_strangers(self):
        """
        Clients of other applications are sent away, whatever else is wrong.
        """
        offer = self.offer(App("reef", "Reef"), tokens=TokenRules(required=True))
        for app_id in ("other", "", "\n", "x" * 257):
            refusal = self.assertRaises(Refusal, agreed, offer, app_id=app_id, protocol_version=0)
            self.assertEqual(ErrorCode.INVALID_APP_ID, refusal.code)
            self.assertEqual((CloseCode.NORMAL, "unregistered"), refusal.close)

    def test_version(self):
        """
        A client that asks for a version which is too old may ask for another.
        """
        offer = self.offer(App("reef", "Reef"))
        refusal = self.assertRaises(Refusal, agreed, offer, app_id="reef", protocol_version=1)
        self.assertEqual(ErrorCode.UNSUPPORTED_PROTOCOL_VERSION, refusal.code)
        self.assertIsNone(refusal.close)

    def test_rate_before_token(self):
        """
        Every attempt counts, whatever comes of it.
        """
        app = App("reef", "Reef", rate_limit_per_minute=1, require_connect_token=True)
        offer = self.offer(app)
        first = self.assertRaises(Refusal, agreed, offer, app_id="reef")
        self.assertEqual((ErrorCode.CONNECT_TOKEN_REQUIRED, None), (first.code, first.close))
        second = self.assertRaises(Refusal, agreed, offer, app_id="reef")
        self.assertEqual(ErrorCode.RATE_LIMIT_EXCEEDED, second.code)

    def test_token_of_the_application(self):
        """
        What an application says of connect tokens goes before what the server says.
        """
        for server, own, needed in (
            (False, None, False),
            (False, True, True),
            (False, False, False),
            (True, None, True),
            (True, True, True),
            (True, False, False),
        ):
            app = App("reef", "Reef", require_connect_token=own)
            offer = self.offer(app, tokens=TokenRules(required=server))
            try:
                agreed(offer, app_id="reef")
            except Refusal as refusal:
                self.assertTrue(needed, (server, own))
                self.assertEqual(ErrorCode.CONNECT_TOKEN_REQUIRED, refusal.code)
            else:
                self.assertFalse(needed, (server, own))


class EnforcedVersionTests(SynchronousTestCase):
    """
    A server that refuses clients which are too old for their platform.
    """

    offer = Offer(RULES, evolve(KNOWN, enforce=True))

    def test_refused(self):
        """
        They may try again; they are told the minimum.
        """
        text = "Platform unity needs an sdk_version of at least 1.10.0"
        for version in (None, "", "1.9.9", "1.10.0-rc.1", "1.10", "v2.0.0", "x" * 10000):
            for platform in ("unity", "Unity"):
                refusal = self.assertRaises(
                    Refusal, agreed, self.offer, platform=platform, sdk_version=version
                )
                self.assertEqual(ErrorCode.SDK_VERSION_UNSUPPORTED, refusal.code)
                self.assertEqual(text, refusal.text)
                self.assertIsNone(refusal.close)

    def test_good(self):
        """
        Newer clients are let in, and those of whose platform nothing is known, or none is told.
        """
        for platform, version in (
            ("unity", "1.10.0"),
            ("UNITY", "1.10.0+build"),
            ("unity", "2.0.0-beta"),
            ("godot", "0.0.1"),
            ("lua", None),
            ("", "1"),
            (None, None),
            (None, "0.0.1"),
        ):
            agreed(self.offer, platform=platform, sdk_version=version)

    def test_not_enforced(self):
        """
        Where it is not enforced, nobody is refused.
        """
        for version in (None, "0.0.1", "?"):
            agreed(platform="unity", sdk_version=version)

    def test_order(self):
        """
        It is looked at after the connect token and before the protocol version.
        """
        old = {"platform": "unity", "protocol_version": 1}
        refusal = self.assertRaises(Refusal, agreed, self.offer, **old)
        self.assertEqual(ErrorCode.SDK_VERSION_UNSUPPORTED, refusal.code)
        offer = evolve(self.offer, tokens=TokenRules(required=True))
        refusal = self.assertRaises(Refusal, agreed, offer, **old)
        self.assertEqual(ErrorCode.CONNECT_TOKEN_REQUIRED, refusal.code)


class UnauthenticatedTests(SynchronousTestCase):
    """
    Clients that never authenticate.
    """

    def test_agreement(self):
        """
        They speak the version of the endpoint and JSON, and can be told a token.
        """
        for version in (2, 3):
            agreement = unauthenticated(version)
            self.assertEqual(Form(version, Encoding.JSON), agreement.form)
            self.assertTrue(agreement.wants_token)
            self.assertEqual([], agreement.replies)


class RefusalTests(SynchronousTestCase):
    """
    Credentials that are refused for good.
    """

    def assert_refused(self, code, *arguments, **credentials):
        """
        Check that credentials are refused, and how; the text.
        """
        refusal = self.assertRaises(Refusal, agreed, *arguments, **credentials)
        self.assertEqual(code, refusal.code)
        self.assertEqual((CloseCode.NORMAL, "unregistered"), refusal.close)
        return refusal.text

    def test_app_id(self):
        """
        An app id has no control characters, and at most 256 bytes.
        """
        for app_id in ("\x00", "a\nb", "x" * 257, "ü" * 129, "\x7f", "\x85"):
            text = self.assert_refused(ErrorCode.INVALID_APP_ID, app_id=app_id)
            self.assertNotIn(app_id, text)
        for app_id in ("", "x" * 256, "ü" * 128, "an app!"):
            agreed(app_id=app_id)

    def test_version(self):
        """
        A version below the minimum cannot be served.
        """
        for offer, default, version, text in (
            (V2_ONLY, 2, 0, "Client protocol version 0 is below the server minimum 2"),
            (V2_ONLY, 2, 1, "Client protocol version 1 is below the server minimum 2"),
            (V3_ONLY, 3, 2, "Client protocol version 2 is below the server minimum 3"),
            (V3_ONLY, 2, None, "Client protocol version 2 is below the server minimum 3"),
        ):
            code = ErrorCode.UNSUPPORTED_PROTOCOL_VERSION
            said = self.assert_refused(code, offer, default, protocol_version=version)
            self.assertEqual(text, said)

    def test_order(self):
        """
        The app id is checked before the version.
        """
        self.assert_refused(ErrorCode.INVALID_APP_ID, app_id="\n", protocol_version=0)


class VersionTests(SynchronousTestCase):
    """
    The version that both sides understand.
    """

    def test_table(self):
        """
        It is the smaller one of what is wanted and what is offered.
        """
        for offer, default, wanted, version in (
            (V2_ONLY, 2, None, 2),
            (V2_ONLY, 2, 3, 2),
            (V2_ONLY, 3, None, 2),
            (V2_ONLY, 2, 65535, 2),
            (BOTH, 2, None, 2),
            (BOTH, 3, None, 3),
            (BOTH, 3, 2, 2),
            (BOTH, 2, 3, 3),
            (BOTH, 2, 4, 3),
        ):
            agreement = agreed(offer, default, protocol_version=wanted)
            self.assertEqual(version, agreement.form.version, (default, wanted))
            self.assertEqual(version, agreement.replies[-1].protocol_version)

    @given(st.integers(2, 65535))
    def test_never_more(self, wanted):
        """
        No client gets more than it wants, or than is offered.
        """
        version = agreed(BOTH, protocol_version=wanted).form.version
        self.assertLessEqual(version, min(wanted, 3))


class FormatTests(SynchronousTestCase):
    """
    The encoding of game data.
    """

    def test_supported(self):
        """
        A supported format is used, and JSON if none is asked for.
        """
        for wanted, encoding in (
            (None, Encoding.JSON),
            (Encoding.JSON, Encoding.JSON),
            (Encoding.MESSAGE_PACK, Encoding.MESSAGE_PACK),
        ):
            agreement = agreed(game_data_format=wanted)
            self.assertEqual(encoding, agreement.form.encoding)
            kinds = [type(reply) for reply in agreement.replies]
            self.assertEqual([Authenticated, ProtocolInfo], kinds)

    def test_unsupported(self):
        """
        An unsupported one is reported before everything else, and JSON is used.
        """
        for offer, wanted, text in (
            (
                V2_ONLY,
                "rkyv",
                (
                    "Requested game data format 'rkyv' is not supported. "
                    "Server supports: json, message_pack. Falling back to JSON."
                ),
            ),
            (
                JSON_ONLY,
                "message_pack",
                (
                    "Requested game data format 'message_pack' is not supported. "
                    "Server supports: json. Falling back to JSON."
                ),
            ),
        ):
            agreement = agreed(offer, game_data_format=Encoding(wanted))
            self.assertEqual(Encoding.JSON, agreement.form.encoding)
            advice, *others = agreement.replies
            code = ErrorCode.UNSUPPORTED_GAME_DATA_FORMAT
            self.assertEqual(Error(message=text, error_code=code), advice)
            self.assertEqual([Authenticated, ProtocolInfo], [type(other) for other in others])


class TokenTests(SynchronousTestCase):
    """
    Who can be told a reconnection token.
    """

    def test_table(self):
        """
        Clients of version 3, and those who ask for it.
        """
        for version, capabilities, wants in (
            (2, None, False),
            (2, [], False),
            (2, ["tokens"], False),
            (2, ["reconnection_token"], True),
            (2, ["x", "reconnection_token", "x"], True),
            (3, None, True),
            (3, ["x"], True),
        ):
            agreement = agreed(BOTH, protocol_version=version, requested_capabilities=capabilities)
            self.assertEqual(wants, agreement.wants_token, (version, capabilities))


class InfoTests(SynchronousTestCase):
    """
    What clients are told.
    """

    def info(self, offer=V2_ONLY, **credentials):
        """
        The ProtocolInfo that a client gets.
        """
        return agreed(offer, **credentials).replies[-1]

    def test_authenticated(self):
        """
        The application is the default one, with rates that are for information.
        """
        rates = RateLimits(per_minute=1000, per_hour=10000, per_day=100000)
        expected = Authenticated(app_name="default", rate_limits=rates)
        self.assertEqual(expected, agreed(app_id="mine").replies[0])

    def test_echo(self):
        """
        Platform and version of the client are repeated as they were sent, if they were.
        """
        info = self.info(platform="Unity", sdk_version="not a version")
        self.assertEqual(("Unity", "not a version"), (info.platform, info.sdk_version))
        info = self.info()
        self.assertEqual((UNSET, UNSET), (info.platform, info.sdk_version))

    def test_server(self):
        """
        Formats, rules for names and versions are those of the server.
        """
        info = self.info(BOTH)
        self.assertEqual((Encoding.JSON, Encoding.MESSAGE_PACK), info.game_data_formats)
        self.assertEqual(RULES, info.player_name_rules)
        self.assertEqual((2, 3), (info.min_protocol_version, info.max_protocol_version))

    def test_version_2(self):
        """
        Clients of version 2 are told nothing of versions.
        """
        text = encode(self.info(), 2)
        self.assertNotIn(b"protocol_version", text)
        self.assertIn(b"protocol_version", encode(self.info(BOTH), 3))

    def test_known_platform(self):
        """
        A platform that is known, in whatever case, is told what is known of it.
        """
        info = self.info(platform="UNITY", sdk_version="0.0.1")
        self.assertEqual(("1.10.0", "1.12.0"), (info.minimum_version, info.recommended_version))
        self.assertEqual(("reconnection", "x", "relay"), info.capabilities)
        self.assertEqual("old", info.notes)

    def test_unknown_platform(self):
        """
        A platform that is not known is told what holds for all.
        """
        for platform in ("lua", "", None):
            info = self.info(platform=platform)
            self.assertEqual((UNSET, UNSET), (info.minimum_version, info.recommended_version))
            self.assertEqual(("reconnection", "x"), info.capabilities)
            self.assertEqual(UNSET, info.notes)

    def test_notes_for_all(self):
        """
        There may be notes for everybody.
        """
        offer = Offer(RULES, Compatibility({}, {}, {}, {"_default": "all", "unity": "own"}))
        self.assertEqual("all", self.info(offer).notes)
        self.assertEqual("own", self.info(offer, platform="unity").notes)
        self.assertEqual((), self.info(offer).capabilities)


class CapabilityTests(SynchronousTestCase):
    """
    What a client can do, and what it wants.
    """

    def test_version_3(self):
        """
        Everybody can use the relay, and whatever else it says.
        """
        for transports, topologies in (
            (None, None),
            ([], []),
            ([Transport.RELAY], [Topology.RELAY]),
            ([Transport.WEBRTC], [Topology.MESH, Topology.MESH]),
            ([*Transport], [*Topology]),
        ):
            agreement = agreed(
                BOTH,
                protocol_version=3,
                supported_transports=transports,
                supported_topologies=topologies,
            )
            self.assertEqual(
                ({Transport.RELAY, *(transports or ())}, {Topology.RELAY, *(topologies or ())}),
                agreement.capabilities,
            )

    def test_version_2(self):
        """
        In version 2 there is only the relay, whatever a client says.
        """
        for offer, wanted in ((BOTH, 2), (BOTH, None), (V2_ONLY, 3)):
            agreement = agreed(
                offer,
                protocol_version=wanted,
                supported_transports=[*Transport],
                supported_topologies=[*Topology],
                requested_capabilities=["room_operation_ids"],
            )
            self.assertEqual(RELAY_ONLY, agreement.capabilities)
            self.assertFalse(agreement.correlates)
            self.assertEqual(("reconnection", "x"), agreement.replies[-1].capabilities)

    def test_unauthenticated(self):
        """
        Who does not authenticate can use the relay.
        """
        for version in (2, 3):
            self.assertEqual(RELAY_ONLY, unauthenticated(version).capabilities)
            self.assertFalse(unauthenticated(version).correlates)

    def test_operations(self):
        """
        Operations with ids are for those who ask for them, and are told of last.
        """
        for requested, correlates in (
            (None, False),
            ([], False),
            (["reconnection_token"], False),
            (["x", "room_operation_ids"], True),
        ):
            agreement = agreed(BOTH, protocol_version=3, requested_capabilities=requested)
            self.assertEqual(correlates, agreement.correlates)
            told = ["reconnection", "x", "spectator_relay", "room_operation_ids"]
            self.assertEqual(told[: 3 + correlates], list(agreement.replies[-1].capabilities))

    def test_told(self):
        """
        In version 3 clients are told how they are connected, and how large messages are at most.
        """
        told = agreed(BOTH, protocol_version=3).replies[-1]
        self.assertEqual(("websocket",), told.transports)
        self.assertTrue(1 <= told.max_outbound_message_size <= 67108864)
        text = encode(agreed(BOTH, protocol_version=2).replies[-1], 2)
        for name in (b"transports", b"max_outbound_message_size"):
            self.assertNotIn(name, text)
