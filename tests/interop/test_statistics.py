"""
Tests for official clients who are told how delivery goes.

The official client takes it for a violation if the numbers are not those that it has counted.
"""

from tests.interop.cases import Version3TestCase


class StatisticsTests(Version3TestCase):
    """
    A server that tells its statistics every second.
    """

    settings = {"websocket": {"delivery_stats_interval_secs": 1}}

    def hear(self, puppet):
        """
        Let a puppet hear everything until now, and then its statistics.
        """
        puppet.settle()
        return puppet.wait("RelayStats", interval_ms=1000)

    def test_outside(self):
        """
        Both releases are told outside of rooms too, time and again, and without a report there.
        """
        puppets = (self.puppet(), self.puppet(release="0.10"))
        for _ in range(2):
            for puppet in puppets:
                # Authenticated and ProtocolInfo
                puppet.wait("RelayStats", interval_ms=1000, sent=2, dropped=0, stalls=0)
        for puppet in puppets:
            self.assertNotIn("DeliveryReport", puppet.history)

    def test_playing(self):
        """
        Both releases keep their accounts while data of all classes and both kinds comes.
        """
        ann = self.seat("Ann", max_players=3)
        code = ann.room["code"]
        old = self.join(self.puppet(release="0.10"), "Old", code=code)
        packer = self.join(self.puppet(binary=True), "Pack", code=code)
        sue = self.spectator(code)
        for count in range(3):
            for kind in ({}, {"class": "volatile"}, {"class": "latest", "key": count}):
                ann.do("data", data=count, **kind)
                old.do("data", data=count, **kind)
            packer.do("binary", bytes=[count])
            for puppet in (ann, old, packer, sue):
                self.hear(puppet)
        report = sue.wait("DeliveryReport")
        delivered = {kind: count["delivered"] for kind, count in report["per_class"].items()}
        self.assertEqual({"reliable": 9, "latest": 6, "volatile": 6}, delivered)
        old.do("leave")
        ann.wait("PlayerLeft", player=old.room["player"], final_seq=9)
        self.hear(ann)
        self.hear(old)

    def test_version_2(self):
        """
        Clients of version 2 are told nothing.
        """
        ann = self.seat("Ann")
        vic = self.join(self.puppet("/v2/ws"), "Vic", code=ann.room["code"])
        self.hear(ann)
        vic.settle()
        self.assertEqual(set(), {"RelayStats", "DeliveryReport"} & set(vic.history))
