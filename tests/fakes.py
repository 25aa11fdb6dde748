"""
Small stand-ins for what is outside of the code under test.
"""

import json
import struct
from random import Random
from typing import Any, NamedTuple

import msgpack
from twisted.internet.task import Clock

from signalfish.config import Server
from signalfish.rooms.mint import Mint
from signalfish.rooms.plan import Planner
from signalfish.service import RoomService, Terms, Time
from signalfish.wire.errors import CloseCode
from signalfish.wire.outgoing import Outgoing, Undeliverable
from signalfish.wire.server import NameRules
from signalfish.wire.types import Encoding, Form

V2 = Form(2, Encoding.JSON)
V3 = Form(3, Encoding.JSON)
V2_BINARY = Form(2, Encoding.MESSAGE_PACK)

RULES = NameRules(
    max_length=32,
    min_length=1,
    allow_unicode_alphanumeric=True,
    allow_spaces=True,
    allow_leading_trailing_whitespace=False,
    allowed_symbols=("-", "_"),
)

_TEXT, _BINARY = 0x81, 0x82
_MEDIUM, _LONG = 126, 127


class Told(NamedTuple):
    """
    One message as a client of the link's form sees it.

    :ivar type: the token; BinaryGameData for a binary frame, Undeliverable for what cannot be told.
    :ivar data: the payload as Python objects; None if there is none.
    """

    type: str
    data: Any = None


class Closed(NamedTuple):
    """
    How a link was closed.
    """

    code: CloseCode
    reason: str
    farewell: Told | None


class FakeLink:
    """
    A connection that decodes and remembers what its client would have been told.

    :ivar told: messages in order, up to the closing, the farewell not included.
    :ivar closed: how it was closed first; None while it is open.
    :ivar is_settled: whether the conversation said that the client can be told anything.
    :ivar late: how many messages came after that, which is not an error but a waste.
    """

    def __init__(self, form: Form = V2, name: str = "") -> None:
        self.form = form
        self.newer_codes = False
        self.is_settled = False
        self.fingerprint: str | None = None
        self.told: list[Told] = []
        self.closed: Closed | None = None
        self.late = 0
        self._name = name
        self._busy = False

    def __repr__(self) -> str:
        return f"<FakeLink {self._name} v{self.form.version}>"

    def deliver(self, outgoing: Outgoing) -> None:
        """
        Remember a message; a closed connection takes none.
        """
        self._enter()
        if self.closed is None:
            told = seen(outgoing, self.form)
            if told is not None:
                self.told.append(told)
                self.hear(told)
        else:
            self.late += 1
        self._busy = False

    def close(self, code: CloseCode, reason: str, farewell: Outgoing | None = None) -> None:
        """
        Remember how the connection was closed.
        """
        self._enter()
        if len(reason.encode()) > 123:
            raise AssertionError(f"close reason too long: {reason!r}")
        if self.closed is None:
            last = None if farewell is None else seen(farewell, self.form)
            self.closed = Closed(code, reason, last)
        self._busy = False

    def settle(self, is_member) -> None:
        """
        Remember that the client can be told anything; once.
        """
        if self.is_settled:
            raise AssertionError(f"{self!r} was settled twice")
        self.is_settled = True

    def hear(self, told: Told) -> None:
        """
        For subclasses: a message has arrived.
        """

    def take(self) -> list[Told]:
        """
        What has been told since the last time.
        """
        told, self.told = self.told, []
        return told

    def take_types(self) -> list[str]:
        """
        The tokens of what has been told since the last time.
        """
        return [told.type for told in self.take()]

    def _enter(self) -> None:
        if self._busy:
            raise AssertionError(f"{self!r} was re-entered")
        self._busy = True


def seen(outgoing: Outgoing, form: Form) -> Told | None:
    """
    A message as a client of this form sees it; None if there is no such message in its version.
    """
    try:
        frame = outgoing.frame(form)
    except Undeliverable as problem:
        return Told("Undeliverable", {"sender": problem.sender, "text": problem.text})
    if not frame:
        return None
    opcode, payload = unframed(frame)
    if opcode == _BINARY:
        return Told("BinaryGameData", msgpack.unpackb(payload))
    if opcode != _TEXT:
        raise AssertionError(f"unexpected first byte {opcode:#x}")
    message = json.loads(payload)
    return Told(message["type"], message.get("data"))


def unframed(frame: bytes) -> tuple[int, bytes]:
    """
    The first byte and the payload of exactly one unmasked WebSocket frame.
    """
    first, length = frame[0], frame[1]
    start = 2
    if length == _MEDIUM:
        (length,) = struct.unpack_from("!H", frame, 2)
        start = 4
    elif length == _LONG:
        (length,) = struct.unpack_from("!Q", frame, 2)
        start = 10
    payload = frame[start:]
    if len(payload) != length:
        raise AssertionError(f"frame says {length} bytes and has {len(payload)}")
    return first, payload


def mint(seed: int = 1) -> Mint:
    """
    A mint whose values are always the same.
    """
    return Mint(Random(seed))


def room_service(
    clock: Clock | None = None,
    seed: int = 1,
    planned: dict[str, Any] | None = None,
    largest_message: int = 8 << 20,
    **settings: Any,
) -> RoomService:
    """
    Rooms that live by a clock of ours and draw the same values always.

    :param planned: what differs from the defaults of the planner.
    :param settings: those of the ``server`` section that differ from the defaults.
    """
    clock = Clock() if clock is None else clock
    time = Time(clock, clock.seconds, clock.seconds)
    values = mint(seed)
    planner = Planner(values.uuid, clock.seconds, **(planned or {}))
    terms = Terms(planner, lambda game: "matchbox", largest_message)
    return RoomService(Server(**settings), time, values, terms)
