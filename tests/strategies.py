"""
What Hypothesis makes up for the tests of more than one part.
"""

import os
from enum import Enum
from struct import pack
from types import NoneType, UnionType
from typing import Annotated, Union, get_args, get_origin, get_type_hints

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from msgspec import UNSET, Raw, UnsetType
from msgspec.structs import fields

from signalfish.wire import server
from signalfish.wire.outgoing import nested


def examples(number):
    """
    Settings for a law that is tried on this many examples, the same ones on every run.
    """
    return settings(max_examples=number, deadline=None, derandomize=True)


def play(machine, number):
    """
    Run a state machine so many times, or as often as ``SIGNALFISH_EXAMPLES`` says.

    Without that variable it does the same on every run.
    """
    asked = os.environ.get("SIGNALFISH_EXAMPLES")
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=int(asked or number),
            stateful_step_count=50,
            deadline=None,
            derandomize=asked is None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


uuids = st.uuids().map(str)
names = st.text("abcdeéßжด漢٣ -_", min_size=1, max_size=8).map(str.strip).filter(None)
junk = st.binary(max_size=64)

# ---------------------------------------------------------------------------------------------
# JSON
# ---------------------------------------------------------------------------------------------

_BLANKS = st.sampled_from(["", "", "", " ", "\n", "\t \r"])
_PIECES = [*'ab[]{},:"é€😀\x7f', r"\n", r"\"", r"\\", r"\/", r"\u00e9", r"\u0000", r"\ud83d\ude00"]
_LONE = [r"\ud83d", r"\udE00", r"\ud83d\ud83d", r"\ud800\u0041"]
_SIGNS = st.sampled_from(["", "-"])

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
"""
Values that JSON can say, as Python has them.
"""


def json_numbers(*, hostile=False):
    """
    JSON numbers in all spellings; hostile ones may be out of the range of doubles.
    """
    reach = 400 if hostile else 200
    digits = st.integers(1, reach).map("9".__mul__)
    whole = st.integers(0, 2**70).map(str) | digits
    fraction = st.just("") | st.integers(0, 10**20).map(".{}".format) | digits.map(".{}".format)
    exponent = st.just("") | st.builds(
        "{}{}{}".format,
        st.sampled_from("eE"),
        st.sampled_from(["", "+", "-"]),
        st.integers(0, reach if hostile else 90).map(str),
    )
    return st.tuples(_SIGNS, whole, fraction, exponent).map("".join)


def json_strings(*, hostile=False):
    """
    JSON strings in all spellings; hostile ones may hold half a surrogate pair.
    """

    def spelled(character):
        return rf"\{character}" if character in '"\\' else character

    pieces = [piece if len(piece) > 1 else spelled(piece) for piece in _PIECES]
    pieces += _LONE if hostile else []
    return st.lists(st.sampled_from(pieces), max_size=6).map(lambda parts: f'"{"".join(parts)}"')


def json_texts(*, hostile=False):
    """
    JSON values as text that obeys the grammar, with blanks and odd spellings.
    """
    strings = json_strings(hostile=hostile)
    scalars = (
        st.sampled_from(["null", "true", "false", "[]", "{}"])
        | json_numbers(hostile=hostile)
        | strings
    )

    def around(inner):
        element = st.tuples(_BLANKS, inner, _BLANKS).map("".join)
        member = st.tuples(_BLANKS, strings, _BLANKS, element).map(
            lambda parts: "{}{}{}:{}".format(*parts)
        )
        arrays = st.lists(element, max_size=4).map(lambda parts: f"[{','.join(parts)}]")
        objects = st.lists(member, max_size=4).map(lambda parts: f"{{{','.join(parts)}}}")
        return arrays | objects

    return st.recursive(scalars, around, max_leaves=10)


# ---------------------------------------------------------------------------------------------
# MessagePack, written without a MessagePack library
# ---------------------------------------------------------------------------------------------


def _int_forms(number):
    forms = [
        pack(f"!B{code}", head, number)
        for head, code, low, high in [
            (0xCC, "B", 0, 2**8),
            (0xCD, "H", 0, 2**16),
            (0xCE, "I", 0, 2**32),
            (0xCF, "Q", 0, 2**64),
            (0xD0, "b", -(2**7), 2**7),
            (0xD1, "h", -(2**15), 2**15),
            (0xD2, "i", -(2**31), 2**31),
            (0xD3, "q", -(2**63), 2**63),
        ]
        if low <= number < high
    ]
    if -32 <= number < 128:
        forms.append(pack("!B" if number >= 0 else "!b", number))
    return forms


def _heads(length, fix, fix_below, sized):
    forms = [pack(f"!B{code}", head, length) for head, code, limit in sized if length < limit]
    return [bytes([fix | length]), *forms] if length < fix_below else forms


def _string_heads(length):
    return _heads(length, 0xA0, 32, [(0xD9, "B", 2**8), (0xDA, "H", 2**16), (0xDB, "I", 2**32)])


def _array_heads(length):
    return _heads(length, 0x90, 16, [(0xDC, "H", 2**16), (0xDD, "I", 2**32)])


def _map_heads(length):
    return _heads(length, 0x80, 16, [(0xDE, "H", 2**16), (0xDF, "I", 2**32)])


