"""
What is played, by topic.
"""

from collections.abc import Callable

from attrs import frozen

from tests.interop.transcripts.play import Actor, Play

Performance = Callable[[Play], None]


@frozen
class Script:
    """
    Something to play.

    :ivar settings: of the servers, as environment variables.
    """

    name: str
    settings: tuple[tuple[str, str], ...]
    perform: Performance


SCRIPTS: list[Script] = []


def script(**settings: object) -> Callable[[Performance], Performance]:
    """
    Make a script of a function.

    :param settings: such as ``session__default_topology``.
    """
    variables = {f"SIGNAL_FISH__{name.upper()}": str(value) for name, value in settings.items()}

    def enlist(perform: Performance) -> Performance:
        name = perform.__name__.replace("_", " ")
        SCRIPTS.append(Script(name, tuple(sorted(variables.items())), perform))
        return perform

    return enlist


def room_of(play: Play, *kinds: str, **fields: object) -> list[Actor]:
    """
    A room of as many players as there are kinds, for so many unless told otherwise.
    """
    players: list[Actor] = []
    with play.step("they come together"):
        for name, kind in zip(("ann", "bob", "cy", "dee"), kinds, strict=False):
            actor = play.actor(name, kind)
            if players:
                actor.enter(players[0].room["room_code"])
            else:
                actor.enter(**{"max_players": len(kinds), **fields})
            actor.wait_for("RoomJoined")
            players.append(actor)
    return players


def lose(play: Play, player: Actor, *others: Actor) -> None:
    """
    Cut a player off, and wait until the others know.
    """
    with play.step(f"{player.name} is lost"):
        player.lose()
        for other in others:
            other.wait_for("PlayerLeft")


def start(play: Play, *players: Actor) -> None:
    """
    Start the game, by request where that is needed.
    """
    with play.step("they start"):
        for player in players:
            player.send("PlayerReady")
            player.settle()
        players[0].send("StartGame")
        players[0].wait_for("GameStarting")
