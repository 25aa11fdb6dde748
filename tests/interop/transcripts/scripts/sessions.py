"""
Plans, and what changes them.
"""

from tests.interop.transcripts.play import Actor, Play
from tests.interop.transcripts.scripts import room_of, script, start

DIRECT = {"type": "direct", "host": "192.0.2.4", "port": 40417}
ELSEWHERE = {"type": "direct", "host": "game.example", "port": 40418}


def _lose(play: Play, actor: Actor, *others: Actor) -> None:
    with play.step(f"{actor.name} is lost"):
        actor.lose()
        for other in others:
            other.wait_for("PlayerLeft")
        actor.open = False


def _back(play: Play, actor: Actor, kind: str = "mesh") -> Actor:
    with play.step(f"{actor.name} returns"):
        back = play.actor(f"{actor.name}'", kind)
        back.come_back(actor.room)
        back.wait_for("SessionPlan")
    return back


def _life(play: Play, latecomer: str = "mesh") -> None:
    ann, bob = room_of(play, "mesh", "mesh", max_players=3)
    start(play, ann, bob)
    with play.step("cy joins late"):
        cy = play.actor("cy", latecomer)
        cy.enter(ann.room["room_code"])
    _lose(play, bob, ann, cy)
    bob = _back(play, bob)
    _lose(play, ann, bob, cy)
    ann = _back(play, ann)
    with play.step("bob leaves"):
        bob.send("LeaveRoom")
    with play.step("ann leaves"):
        ann.send("LeaveRoom")


@script()
def mesh(play: Play) -> None:
    """
    A mesh, from start to end.
    """
    _life(play)


@script(session__default_topology="host")
def host(play: Play) -> None:
    """
    A game with a host that changes.
    """
    _life(play)


@script(session__default_topology="relay")
def relay(play: Play) -> None:
    """
    A game that only uses the relay.
    """
    _life(play)


@script(session__enable_webrtc="false")
def direct(play: Play) -> None:
    """
    A game with a host that is reached directly.
    """
    ann, bob, cy = room_of(play, "mesh", "mesh", "mesh")
    with play.step("bob says where it is"):
        bob.send("ProvideConnectionInfo", connection_info=DIRECT)
    start(play, ann, bob, cy)
    with play.step("bob says it again"):
        bob.send("ProvideConnectionInfo", connection_info=DIRECT)
    with play.step("bob is elsewhere"):
        bob.send("ProvideConnectionInfo", connection_info=ELSEWHERE)
    with play.step("ann says where it is"):
        ann.send("ProvideConnectionInfo", connection_info=DIRECT)
    with play.step("bob is nowhere"):
        bob.send("ProvideConnectionInfo", connection_info={**DIRECT, "host": "0.0.0.0"})
    _lose(play, ann, bob, cy)
    _back(play, ann)


@script(session__enable_webrtc="false")
def direct_without_address(play: Play) -> None:
    """
    Nobody can be reached directly.
    """
    start(play, *room_of(play, "mesh", "mesh"))


@script(session__default_topology="host")
def host_lost(play: Play) -> None:
    """
    The host goes, and nobody is left who can be one.
    """
    ann, bob = room_of(play, "mesh", "mesh", max_players=3)
    start(play, ann, bob)
    _lose(play, ann, bob)
    with play.step("bob leaves"):
        bob.send("LeaveRoom")


@script()
def latecomers(play: Play) -> None:
    """
    Players who cannot be a part of a mesh.
    """
    ann, bob = room_of(play, "mesh", "mesh", max_players=6)
    start(play, ann, bob)
    for kind in ("operator", "v3", "v2", "mesh"):
        with play.step(f"{kind} joins late"):
            play.actor(kind, kind).enter(ann.room["room_code"])


@script()
def mixed_start(play: Play) -> None:
    """
    A start with a player of version 2.
    """
    ann, bob, cy = room_of(play, "mesh", "mesh", "v2")
    start(play, ann, bob, cy)


@script()
def lesser_returner(play: Play) -> None:
    """
    A player of a mesh who returns without the means for it.
    """
    ann, bob = room_of(play, "mesh", "mesh")
    start(play, ann, bob)
    _lose(play, bob, ann)
    _back(play, bob, "v3")
