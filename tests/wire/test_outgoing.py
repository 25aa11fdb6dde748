"""
Tests for :mod:`signalfish.wire.outgoing`.
"""

import json
from enum import Enum
from itertools import product
from types import UnionType
from typing import Union, get_args, get_origin, get_type_hints

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw
from twisted.trial.unittest import SynchronousTestCase

from signalfish.wire import accounts, operations, plans
from signalfish.wire.frames import text_frame
from signalfish.wire.outgoing import NO_FRAME, Notice, encode, nested
from signalfish.wire.server import (
    Envelope,
    Error,
    LobbyStateChanged,
    NewSpectatorJoined,
    PlayerJoined,
    PlayerLeft,
    Pong,
    Reconnected,
    ServerMessage,
    SpectatorDisconnected,
)
from signalfish.wire.types import Encoding, Form, LobbyState, Transport
from tests.strategies import examples, server_messages
from tests.wire.shapes import MEMBERS, NEWER, misfits, parsed

versions = st.sampled_from([2, 3])
KINDS = ServerMessage.__subclasses__()


def in_version(kind, version):
    """
    Whether clients of a version know a kind of message.
    """
    return kind.first_version <= version


def filled(hint):
    """
    Some value of a type, in which nothing is absent, null or empty.
    """
    if hint is Envelope:
        return nested(filled(PlayerJoined))
    simple = {str: "text", int: 7, bool: True, Raw: Raw(b"[]")}
    if hint in simple:
        return simple[hint]
    match get_origin(hint):
        case None if issubclass(hint, Enum):
            return next(iter(hint))
        case None:
            hints = get_type_hints(hint)
            return hint(**{name: filled(hints[name]) for name in hint.__struct_fields__})
        case origin if origin in (Union, UnionType):
            return filled(get_args(hint)[0])
        case origin:
            return origin([filled(get_args(hint)[0])])


def differences(old, new):
    """
    The names of members, at any depth, that two JSON values share with different values.
    """
    match old, new:
        case dict(), dict():
            for key in old.keys() & new.keys():
                inner = list(differences(old[key], new[key]))
                yield from [key] if None in inner else inner
        case list(), list() if len(old) == len(new):
            for pair in zip(old, new, strict=True):
                yield from differences(*pair)
        case _ if old != new:
            yield None


class ShapeTests(SynchronousTestCase):
    """
    Every message has exactly the members that the recipient's version knows.
    """

    def test_table_is_complete(self):
        """
        The table of shapes lists every message of the server.
        """
        for version in (2, 3):
            names = {kind.__name__ for kind in KINDS if in_version(kind, version)}
            self.assertEqual(set(), names - set(MEMBERS[version]), version)
        self.assertEqual(NEWER, {kind.__name__ for kind in KINDS if not in_version(kind, 2)})

    def test_complete(self):
        """
        With everything there is to say, all members of the version are there, and no others.
        """
        for kind, version in product(KINDS, (2, 3)):
            if not in_version(kind, version):
                continue
            text = encode(filled(kind), version)
            self.assertEqual([], list(misfits(parsed(text), version, complete=True)), text)

    @examples(150)
    @given(server_messages(), versions)
    def test_any(self, message, version):
        """
        With less to say, only members that may be absent are absent.
        """
        version = max(version, message.first_version)
        text = encode(message, version)
        self.assertEqual([], list(misfits(parsed(text), version)), text)

    def test_same_values(self):
        """
        Members that both versions have carry the same value, but for lists of spectators.
        """
        for kind in KINDS:
            if kind.__struct_fields__ and in_version(kind, 2):
                old, new = (json.loads(encode(filled(kind), version))["data"] for version in (2, 3))
                slim = kind in (NewSpectatorJoined, SpectatorDisconnected)
                changed = {"current_spectators"} if slim else set()
                self.assertEqual(changed, set(differences(old, new)), kind)

    def test_slim_spectator_lists(self):
        """
        Notices about spectators list nobody in version 3.
        """
        for kind in (NewSpectatorJoined, SpectatorDisconnected):
            new = json.loads(encode(filled(kind), 3))
            self.assertEqual([], new["data"]["current_spectators"])

    @examples(60)
    @given(server_messages(), versions)
    def test_superset_is_untouched(self, message, version):
        """
        Encoding for one version leaves the message as it was for the others.
        """
        before = repr(message)
        encode(message, version)
        self.assertEqual(before, repr(message))


