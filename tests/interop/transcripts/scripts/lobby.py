"""
From the first seat to the start, and what leaving does.
"""

from tests.interop.transcripts.play import Play
from tests.interop.transcripts.scripts import lose, room_of, script, start

DIRECT = {"type": "direct", "host": "192.0.2.4", "port": 40417}


def _ready(play: Play, *kinds: str) -> None:
    ann, bob = room_of(play, *kinds)
    with play.step("ann is ready"):
        ann.send("PlayerReady")
    with play.step("ann is not ready"):
        ann.send("PlayerReady")
    with play.step("ann starts too early"):
        ann.send("StartGame")
    with play.step("bob is ready"):
        bob.send("PlayerReady")
    with play.step("ann is ready again"):
        ann.send("PlayerReady")
    with play.step("bob starts"):
        bob.send("StartGame")
    with play.step("ann starts"):
        ann.send("StartGame")
    with play.step("ann starts again"):
        ann.send("StartGame")
    with play.step("bob is ready too late"):
        bob.send("PlayerReady")
    with play.step("bob leaves the game"):
        bob.send("LeaveRoom")
    with play.step("ann leaves the game"):
        ann.send("LeaveRoom")


@script()
def readiness_in_version_2(play: Play) -> None:
    """
    Two players of version 2.
    """
    _ready(play, "v2", "v2")


@script()
def readiness_of_older_clients(play: Play) -> None:
    """
    Two players who never authenticate.
    """
    _ready(play, "plain", "plain")


@script()
def readiness_in_version_3(play: Play) -> None:
    """
    Two players of version 3.
    """
    _ready(play, "v3", "v3")


@script()
def readiness_of_both(play: Play) -> None:
    """
    A player of version 3, whose rule it is, and one of version 2.
    """
    _ready(play, "v3", "v2")


@script()
def coming_and_going(play: Play) -> None:
    """
    Readiness while players come and go.
    """
    ann, bob, cy = room_of(play, "v3", "v3", "v3", max_players=4)
    with play.step("two are ready"):
        ann.send("PlayerReady")
        ann.settle()
        bob.send("PlayerReady")
    with play.step("cy leaves, all are ready"):
        cy.send("LeaveRoom")
    with play.step("cy joins, not all are ready"):
        cy.enter(ann.room["room_code"])
    with play.step("ann starts too early"):
        ann.send("StartGame")
    lose(play, bob, ann, cy)
    with play.step("ann gives the authority up by leaving"):
        ann.send("LeaveRoom")
    with play.step("cy is ready"):
        cy.send("PlayerReady")
    with play.step("cy starts alone"):
        cy.send("StartGame")


@script()
def alone(play: Play) -> None:
    """
    A room for one.
    """
    for kind in ("v2", "v3"):
        ann = play.actor(f"ann {kind}", kind)
        with play.step(f"{kind} creates"):
            ann.enter(max_players=1)
        with play.step(f"{kind} is ready"):
            ann.send("PlayerReady")
        with play.step(f"{kind} starts"):
            ann.send("StartGame")


@script()
def outside(play: Play) -> None:
    """
    What only players may do, done by others.
    """
    for kind in ("plain", "v2", "mesh"):
        ann = play.actor(f"ann {kind}", kind)
        for verb, fields in (
            ("PlayerReady", {}),
            ("StartGame", {}),
            ("LeaveRoom", {}),
            ("LeaveSpectator", {}),
            ("AuthorityRequest", {"become_authority": True}),
            ("ProvideConnectionInfo", {"connection_info": DIRECT}),
            ("GameData", {"data": 1}),
            ("TransportStatus", {"transport": "webrtc", "connected": True}),
        ):
            with play.step(f"{kind}: {verb}"):
                ann.send(verb, **fields)


@script()
def connection_info(play: Play) -> None:
    """
    What players say about how they can be reached.
    """
    ann, bob = room_of(play, "v2", "v2")
    cases = {
        "direct": DIRECT,
        "unity": {"type": "unity_relay", "allocation_id": "a", "connection_data": "b", "key": "c"},
        "relay": {"type": "relay", "host": "h", "port": 1, "allocation_id": "a", "token": "t"},
        "webrtc": {"type": "webrtc", "sdp": None, "ice_candidates": ["x"]},
        "custom": {"type": "custom", "data": {"a": [1, None]}},
        "port out of range": {**DIRECT, "port": 65536},
        "no host": {"type": "direct", "port": 1},
        "unknown type": {"type": "pigeon"},
        "too large": {"type": "custom", "data": "x" * 9000},
    }
    for name, info in cases.items():
        with play.step(name):
            ann.send("ProvideConnectionInfo", connection_info=info)
        with play.step(f"{name}: somebody watches"):
            sue = play.actor(f"sue {name}", "v2")
            sue.watch(ann.room["room_code"])
            sue.wait_for("SpectatorJoined")
            sue.send("LeaveSpectator")
    start(play, ann, bob)


@script()
def emptied(play: Play) -> None:
    """
    A room that everybody has left, and that somebody enters again.
    """
    ann, bob = room_of(play, "v3", "v3")
    start(play, ann, bob)
    for player in (ann, bob):
        with play.step(f"{player.name} leaves"):
            player.send("LeaveRoom")
    with play.step("bob comes again"):
        bob.enter(ann.room["room_code"])
