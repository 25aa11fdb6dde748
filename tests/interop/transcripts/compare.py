"""
What differs between two transcripts, one line for each difference.
"""

import json
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

from tests.interop.transcripts.play import Cell, Transcript


def differences(script: str, ours: Transcript, public: Transcript) -> list[str]:
    """
    The differences of a script: where it is, and what we say more (+), less (-) or otherwise.
    """
    lines: list[str] = []
    for step, actor in dict.fromkeys([*ours, *public]):
        cells = ours.get((step, actor), []), public.get((step, actor), [])
        found = dict.fromkeys(_cell(*cells))
        lines += [f"{script}: {step}: {actor}: {what}" for what in found]
    return lines


def _cell(ours: Cell, public: Cell) -> Iterator[str]:
    heads = [[_head(message) for message in cell] for cell in (ours, public)]
    for how, a, b, c, d in SequenceMatcher(None, *heads, autojunk=False).get_opcodes():
        if how == "equal":
            for mine, theirs in zip(ours[a:b], public[c:d], strict=True):
                yield from _fields(_head(mine), mine.get("data"), theirs.get("data"))
        else:
            yield from (f"+{_summary(message)}" for message in ours[a:b])
            yield from (f"-{_summary(message)}" for message in public[c:d])


def _head(message: dict) -> str:
    kind = message["type"]
    return f"result {message['data']['result']['type']}" if kind == "RoomOperationResult" else kind


def _summary(message: dict) -> str:
    fields = message.get("data") or {}
    if message["type"] == "RoomOperationResult":
        fields = fields["result"].get("data", {})
    for name in ("error_code", "lobby_state", "topology", "instead of"):
        if name in fields:
            return f"{_head(message)} {fields[name]}"
    return _head(message)


def _fields(path: str, mine: Any, theirs: Any) -> Iterator[str]:
    if mine == theirs and type(mine) is type(theirs):
        return
    if isinstance(mine, dict) and isinstance(theirs, dict):
        for name in dict.fromkeys([*mine, *theirs]):
            inner = f"{path}.{name}"
            if name not in theirs:
                yield f"+{inner}"
            elif name not in mine:
                yield f"-{inner}"
            else:
                yield from _fields(inner, mine[name], theirs[name])
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        for one, other in zip(mine, theirs, strict=True):
            yield from _fields(f"{path}[]", one, other)
    else:
        yield f"{path} {_short(mine)} for {_short(theirs)}"


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
