"""
Spectators, and the authority.
"""

from tests.interop.transcripts.play import Play
from tests.interop.transcripts.scripts import room_of, script, start


@script()
def spectators(play: Play) -> None:
    """
    What spectators are told, and what they may not do.
    """
    ann, bob = room_of(play, "v3", "v2", max_players=3)
    code = ann.room["room_code"]
    for kind in ("v2", "v3"):
        with play.step(f"{kind} watches"):
            play.actor(kind, kind).watch(code)
    sue, sam = play.cast[-2:]
    for verb, fields in (
        ("GameData", {"data": 1}),
        ("PlayerReady", {}),
        ("StartGame", {}),
        ("LeaveRoom", {}),
        ("AuthorityRequest", {"become_authority": True}),
        ("ProvideConnectionInfo", {"connection_info": {"type": "custom", "data": 1}}),
        ("TransportStatus", {"transport": "relay", "connected": True}),
    ):
        with play.step(f"a spectator: {verb}"):
            sam.send(verb, **fields)
    start(play, ann, bob)
    with play.step("ann sends"):
        ann.send("GameData", data={"x": 1})
    with play.step("bob leaves"):
        bob.send("LeaveRoom")
    with play.step("sue leaves"):
        sue.send("LeaveSpectator")
    with play.step("sue leaves again"):
        sue.send("LeaveSpectator")
    with play.step("sam is lost"):
        sam.lose()
        ann.wait_for("SpectatorDisconnected")
    with play.step("late spectator"):
        play.actor("late", "v3").watch(code)
    with play.step("ann leaves, too"):
        ann.send("LeaveRoom")


@script(server__default_max_spectators=1)
def refused_spectators(play: Play) -> None:
    """
    Those who may not watch.
    """
    [ann] = room_of(play, "v3")
    code = ann.room["room_code"]
    with play.step("sealed room"):
        sealed = play.actor("sealed", "v3")
        sealed.enter(password="horse")
        sealed.wait_for("RoomJoined")
    secret = sealed.room["room_code"]
    cases = {
        "bad name": (code, {"spectator_name": ""}),
        "bad game": (code, {"game_name": ""}),
        "bad code": ("ABC", {}),
        "unknown": ("ZZZZZ9", {}),
        "other game": (code, {"game_name": "kelp-karts"}),
        "no password": (secret, {}),
        "wrong password": (secret, {"password": "house"}),
        "empty password": (secret, {"password": ""}),
        "unneeded password": (code, {"password": "horse"}),
        "player's name": (code.lower(), {"spectator_name": "ann"}),
        "one too many": (code, {}),
    }
    for name, (where, fields) in cases.items():
        with play.step(name):
            play.actor(name, "v3").watch(where, **{"spectator_name": "sue", **fields})
    with play.step("no password, version 2"):
        play.actor("sue 2", "v2").watch(secret)


@script()
def authority(play: Play) -> None:
    """
    The authority is given up, taken and refused.
    """
    for kind in ("v2", "v3"):
        with play.step(f"{kind}: they come"):
            ann, bob = play.actor(f"ann {kind}", kind), play.actor(f"bob {kind}", kind)
            ann.enter(max_players=3)
            ann.wait_for("RoomJoined")
            bob.enter(ann.room["room_code"])
            bob.wait_for("RoomJoined")
        for actor, become in (
            (bob, True),
            (bob, False),
            (ann, True),
            (ann, False),
            (ann, False),
            (bob, True),
        ):
            with play.step(f"{kind} {len(play.transcript)}: {actor.name} {become}"):
                actor.send("AuthorityRequest", become_authority=become)
        with play.step(f"{kind}: the authority leaves"):
            bob.send("LeaveRoom")
        with play.step(f"{kind}: it is taken"):
            ann.send("AuthorityRequest", become_authority=True)
        with play.step(f"{kind}: nothing is said"):
            ann.send("AuthorityRequest")


@script()
def no_authority(play: Play) -> None:
    """
    A room without authority.
    """
    ann, bob = room_of(play, "v3", "v3", supports_authority=False)
    with play.step("ann wants it"):
        ann.send("AuthorityRequest", become_authority=True)
    with play.step("both are ready"):
        ann.send("PlayerReady")
        ann.settle()
        bob.send("PlayerReady")
    with play.step("bob starts"):
        bob.send("StartGame")
