"""
Joins, and why they are refused.
"""

from tests.interop.transcripts.play import Play
from tests.interop.transcripts.scripts import room_of, script

GAME_NAMES = ("", "x" * 64, "x" * 65, "reef racers-2_b", "reef.racers", "räcer", " x", 1, None)
PLAYER_NAMES = ("", "x" * 32, "x" * 33, "é" * 16, "é" * 17, " x", "x ", "x.y", "名前", "x\u0000", 1)
CAPACITIES = (0, 1, 100, 101, 255, 256, -1, 2.0, "2", None, True)
CODES = ("", "ABC", "ABCDEFG", "ABC!23", "äbc123", "abc23d", "IO01IO", 1, None)


@script(rate_limit__max_room_creations=100, rate_limit__max_join_attempts=100)
def names(play: Play) -> None:
    """
    What rooms and players may be called.
    """
    for value in GAME_NAMES:
        with play.step(f"game {value!r}"):
            play.actor(f"game {value!r}", "plain").enter(game_name=value, player_name="ann")
    for value in PLAYER_NAMES:
        with play.step(f"player {value!r}"):
            play.actor(f"player {value!r}", "plain").enter(player_name=value)


@script(rate_limit__max_room_creations=100, rate_limit__max_join_attempts=100)
def sizes_and_codes(play: Play) -> None:
    """
    How many players, and which codes.
    """
    for value in CAPACITIES:
        with play.step(f"for {value!r}"):
            play.actor(f"for {value!r}", "v3").enter(max_players=value, player_name="ann")
    for value in CODES:
        with play.step(f"code {value!r}"):
            play.actor(f"code {value!r}", "v3").enter(room_code=value, player_name="ann")


@script()
def wishes(play: Play) -> None:
    """
    Other members of the request to join.
    """
    cases = {
        "no authority": {"supports_authority": False},
        "null authority": {"supports_authority": None},
        "relay transport": {"relay_transport": "udp"},
        "unknown relay transport": {"relay_transport": "pigeon"},
        "join only without code": {"join_only": True},
        "join only, unknown code": {"join_only": True, "room_code": "ZZZZZ9"},
        "empty password": {"password": ""},
        "long password": {"password": "x" * 257},
        "password": {"password": "x" * 256},
        "number for password": {"password": 1},
        "unknown member": {"shoe_size": 43},
    }
    for name, fields in cases.items():
        with play.step(name):
            play.actor(name, "v3").enter(player_name="ann", **fields)
    for kind in ("plain", "v2", "operator"):
        with play.step(f"nothing at all, {kind}"):
            play.actor(f"nothing {kind}", kind).send("JoinRoom")


@script()
def closed_doors(play: Play) -> None:
    """
    Rooms that do not let everybody in.
    """
    for kind in ("v2", "v3", "operator"):
        with play.step(f"{kind} rooms"):
            ann = play.actor(f"ann {kind}", kind)
            ann.enter(max_players=2)
            ann.wait_for("RoomJoined")
            sealed = play.actor(f"sealed {kind}", kind)
            sealed.enter(password="horse", max_players=1)
            sealed.wait_for("RoomJoined")
        code, secret = ann.room["room_code"], sealed.room["room_code"]
        cases = {
            "no password": (secret, {}),
            "wrong password": (secret, {"password": "house"}),
            "right password, full": (secret, {"password": "horse"}),
            "password for an open room": (code, {"password": "horse"}),
            "taken name": (code, {"player_name": ann.name.upper()}),
            "lower case": (code.lower(), {}),
            "full": (code, {}),
        }
        for name, (where, fields) in cases.items():
            with play.step(f"{kind}: {name}"):
                play.actor(f"{kind} {name}", kind).enter(where, **{"player_name": "x", **fields})


@script()
def twice(play: Play) -> None:
    """
    Joining from inside a room.
    """
    ann, _ = room_of(play, "v3", "v3")
    with play.step("ann joins again"):
        ann.enter()
    with play.step("ann wants to watch"):
        ann.watch(ann.room["room_code"])
    with play.step("somebody watches and joins"):
        sue = play.actor("sue", "v3")
        sue.watch(ann.room["room_code"])
        sue.wait_for("SpectatorJoined")
        sue.enter()
    with play.step("sue watches twice"):
        sue.watch(ann.room["room_code"])


@script(rate_limit__max_room_creations=1, rate_limit__max_join_attempts=3)
def budgets(play: Play) -> None:
    """
    How often a connection may try.
    """
    ann = play.actor("ann", "v3")
    for number in range(2):
        with play.step(f"creation {number}"):
            ann.enter()
            ann.hear()
            ann.send("LeaveRoom")
    for number in range(3):
        with play.step(f"attempt {number}"):
            ann.enter("ZZZZZ9", join_only=True)
    with play.step("watching"):
        ann.watch("ZZZZZ9")


@script(server__max_rooms_per_game=1)
def many_rooms(play: Play) -> None:
    """
    One room too many.
    """
    for name in ("ann", "bob"):
        with play.step(f"{name} creates"):
            play.actor(name, "v2").enter()
    with play.step("cy creates for another game"):
        play.actor("cy", "v2").enter(game_name="kelp-karts")
    with play.step("dee creates by code"):
        play.actor("dee", "v2").enter("ABC234")


@script()
def apps(play: Play) -> None:
    """
    Clients of different apps, and of none.
    """
    with play.step("ann creates"):
        ann = play.actor("ann", "v2")
        ann.enter()
        ann.wait_for("RoomJoined")
    for name, kind, fields in (
        ("bob", "v2", {"app_id": "another"}),
        ("cy", "plain", {}),
        ("dee", "v2", {}),
    ):
        with play.step(f"{name} joins"):
            play.actor(name, kind, **fields).enter(ann.room["room_code"])
