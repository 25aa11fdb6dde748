"""
What is asked for with an id.
"""

from tests.interop.transcripts.play import GAME, Play
from tests.interop.transcripts.scripts import lose, room_of, script, start

UNKNOWN = "ffffffff-ffff-4fff-8fff-ffffffffffff"


@script()
def memberships(play: Play) -> None:
    """
    The five requests for being in a room.
    """
    ann = play.actor("ann", "operator")
    for kind, fields in (
        ("LeaveRoom", {}),
        ("LeaveSpectator", {}),
        ("JoinRoom", {"game_name": "", "player_name": "ann"}),
        ("JoinRoom", {"game_name": GAME, "player_name": "ann"}),
        ("JoinRoom", {"game_name": GAME, "player_name": "ann"}),
        ("JoinAsSpectator", {"game_name": GAME, "room_code": "ABC234", "spectator_name": "a"}),
        ("Reconnect", {"player_id": UNKNOWN, "room_id": UNKNOWN, "auth_token": UNKNOWN}),
    ):
        with play.step(f"ann: {kind} {len(play.transcript)}"):
            ann.operate(kind, **fields)
    bob = play.actor("bob", "operator")
    with play.step("bob cannot reconnect"):
        bob.operate("Reconnect", player_id=UNKNOWN, room_id=UNKNOWN, auth_token=UNKNOWN)
    with play.step("bob cannot watch nothing"):
        bob.operate("JoinAsSpectator", game_name=GAME, room_code="ZZZZZ9", spectator_name="b")
    watch = {"game_name": GAME, "room_code": ann.room["room_code"], "spectator_name": "bob"}
    with play.step("bob watches"):
        bob.operate("JoinAsSpectator", **watch)
    with play.step("bob watches again"):
        bob.operate("JoinAsSpectator", **watch)
    with play.step("bob cannot leave"):
        bob.operate("LeaveRoom")
    with play.step("bob watches no more"):
        bob.operate("LeaveSpectator")
    with play.step("ann leaves"):
        ann.operate("LeaveRoom")


@script()
def returning_with_id(play: Play) -> None:
    """
    A return that was asked for with an id.
    """
    ann, bob = room_of(play, "operator", "operator")
    start(play, ann, bob)
    lose(play, bob, ann)
    room = bob.room
    with play.step("bob returns"):
        play.actor("bob'", "operator").operate(
            "Reconnect",
            player_id=room["player_id"],
            room_id=room["room_id"],
            auth_token=room["reconnection_token"],
        )


@script()
def wrong_operations(play: Play) -> None:
    """
    Operations with something wrong, and those that were not negotiated.
    """
    leave = {"type": "LeaveRoom"}
    identity = "00000000-0000-4000-8000-000000000001"
    for kind in ("v2", "v3", "operator"):
        actor = play.actor(kind, kind)
        for name, fields in {
            "well-formed": {"operation_id": identity, "operation": leave},
            "empty data": {"operation_id": identity, "operation": {**leave, "data": {}}},
            "no id": {"operation": leave},
            "upper case": {"operation_id": identity.replace("4", "A"), "operation": leave},
            "no hyphens": {"operation_id": identity.replace("-", ""), "operation": leave},
            "no operation": {"operation_id": identity},
            "unknown": {"operation_id": identity, "operation": {"type": "Fly"}},
            "not of a room": {"operation_id": identity, "operation": {"type": "PlayerReady"}},
        }.items():
            with play.step(f"{kind}: {name}"):
                actor.send("RoomOperation", **fields)


@script()
def moderation(play: Play) -> None:
    """
    What the authority may ask for.
    """
    ann, bob, cy, dee = room_of(play, "operator", "operator", "v2", "v3", max_players=6)
    with play.step("sue watches"):
        sue = play.actor("sue", "mesh")
        sue.watch(ann.room["room_code"])
        sue.wait_for("SpectatorJoined")
    ids = {actor.name: actor.room["player_id"] for actor in (ann, bob, cy, dee)}
    ids.update(sue=sue.room["spectator_id"], nobody=UNKNOWN)
    targeted = ("KickPlayer", "BanPlayer", "UnbanPlayer", "TransferAuthority")
    for kind in targeted:
        with play.step(f"bob may not {kind}"):
            bob.operate(kind, player_id=ids["ann"])
        for target in ("ann", "nobody", "sue"):
            with play.step(f"{kind} {target}"):
                ann.operate(kind, player_id=ids[target])
        with play.step(f"{kind} without target"):
            ann.operate(kind)
    for actor in (bob, ann):
        with play.step(f"{actor.name} recodes"):
            actor.operate("RegenerateRoomCode")
        for name, fields in {
            "set": {"password": "horse"},
            "empty": {"password": ""},
            "long": {"password": "x" * 257},
            "null": {"password": None},
        }.items():
            with play.step(f"{actor.name} access {name}"):
                actor.operate("SetRoomAccess", **fields)
    with play.step("access without data"):
        ann.operate("SetRoomAccess")
    with play.step("kick cy"):
        ann.operate("KickPlayer", player_id=ids["cy"])
        cy.wait_for("closed")
    with play.step("ban dee"):
        ann.operate("BanPlayer", player_id=ids["dee"])
        dee.wait_for("closed")
    with play.step("dee wants back"):
        play.actor("dee'", "v3").come_back(dee.room)
    with play.step("unban dee"):
        ann.operate("UnbanPlayer", player_id=ids["dee"])
    with play.step("dee wants back again"):
        play.actor("dee''", "v3").come_back(dee.room)
    with play.step("transfer to bob"):
        ann.operate("TransferAuthority", player_id=ids["bob"])
    with play.step("ann may not kick"):
        ann.operate("KickPlayer", player_id=ids["bob"])
    with play.step("bob kicks ann"):
        bob.operate("KickPlayer", player_id=ids["ann"])
        ann.wait_for("closed")


@script()
def absent_kicked(play: Play) -> None:
    """
    A player that is away is kicked.
    """
    ann, bob = room_of(play, "operator", "operator")
    start(play, ann, bob)
    lose(play, bob, ann)
    with play.step("bob is kicked"):
        ann.operate("KickPlayer", player_id=bob.room["player_id"])
    with play.step("bob wants back"):
        play.actor("bob'", "operator").come_back(bob.room)


@script()
def doors(play: Play) -> None:
    """
    Who gets in once the code or the password has changed.
    """
    ann = play.actor("ann", "operator")
    with play.step("ann creates"):
        ann.enter()
        ann.wait_for("RoomJoined")
    code = ann.room["room_code"]
    with play.step("ann sets a password"):
        ann.operate("SetRoomAccess", password="horse")
    with play.step("bob has none"):
        play.actor("bob", "operator").enter(code)
    with play.step("cy has it"):
        play.actor("cy", "operator").enter(code, password="horse")
    with play.step("ann clears it"):
        ann.operate("SetRoomAccess", password=None)
    with play.step("dee needs none"):
        play.actor("dee", "v2").enter(code)
    with play.step("ann changes the code"):
        ann.operate("RegenerateRoomCode")
    with play.step("eve has the old one"):
        play.actor("eve", "operator").enter(code, join_only=True)
