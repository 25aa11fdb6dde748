"""
How conversations begin.
"""

from tests.interop.transcripts.play import KINDS, Play
from tests.interop.transcripts.scripts import script


@script()
def greetings(play: Play) -> None:
    """
    Everybody connects, and is told the terms.
    """
    for kind in KINDS:
        with play.step(f"{kind} connects"):
            play.actor(kind, kind)


@script()
def versions(play: Play) -> None:
    """
    Protocol versions, also impossible ones.
    """
    for path in ("plain", "plain 3"):
        for version in (0, 1, 2, 3, 4, 65535, 65536, -1, "3", None, 2.5, True):
            with play.step(f"{path} asks for {version!r}"):
                actor = play.actor(f"{path} {version}", path)
                actor.send("Authenticate", app_id="interop", protocol_version=version)


@script()
def formats(play: Play) -> None:
    """
    Formats of game data.
    """
    for kind in ("v2", "v3"):
        for name in ("json", "message_pack", "rkyv", "protobuf", "xml", None):
            with play.step(f"{kind} asks for {name}"):
                actor = play.actor(f"{kind} {name}", "plain" if kind == "v2" else "plain 3")
                actor.send("Authenticate", app_id="interop", game_data_format=name)


@script()
def credentials(play: Play) -> None:
    """
    Other members of the first message.
    """
    cases = {
        "nothing": {},
        "no app": {"platform": "lua"},
        "empty app": {"app_id": ""},
        "control character": {"app_id": "a\u0007"},
        "long app": {"app_id": "a" * 257},
        "longest app": {"app_id": "a" * 256},
        "number for app": {"app_id": 1},
        "unknown platform": {"app_id": "a", "platform": "lua", "sdk_version": "1.0"},
        "old platform": {"app_id": "a", "platform": "Unity", "sdk_version": "1.9.9"},
        "recent platform": {"app_id": "a", "platform": "Unity", "sdk_version": "9.0.0"},
        "unknown capability": {"app_id": "a", "requested_capabilities": ["x", "y"]},
        "unknown transport": {"app_id": "a", "supported_transports": ["pigeon"]},
        "unknown topology": {"app_id": "a", "supported_topologies": ["ring"]},
        "token on version 2": {"app_id": "a", "requested_capabilities": ["reconnection_token"]},
        "ids on version 2": {"app_id": "a", "requested_capabilities": ["room_operation_ids"]},
        "connect token": {"app_id": "a", "connect_token": "sfct_v1.a.b"},
        "unknown member": {"app_id": "a", "shoe_size": 43},
    }
    for name, fields in cases.items():
        with play.step(name):
            play.actor(name, "plain").send("Authenticate", **fields)


@script()
def order(play: Play) -> None:
    """
    Authentication twice, and late.
    """
    ann = play.actor("ann", "v2")
    with play.step("ann authenticates again"):
        ann.send("Authenticate", app_id="interop")
    bob = play.actor("bob", "plain")
    with play.step("bob sends something first", pinging=bob):
        bob.send("Ping")
    with play.step("bob authenticates"):
        bob.send("Authenticate", app_id="interop")
    cy = play.actor("cy", "plain")
    with play.step("cy sends rubbish first"):
        cy.send_raw("{")
    with play.step("cy authenticates"):
        cy.send("Authenticate", app_id="interop")
