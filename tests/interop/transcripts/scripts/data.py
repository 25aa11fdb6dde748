"""
Game data: values, classes, formats.
"""

import json

from tests.interop.transcripts.play import Play
from tests.interop.transcripts.scripts import room_of, script

VALUES = (
    "1",
    "null",
    '"é\\u00e9"',
    '{"b":1,"a":[true,{}]}',
    "1.5",
    "-0.0",
    "18446744073709551615",
    '"\\ud83d\\ude00"',
    "[" * 100 + "]" * 100,
)
UNDECODABLE = ("1e400", '"\\ud800"', "[" * 200 + "]" * 200, "{", "NaN", "'x'")
CLASSES = (
    {"class": "reliable"},
    {"class": "volatile"},
    {"class": "latest", "key": 0},
    {"class": "latest", "key": 4294967295},
    {"class": "latest"},
    {"class": "reliable", "key": 1},
    {"class": "volatile", "key": 1},
    {"key": 1},
    {"class": "latest", "key": 4294967296},
    {"class": "latest", "key": -1},
    {"class": "latest", "key": True},
    {"class": None},
    {"class": "urgent"},
)
PACKED = {
    "number": b"\x01",
    "map": b"\x81\xa1x\x01",
    "number for key": b"\x81\x01\x01",
    "binary": b"\xc4\x01\x00",
    "extension": b"\xd4\x01\x00",
    "not a number": b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00",
    "truncated": b"\x92\x01",
    "nothing": b"",
    "two values": b"\x01\x02",
    "large": b"\xda\xff\xf0" + b"x" * 65520,
    "too large": b"\xdb\x00\x01\x00\x00" + b"x" * 65536,
}


def _text(raw: str) -> str:
    return '{"type":"GameData","data":{"data":?}}'.replace("?", raw)


@script()
def values(play: Play) -> None:
    """
    Values of every kind, to both versions and a spectator.
    """
    ann, _bob, _cy = room_of(play, "v3", "v2", "v3")
    with play.step("sue watches"):
        play.actor("sue", "v2").watch(ann.room["room_code"])
    for number, raw in enumerate(VALUES + UNDECODABLE):
        with play.step(f"{number} {raw[:30]}"):
            ann.send_raw(_text(raw))
    with play.step("nothing"):
        ann.send("GameData")
    with play.step("too large"):
        ann.send("GameData", data="x" * 70000)


@script()
def classes(play: Play) -> None:
    """
    Delivery classes, in both versions.
    """
    ann, bob = room_of(play, "v3", "v2")
    for fields in CLASSES:
        for sender in (ann, bob):
            with play.step(f"{sender.name} sends {json.dumps(fields)}"):
                sender.send("GameData", data=1, **fields)


@script()
def formats_of_data(play: Play) -> None:
    """
    Every pair of formats and versions.
    """
    with play.step("they come together"):
        packed = {"game_data_format": "message_pack"}
        cast = []
        for name, kind, fields in (
            ("ann", "v3", packed),
            ("bob", "v2", packed),
            ("cy", "v3", {}),
            ("dee", "v2", {}),
        ):
            actor = play.actor(name, kind, **fields)
            actor.enter(cast[0].room["room_code"] if cast else None)
            actor.wait_for("RoomJoined")
            cast.append(actor)
        sue = play.actor("sue", "v3", **packed)
        sue.watch(cast[0].room["room_code"])
    for sender in cast[:2]:
        for name, payload in PACKED.items():
            # An advisory comes once a second for each sender, so each has its own.
            with play.step(f"{sender.name} sends {name}"):
                sender.send_raw(payload)
    for sender in cast:
        with play.step(f"{sender.name} sends text"):
            sender.send("GameData", data={"from": sender.name})
    with play.step("cy sends binary"):
        cast[2].send_raw(b"\x01")
    with play.step("sue sends binary"):
        sue.send_raw(b"\x01")
