"""
Messages that are none.
"""

from tests.interop.transcripts.play import Play
from tests.interop.transcripts.scripts import script

TEXTS = (
    "",
    "{",
    "1",
    "null",
    "[]",
    "{}",
    '"Ping"',
    '{"type":1}',
    '{"type":"ping"}',
    '{"type":"Fly"}',
    '{"type":"Fly","data":{}}',
    '{"data":{}}',
    '{"type":"JoinRoom"}',
    '{"type":"JoinRoom","data":null}',
    '{"type":"JoinRoom","data":[]}',
    '{"type":"JoinRoom","data":{"game_name":"g"}}',
    '{"type":"AuthorityRequest","data":{"become_authority":1}}',
    '{"type":"PlayerReady","data":1}',
    '{"type":"PlayerReady","data":[]}',
    '{"type":"Pong"}',
    '{"type":"RoomJoined","data":{}}',
    '\ufeff{"type":"LeaveSpectator"}',
    '{"type":"LeaveSpectator"} x',
    '{"type":"LeaveSpectator",}',
    '{"type":"LeaveSpectator","x":' + "[" * 200 + "]" * 200 + "}",
    '{"type":"LeaveSpectator","x":1e400}',
    '{"type":"LeaveSpectator","type":"LeaveSpectator"}',
    '{"type":"PlayerReady","type":"LeaveSpectator"}',
    ' {"type" : "LeaveSpectator"}\n',
    '{"type":"LeaveSpectator","x":1}',
    '{"type":"LeaveSpectator","data":null}',
    '{"data":null,"type":"LeaveSpectator"}',
    '{"type":"LeaveSpectator","data":{}}',
)


@script()
def malformed(play: Play) -> None:
    """
    Texts that are not messages, and some that just look odd.
    """
    for number, text in enumerate(TEXTS):
        actor = play.actor(f"client {number}", "v3" if number % 2 else "plain")
        with play.step(f"{number} {text[:60]}"):
            actor.send_raw(text)


@script()
def pings(play: Play) -> None:
    """
    The simplest message, in several ways.
    """
    for kind in ("plain", "v3"):
        for number, text in enumerate(
            ('{"type":"Ping"}', '{"type":"Ping","data":null}', '{"type":"Ping","data":{}}')
        ):
            actor = play.actor(f"{kind} {number}", kind)
            with play.step(f"{kind} {text}", pinging=actor):
                actor.send_raw(text)


@script(rate_limit__max_inbound_error_replies=8)
def too_many_mistakes(play: Play) -> None:
    """
    More mistakes than there are answers.
    """
    ann = play.actor("ann", "v3")
    with play.step("ten mistakes"):
        for _ in range(10):
            ann.send("PlayerReady")
        ann.wait_for("closed")


@script()
def too_large(play: Play) -> None:
    """
    Messages over the limit, and far over it.
    """
    for size in (65536, 65537, 131072, 131073):
        ann = play.actor(f"ann {size}", "v3")
        head = '{"type":"LeaveSpectator","x":"'
        with play.step(f"{size} bytes"):
            ann.send_raw(head + "x" * (size - len(head) - 2) + '"}')
