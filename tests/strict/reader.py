"""
From the payloads of frames to messages: JSON and MessagePack that a strict client can read.
"""

import json
from typing import Any
from uuid import UUID

import msgpack

from tests.strict.client import StrictClient
from tests.strict.lie import want
from tests.wire.shapes import MEMBERS, Pairs, misfits, parsed


def read_text(client: StrictClient, payload: bytes) -> None:
    """
    Give a client the message of a text frame.
    """
    text = payload.decode()
    message = json.loads(text)
    want(set(message) in ({"type"}, {"type", "data"}), "envelope", text)
    kind = message["type"]
    if kind == "GameData":
        _check_game_data(parsed(text))
    elif kind == "RoomOperationResult":
        _check_members(client, dict(dict(parsed(text))["data"])["result"])
    else:
        _check_members(client, parsed(text))
    client.hear(kind, message.get("data"))


def read_binary(client: StrictClient, payload: bytes) -> None:
    """
    Give a client the game data of a binary frame.
    """
    pairs = msgpack.unpackb(payload, object_pairs_hook=list)
    envelope = dict(pairs)
    want(len(envelope) == len(pairs), "member twice", pairs)
    sender: Any = envelope["from_player"]
    want(isinstance(sender, bytes) and len(sender) == 16, "sender", envelope)
    want(isinstance(envelope["payload"], bytes), "payload", envelope)
    envelope["from_player"] = str(UUID(bytes=sender))
    client.hear_binary(envelope)


def _check_members(client: StrictClient, message: Pairs) -> None:
    if dict(message)["type"] in MEMBERS[client.version]:
        wrong = list(misfits(message, client.version))
        want(not wrong, "members", wrong, message)


def _check_game_data(message: Pairs) -> None:
    data = dict(message)["data"]
    names = [name for name, _ in data]
    known = ["from_player", "data", "seq", "epoch", "class", "key"]
    want(names == [name for name in known if name in names], "members", data)
