"""
Signals and reports about transports.
"""

from tests.interop.transcripts.play import Actor, Play
from tests.interop.transcripts.scripts import room_of, script, start

UNKNOWN = "ffffffff-ffff-4fff-8fff-ffffffffffff"
OFFER = {"Offer": "v=0"}


def _signal(actor: Actor, to: object, **fields: object) -> None:
    actor.send("Signal", **{"to": to, "generation": UNKNOWN, "signal": OFFER, **fields})


@script()
def signals(play: Play) -> None:
    """
    Signals that arrive, and those that do not.
    """
    ann, bob, cy, dee = room_of(play, "mesh", "mesh", "v3", "v2")
    other = play.actor("other", "mesh")
    with play.step("other creates"):
        other.enter()
        other.wait_for("RoomJoined")
    player = bob.room["player_id"]
    with play.step("before the start"):
        _signal(ann, player)
    for name, value in {
        "object": {"IceCandidate": {"x": [1.5, None]}},
        "null": None,
        "string": "é",
        "number": 1e2,
    }.items():
        with play.step(f"{name} for a signal"):
            _signal(ann, player, signal=value)
    for target in (ann, cy, dee, other):
        with play.step(f"to {target.name}"):
            _signal(ann, target.room["player_id"])
    for sender in (cy, dee):
        with play.step(f"from {sender.name}"):
            _signal(sender, player)
    start(play, ann, bob, cy, dee)
    with play.step("after the start"):
        _signal(ann, player)


@script()
def refused_signals(play: Play) -> None:
    """
    Signals with something wrong.
    """
    ann, bob = room_of(play, "mesh", "mesh")
    player = bob.room["player_id"]
    cases = {
        "to nobody": {"to": UNKNOWN},
        "to a name": {"to": "bob"},
        "without target": {"to": None},
        "large": {"to": player, "signal": "x" * 16383},
        "largest": {"to": player, "signal": "x" * 16382},
        "bad generation": {"to": player, "generation": "x"},
        "null generation": {"to": player, "generation": None},
    }
    for name, fields in cases.items():
        with play.step(name):
            _signal(ann, **fields)
    with play.step("without generation"):
        ann.send("Signal", to=player, signal=OFFER)
    with play.step("without signal"):
        ann.send("Signal", to=player, generation=UNKNOWN)
    with play.step("from outside"):
        _signal(play.actor("cy", "mesh"), player)
    with play.step("from a spectator"):
        sue = play.actor("sue", "mesh")
        sue.watch(ann.room["room_code"])
        sue.wait_for("SpectatorJoined")
        _signal(sue, player)
    with play.step("to a spectator"):
        _signal(ann, sue.room["spectator_id"])
    with play.step("bob leaves"):
        bob.send("LeaveRoom")
    with play.step("to somebody who left"):
        _signal(ann, player)


@script(rate_limit__max_signals=2, rate_limit__max_signal_errors=1)
def signal_budgets(play: Play) -> None:
    """
    More signals than may be sent.
    """
    ann, bob = room_of(play, "mesh", "mesh")
    for number in range(3):
        with play.step(f"signal {number}"):
            _signal(ann, bob.room["player_id"])
    with play.step("a mistake beyond the budget"):
        _signal(ann, UNKNOWN)
    for number in range(2):
        with play.step(f"mistake {number}"):
            _signal(bob, UNKNOWN)


@script()
def transports(play: Play) -> None:
    """
    Reports about transports, of which the others learn.
    """
    ann, bob, cy, _dee = room_of(play, "mesh", "mesh", "v3", "v2")
    sue = play.actor("sue", "mesh")
    with play.step("sue watches"):
        sue.watch(ann.room["room_code"])
    cases = [
        (ann, "webrtc", True),
        (ann, "webrtc", True),
        (ann, "webrtc", False),
        (ann, "relay", True),
        (ann, "pigeon", True),
        (bob, "direct", False),
        (cy, "webrtc", True),
        (cy, "relay", True),
        (sue, "relay", True),
        (ann, "webrtc", "yes"),
    ]
    for number, (actor, transport, connected) in enumerate(cases):
        with play.step(f"{number}: {actor.name} {transport} {connected}"):
            actor.send("TransportStatus", transport=transport, connected=connected)
