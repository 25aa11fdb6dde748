"""
The session plans that a client follows.
"""

from typing import Any

from tests.strict.lie import want
from tests.strict.picture import Picture

_PAIRS = {
    ("relay", "relay"): (),
    ("host", "direct"): ("host", "direct_endpoint"),
    ("host", "webrtc"): ("host",),
    ("mesh", "webrtc"): (),
}
_RICHNESS = {"relay": 0, "host": 1, "mesh": 2}


class Plans:
    """
    The latest plan of a client, and those before it.

    :param picture: what the client knows of the room.
    :ivar able: the transports and topologies that it negotiated.
    :ivar plan: the plan that it follows; None if it has got none in this room.
    """

    def __init__(self, picture: Picture, transports: Any, topologies: Any) -> None:
        self.transports = transports
        self.topologies = topologies
        self.plan: dict | None = None
        self._picture = picture
        self._generations: set[str] = set()

    def enter(self) -> None:
        """
        Another room has other plans.
        """
        self.plan = None

    def covers(self, topology: str, transport: str) -> bool:
        """
        Whether the client can take part in such a session.
        """
        return topology in self.topologies and transport in self.transports

    def follow(self, data: dict) -> None:
        """
        A new plan has come.
        """
        pair = (data["topology"], data["transport"])
        want(pair in _PAIRS, "shape", data)
        has = tuple(field for field in ("host", "direct_endpoint") if field in data)
        want(has == _PAIRS[pair], "shape", data)
        want(data["fallback"] == "relay", "fallback", data)
        want(data["generation"] not in self._generations, "generation again", data)
        self._generations.add(data["generation"])
        self._check_peers(data, pair)
        if self.plan is not None:
            before = _RICHNESS[self.plan["topology"]]
            want(_RICHNESS[data["topology"]] <= before, "richer than before", self.plan, data)
            same = (self.plan["topology"], self.plan["transport"])
            want(pair in (same, ("relay", "relay")), "another session", self.plan, data)
        self.plan = data

    def check_signal(self, data: dict) -> None:
        """
        A signal has come, from somebody whom the plan names if it is of this plan.
        """
        want("webrtc" in self.transports, "signal in spite of", data)
        plan = self.plan
        if plan is None or data["generation"] != plan["generation"]:
            return
        want(plan["transport"] == "webrtc", "signal without WebRTC", data, plan)
        peers = [peer["player_id"] for peer in plan["peers"]]
        want(data["from"] in peers, "signal of somebody who is no peer", data, plan)

    def _check_peers(self, data: dict, pair: tuple[str, str]) -> None:
        picture = self._picture
        peers = {peer["player_id"]: peer for peer in data["peers"]}
        want(len(peers) == len(data["peers"]), "peer twice", data)
        want(picture.me not in peers, "I am my peer", data)
        want(set(peers) <= set(picture.roster), "unknown peer", data)
        for player, peer in peers.items():
            want(peer["player_name"] == picture.roster[player]["name"], "name", data)
        # Everybody can run every plan, as those who cannot make it the relay.
        want(pair == ("relay", "relay") or self.covers(*pair), "cannot run it", data)
        check = {"relay": self._check_relay, "mesh": self._check_mesh, "host": self._check_host}
        check[pair[0]](data, peers)
        want(("ice_servers" in data) is (pair[1] == "webrtc"), "ICE servers", data)

    def _check_relay(self, data: dict, peers: dict[str, dict]) -> None:
        want(not peers, "peers of the relay", data)

    def _check_mesh(self, data: dict, peers: dict[str, dict]) -> None:
        picture = self._picture
        want(set(peers) == set(picture.roster) - {picture.me}, "peers of a mesh", data)
        for player, peer in peers.items():
            want(peer["initiate"] is (picture.me < player), "who begins", data)
            want(peer["is_authority"] is (player == picture.authority), "authority", data)

    def _check_host(self, data: dict, peers: dict[str, dict]) -> None:
        picture, host = self._picture, data["host"]
        if host == picture.me:
            want(set(peers) == set(picture.roster) - {host}, "peers of the host", data)
            for peer in peers.values():
                want(not peer["initiate"] and not peer["is_authority"], "flags", data)
        else:
            want(host in picture.roster, "unknown host", data)
            want(set(peers) == {host}, "peers of a client", data)
            want(peers[host]["initiate"] and peers[host]["is_authority"], "flags", data)
