"""
Losing a connection, and coming back.
"""

import time

from tests.interop.transcripts.play import Play
from tests.interop.transcripts.scripts import lose, room_of, script, start

UNKNOWN = "ffffffff-ffff-4fff-8fff-ffffffffffff"


@script()
def returning(play: Play) -> None:
    """
    A player of a game is lost, misses something, and returns, twice.
    """
    ann, bob, cy = room_of(play, "v3", "v3", "v2", max_players=4)
    start(play, ann, bob, cy)
    with play.step("bob sends"):
        bob.send("GameData", data=1)
    lose(play, bob, ann, cy)
    with play.step("ann sends"):
        ann.send("GameData", data=2)
    with play.step("sue watches"):
        sue = play.actor("sue", "v2")
        sue.watch(ann.room["room_code"])
    with play.step("dee joins"):
        dee = play.actor("dee", "v3")
        dee.enter(ann.room["room_code"])
    with play.step("dee leaves"):
        dee.send("LeaveRoom")
    with play.step("ann gives the authority up"):
        ann.send("AuthorityRequest", become_authority=False)
    with play.step("bob returns"):
        back = play.actor("bob'", "v3")
        back.come_back(bob.room)
    with play.step("bob sends again"):
        back.send("GameData", data=3)
    with play.step("the first token again"):
        play.actor("bob''", "v3").come_back(bob.room)


@script()
def returning_to_lobby(play: Play) -> None:
    """
    A ready player is lost before the start, and returns.
    """
    ann, bob = room_of(play, "v3", "v3")
    with play.step("bob is ready"):
        bob.send("PlayerReady")
    lose(play, bob, ann)
    with play.step("bob returns"):
        play.actor("bob'", "v3").come_back(bob.room)
    lose(play, ann, play.cast[-1])
    with play.step("ann returns"):
        play.actor("ann'", "v3").come_back(ann.room)


@script()
def refused_returns(play: Play) -> None:
    """
    Returns with something wrong.
    """
    ann, bob = room_of(play, "v3", "v3")
    with play.step("while connected"):
        play.actor("twin", "v3").come_back(bob.room, auth_token=UNKNOWN)
    with play.step("from inside"):
        ann.come_back(bob.room)
    lose(play, bob, ann)
    for name, fields in {
        "unknown player": {"player_id": UNKNOWN},
        "wrong room": {"room_id": UNKNOWN},
        "wrong token": {"auth_token": UNKNOWN},
        "empty token": {"auth_token": ""},
        "bad player": {"player_id": "bob"},
        "no token": {"auth_token": None},
    }.items():
        with play.step(name):
            play.actor(name, "v3").come_back(bob.room, **fields)
    with play.step("cy takes the seat"):
        play.actor("cy", "v3").enter(ann.room["room_code"])
    with play.step("full"):
        play.actor("full", "v3").come_back(bob.room)


@script()
def taken_name(play: Play) -> None:
    """
    Somebody has the name of a lost player.
    """
    ann, bob = room_of(play, "v3", "v3", max_players=3)
    lose(play, bob, ann)
    with play.step("cy has the name"):
        play.actor("cy", "v3").enter(ann.room["room_code"], player_name="bob")
    with play.step("bob wants back"):
        play.actor("bob'", "v3").come_back(bob.room)


@script()
def left(play: Play) -> None:
    """
    Who left has nothing to return to.
    """
    ann, bob = room_of(play, "v3", "v3")
    with play.step("bob leaves"):
        bob.send("LeaveRoom")
    with play.step("bob is lost"):
        bob.lose()
        bob.open = False
    with play.step("bob wants back"):
        play.actor("bob'", "v3").come_back(bob.room)
    with play.step("ann is still there"):
        ann.send("PlayerReady")


@script(server__reconnection_window=1)
def too_late(play: Play) -> None:
    """
    A return after the window.
    """
    ann, bob = room_of(play, "v3", "v3")
    lose(play, bob, ann)
    time.sleep(2.1)
    with play.step("bob wants back"):
        play.actor("bob'", "v3").come_back(bob.room)


@script(server__enable_reconnection="false")
def no_returns(play: Play) -> None:
    """
    Where nobody can return.
    """
    ann, bob = room_of(play, "v3", "v3")
    lose(play, bob, ann)
    with play.step("bob wants back"):
        play.actor("bob'", "v3").come_back(bob.room)


@script()
def returning_on_version_2(play: Play) -> None:
    """
    A token of version 3, used on a connection of version 2.
    """
    ann, bob = room_of(play, "v3", "v3")
    start(play, ann, bob)
    lose(play, bob, ann)
    with play.step("bob returns"):
        play.actor("bob'", "v2").come_back(bob.room)


@script()
def taking_over(play: Play) -> None:
    """
    A second connection has the token of a player who looks alive.
    """
    _ann, bob = room_of(play, "v3", "v3")
    with play.step("bob takes over"):
        play.actor("bob'", "v3").come_back(bob.room)


@script()
def older_clients_return(play: Play) -> None:
    """
    A client that never authenticates is lost in the game, and returns to what it missed.
    """
    ann, bob = room_of(play, "plain", "plain")
    start(play, ann, bob)
    lose(play, bob, ann)
    with play.step("ann sends"):
        ann.send("GameData", data="missed")
    with play.step("bob returns"):
        play.actor("bob'", "plain").come_back(bob.room)


@script()
def reserved_seat(play: Play) -> None:
    """
    A player is lost from a full game, and another one wants to have the seat.
    """
    ann, bob = room_of(play, "v3", "v3")
    start(play, ann, bob)
    lose(play, bob, ann)
    with play.step("cy joins"):
        play.actor("cy", "v3").enter(ann.room["room_code"])
    with play.step("cy leaves"):
        play.cast[-1].send("LeaveRoom")
    with play.step("bob joins"):
        play.actor("bob'", "v3").enter(ann.room["room_code"], player_name="bob")