class EncodeTests(SynchronousTestCase):
    """
    The text of a message.
    """

    def test_compact(self):
        """
        There are no blanks between the tokens, and characters beyond ASCII are not escaped.
        """
        message = LobbyStateChanged(
            lobby_state=LobbyState.LOBBY, ready_players=("ä", "b"), all_ready=True
        )
        self.assertEqual(
            '{"type":"LobbyStateChanged","data":'
            '{"lobby_state":"lobby","ready_players":["ä","b"],"all_ready":true}}',
            encode(message, 2).decode(),
        )

    def test_no_data(self):
        """
        A message without members has no ``data``, not even null.
        """
        self.assertEqual(b'{"type":"Pong"}', encode(Pong(), 2))
        self.assertEqual(b'{"type":"Pong"}', encode(Pong(), 3))


class NestedTests(SynchronousTestCase):
    """
    Messages inside messages.
    """

    def test_no_data(self):
        """
        A nested message without members has no ``data`` either.
        """
        self.assertEqual(b'{"type":"Pong"}', self.event_of(nested(Pong()), 2))

    def test_projected_with_the_carrier(self):
        """
        The version of the carrier decides about what is inside it.
        """
        event = nested(PlayerLeft(player_id="p", epoch=4, final_seq=17))
        self.assertEqual(b'{"type":"PlayerLeft","data":{"player_id":"p"}}', self.event_of(event, 2))
        self.assertEqual(
            b'{"type":"PlayerLeft","data":{"player_id":"p","epoch":4,"final_seq":17}}',
            self.event_of(event, 3),
        )

    def event_of(self, event, version):
        """
        The text of an event, as it stands in a Reconnected.
        """
        message = Reconnected(
            room_id="r",
            room_code="C",
            player_id="q",
            game_name="g",
            max_players=2,
            supports_authority=False,
            current_players=(),
            is_authority=False,
            lobby_state=LobbyState.WAITING,
            ready_players=(),
            relay_type="t",
            current_spectators=(),
            ice_servers=UNSET,
            missed_events=(event,),
            replay="complete",
            sender_watermarks=(),
            reconnection_token="s",
        )
        text = encode(message, version)
        return text.partition(b'"missed_events":[')[2].partition(b"]")[0]


class NoticeTests(SynchronousTestCase):
    """
    Control messages to many recipients.
    """

    def setUp(self):
        """
        A message whose text depends on the version.
        """
        self.message = PlayerLeft(player_id="p", epoch=1, final_seq=9)
        self.notice = Notice(self.message)

    def test_text_frame(self):
        """
        The frame is a text frame around the message in the recipient's version.
        """
        for version in (2, 3):
            frame = self.notice.frame(Form(version, Encoding.JSON))
            self.assertEqual(text_frame(encode(self.message, version)), frame)

    def test_shared(self):
        """
        All recipients of one version get the very same bytes, whatever game data they take.
        """
        frames = [self.notice.frame(Form(2, encoding)) for encoding in Encoding]
        self.assertEqual({id(frames[0])}, set(map(id, frames)))

    def test_versions_apart(self):
        """
        Frames of one version are not handed to recipients of another.
        """
        json = Encoding.JSON
        first = [self.notice.frame(Form(version, json)) for version in (2, 3, 2, 3)]
        self.assertEqual(first[:2], first[2:])
        self.assertNotEqual(first[0], first[1])

    def test_newer_message(self):
        """
        A message that only version 3 has makes no frame for older clients.
        """
        status = plans.PeerTransportStatus(peer_id="p", transport=Transport.WEBRTC, connected=True)
        notice = Notice(status)
        self.assertEqual(NO_FRAME, notice.frame(Form(2, Encoding.JSON)))
        self.assertEqual(text_frame(encode(status, 3)), notice.frame(Form(3, Encoding.JSON)))

    def test_every_newer_message(self):
        """
        There is no message of version 3 that an older client could be sent.
        """
        for kind in (
            plans.SessionPlan,
            plans.Signal,
            accounts.DeliveryReport,
            operations.RoomOperationResult,
        ):
            self.assertEqual(NO_FRAME, Notice(filled(kind)).frame(Form(2, Encoding.JSON)), kind)

    def test_error(self):
        """
        A text of the server's may have any character.
        """
        notice = Notice(Error(message='"\\\n\x00😀', error_code="INTERNAL_ERROR"))
        frame = notice.frame(Form(2, Encoding.JSON))
        self.assertEqual('"\\\n\x00😀', json.loads(frame[2:])["data"]["message"])