@st.composite
def _packed(draw, value):
    match value:
        case None | bool():
            return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
        case int():
            return draw(st.sampled_from(_int_forms(value)))
        case float():
            return pack("!Bd", 0xCB, value)
        case str():
            encoded = value.encode()
            return draw(st.sampled_from(_string_heads(len(encoded)))) + encoded
        case list():
            head = draw(st.sampled_from(_array_heads(len(value))))
            return head + b"".join([draw(_packed(item)) for item in value])
        case dict():
            head = draw(st.sampled_from(_map_heads(len(value))))
            members = [(draw(_packed(key)), draw(_packed(item))) for key, item in value.items()]
            return head + b"".join([part for member in members for part in member])


@st.composite
def message_packs(draw):
    """
    A value, and one of the ways in which MessagePack can say it.
    """
    value = draw(json_values)
    return value, draw(_packed(value))


# ---------------------------------------------------------------------------------------------
# Messages from clients, as they are before they become text
# ---------------------------------------------------------------------------------------------


def _optional(**members):
    return {name: st.none() | values for name, values in members.items()}


_texts = st.text(max_size=8)
_payloads = {
    "Authenticate": st.fixed_dictionaries(
        {"app_id": _texts},
        optional=_optional(
            connect_token=_texts,
            sdk_version=_texts,
            platform=_texts,
            game_data_format=st.sampled_from(["json", "message_pack", "rkyv", "protobuf"]),
            protocol_version=st.integers(0, 65535),
            supported_transports=st.lists(st.sampled_from(["relay", "direct", "webrtc"])),
            supported_topologies=st.lists(st.sampled_from(["relay", "host", "mesh"])),
            requested_capabilities=st.lists(_texts, max_size=3),
        ),
    ),
    "JoinRoom": st.fixed_dictionaries(
        {"game_name": _texts, "player_name": _texts},
        optional=_optional(
            room_code=_texts,
            max_players=st.integers(0, 255),
            supports_authority=st.booleans(),
            relay_transport=st.sampled_from(["tcp", "udp", "websocket", "auto"]),
            password=_texts,
            join_only=st.booleans(),
        ),
    ),
    "GameData": st.fixed_dictionaries(
        {"data": json_values},
        optional={
            "class": st.sampled_from(["reliable", "latest", "volatile"]),
            "key": st.integers(0, 2**32 - 1),
        },
    ),
    "AuthorityRequest": st.fixed_dictionaries({"become_authority": st.booleans()}),
    "ProvideConnectionInfo": st.fixed_dictionaries({"connection_info": json_values}),
    "Reconnect": st.fixed_dictionaries(
        {"player_id": uuids, "room_id": uuids, "auth_token": _texts}
    ),
    "JoinAsSpectator": st.fixed_dictionaries(
        {"game_name": _texts, "room_code": _texts, "spectator_name": _texts},
        optional=_optional(password=_texts),
    ),
    "Signal": st.fixed_dictionaries({"to": uuids, "generation": uuids, "signal": json_values}),
    "TransportStatus": st.fixed_dictionaries(
        {"transport": st.sampled_from(["relay", "direct", "webrtc"]), "connected": st.booleans()}
    ),
}
_empty_payloads = st.sampled_from([{}, {"data": None}, {"data": {}}])

client_messages = st.one_of(
    *(
        st.fixed_dictionaries({"type": st.just(kind), "data": payload})
        for kind, payload in _payloads.items()
    ),
    *(
        _empty_payloads.map(lambda rest, kind=kind: {"type": kind, **rest})
        for kind in ["LeaveRoom", "PlayerReady", "StartGame", "Ping", "LeaveSpectator"]
    ),
)
"""
Every message that a client may send, as values for :func:`json.dumps`.
"""

# ---------------------------------------------------------------------------------------------
# Messages from the server
# ---------------------------------------------------------------------------------------------


def _fitting(hint):
    if get_origin(hint) is Annotated:
        limits = next((meta for meta in hint.__metadata__ if meta.le is not None), None)
        return st.integers(limits.ge, limits.le) if limits else _fitting(get_args(hint)[0])
    if hint is server.Envelope:
        return st.deferred(lambda: server_messages(_EVENTS).map(nested))
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    match get_origin(hint):
        case None:
            return _of_class(hint)
        case origin if origin in (Union, UnionType):
            return st.one_of([_fitting(part) for part in get_args(hint)])
        case origin:
            return st.lists(_fitting(get_args(hint)[0]), max_size=2).map(origin)


def _of_class(kind):
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    hints = get_type_hints(kind, include_extras=True)
    return st.builds(kind, **{each.name: _member(hints[each.name], each) for each in fields(kind)})


def _member(hint, field):
    if field.default is UNSET:
        return _fitting(hint)
    return _fitting(hint).filter(lambda value: value is not UNSET)


_SIMPLE = {
    str: st.sampled_from(["", "a", '"\\\n\x00', "é😀"]),
    int: st.sampled_from([0, 1, 2**32, 2**63]),
    bool: st.booleans(),
    NoneType: st.none(),
    UnsetType: st.just(UNSET),
    Raw: st.sampled_from([Raw(b"null"), Raw(b'{"b": 1E2, "a":"\\u0061"}')]),
}
_EVENTS = [
    server.PlayerJoined,
    server.PlayerLeft,
    server.PlayerReconnected,
    server.NewSpectatorJoined,
    server.SpectatorDisconnected,
    server.LobbyStateChanged,
    server.AuthorityChanged,
]


def server_messages(kinds=None):
    """
    Messages that the server may send, as the superset of all protocol versions.

    :param kinds: which classes; by default all.
    """
    kinds = server.ServerMessage.__subclasses__() if kinds is None else kinds
    return st.one_of([_fitting(kind) for kind in kinds])
