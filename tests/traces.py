"""
The notation of the worked traces in the documentation: read, and compared with what happens.
"""

import json
import re
from typing import Any, NamedTuple
from uuid import uuid4

from attrs import define, field

from signalfish.wire.errors import ErrorCode

_WHO = r"[A-Z]'*(?:, [A-Z]'*)*"
_STEP = re.compile(rf"({_WHO}) ([<>]|opens|is lost|stops reading|reads on)(?: (.*))?$", re.DOTALL)
_COMMENT = re.compile(r"(?:^|\s+)# .*$")
_TOKEN = re.compile(
    r"""\s*(?: (?P<string>"(?:[^"\\]|\\.)*") | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<filler><\d+[ ]bytes>) | (?P<more>\.\.\.) | (?P<word>[A-Za-z_]\w*\*?)
    | (?P<sign>[{}\[\]:,]) )\s*""",
    re.VERBOSE,
)
_CONSTANTS = {"true": True, "false": False, "null": None}


class Step(NamedTuple):
    """
    One thing that somebody does, or hears.

    :ivar who: the clients.
    :ivar verb: ``>``, ``<``, or what else a client does.
    :ivar rest: what it is about.
    """

    who: list[str]
    verb: str
    rest: str


class Name(NamedTuple):
    """
    Something that is different each time, such as an id; a star marks the authority.
    """

    name: str
    is_authority: bool


@define
class Members:
    """
    An object, or a list if no item has a key; `is_open` if there may be more of them.
    """

    brackets: str
    items: list[tuple[str | None, Any]] = field(factory=list)
    is_open: bool = False


def steps(text: str) -> list[Step]:
    """
    The steps of a trace. A line that is indented deeper than the one before continues it.
    """
    lines: list[str] = []
    for raw in text.splitlines():
        line = _COMMENT.sub("", raw).rstrip()
        if line.startswith(" ") and lines:
            lines[-1] += "\n" + line.strip()
        elif line:
            lines.append(line)
    return [_step(line) for line in lines]


def _step(line: str) -> Step:
    if (found := _STEP.match(line)) is None:
        raise ValueError(f"not a step: {line!r}")
    return Step(found[1].split(", "), found[2], found[3] or "")


def message(text: str) -> tuple[str, Any]:
    """
    The type of a message, and its payload as a pattern; None if it has none.
    """
    kind, brace, rest = text.partition("{")
    if not brace:
        return kind.strip(), None
    return kind.strip(), pattern(brace + rest)


def pattern(text: str) -> Any:
    """
    A value in the notation of traces.
    """
    tokens, end = [], 0
    while end < len(text):
        found = _TOKEN.match(text, end)
        if found is None:
            raise ValueError(f"cannot read {text[end:]!r}")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        end = found.end()
    value, rest = _value(tokens)
    if rest:
        raise ValueError(f"too much: {rest} in {text!r}")
    return value


def _value(tokens: list) -> tuple[Any, list]:
    (kind, text), rest = tokens[0], tokens[1:]
    if kind == "sign":
        if text not in "{[":
            raise ValueError(f"unexpected {text!r}")
        return _members(text, rest)
    return _READERS[kind](text), rest


def _word(text: str) -> Any:
    if text in ErrorCode.__members__:
        return text
    return _CONSTANTS.get(text, Name(text.rstrip("*"), text.endswith("*")))


_READERS = {
    "string": json.loads,
    "number": json.loads,
    "filler": lambda text: "x" * int(text[1:-7]),
    "word": _word,
}


def _members(bracket: str, rest: list) -> tuple[Members, list]:
    found, closing = Members(bracket), "}" if bracket == "{" else "]"
    while rest[0][1] != closing:
        key = None
        if rest[0][0] == "more":
            found.is_open, rest = True, rest[1:]
        else:
            if rest[1][1] == ":":
                key, rest = rest[0][1].strip('"'), rest[2:]
            value, rest = _value(rest)
            found.items.append((key, value))
        if rest[0][1] == ",":
            rest = rest[1:]
    return found, rest[1:]


class Mismatch(Exception):  # noqa: N818 - it is what a test reports
    """
    Something is not as a trace says.
    """


class Bindings:
    """
    What the names of one trace stand for.

    Room codes are written like codes in traces, and stand for others too.
    """

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def said(self, value: Any, key: str | None = None) -> Any:
        """
        The value that a client sends.
        """
        match value:
            case Name(name, _):
                if key == "operation_id":  # the one id that clients make
                    self._values.setdefault(name, str(uuid4()))
                return self._values[name]
            case Members("{", items, False):
                return {name: self.said(item, name) for name, item in items}
            case Members("[", items, False):
                return [self.said(item) for _, item in items]
            case Members():
                raise ValueError("only what is heard can be shortened")
            case str() if key == "room_code":
                code = self._values.get(value.upper(), value)
                return code.lower() if value.islower() else code
        return value

    def check(self, expected: Any, actual: Any, key: str | None = None) -> None:
        """
        Compare a pattern with what was heard, and learn what its names stand for.

        :raises Mismatch: with what is different.
        """
        match expected:
            case Name(name, is_authority):
                self._check_name(name, actual, is_authority=is_authority)
            case Members("{"):
                self._check_object(expected, actual)
            case Members():
                self._check_list(expected, actual)
            case str() if key == "room_code":
                self._bind(expected, actual)
            case _:
                if (expected, type(expected)) != (actual, type(actual)):
                    raise Mismatch(f"{key} is {actual!r} instead of {expected!r}")

    def _check_name(self, name: str, actual: Any, *, is_authority: bool) -> None:
        if isinstance(actual, dict):
            if actual.get("is_authority", False) is not is_authority:
                raise Mismatch(f"authority of {name}: {actual}")
            actual = actual["id"] if "id" in actual else actual["player_id"]
        self._bind(name, actual)

    def _bind(self, name: str, actual: Any) -> None:
        known = self._values.setdefault(name, actual)
        if known != actual:
            raise Mismatch(f"{name} is {actual!r}, was {known!r}")
        if list(self._values.values()).count(actual) > 1:
            same = [other for other, value in self._values.items() if value == actual]
            raise Mismatch(f"one value has the names {same}")

    def _check_list(self, expected: Members, actual: Any) -> None:
        if not isinstance(actual, list):
            raise Mismatch(f"{actual!r} is no list")
        long_enough = len(actual) >= len(expected.items) if expected.is_open else False
        if not long_enough and len(actual) != len(expected.items):
            raise Mismatch(f"{len(actual)} items instead of {len(expected.items)}: {actual}")
        for (_, item), value in zip(expected.items, actual, strict=not expected.is_open):
            self.check(item, value)

    def _check_object(self, expected: Members, actual: Any) -> None:
        if not isinstance(actual, dict):
            raise Mismatch(f"{actual!r} is no object")
        if [key for key, _ in expected.items] == [None] and "error_code" in actual:
            self.check(expected.items[0][1], actual["error_code"], "error_code")
            return
        unnamed = iter(actual.items())
        seen = set()
        for name, item in expected.items:
            key, value = next(unnamed) if name is None else (name, actual.get(name, Mismatch))
            if value is Mismatch:
                raise Mismatch(f"no {key} in {actual}")
            seen.add(key)
            self.check(item, value, key)
        if not expected.is_open and seen != set(actual):
            raise Mismatch(f"{set(actual) - seen} in {actual}")
