"""
Tests for the paths between players of a mesh, with real WebRTC.
"""

from tests.browser.harness import GAME, BrowserTestCase

NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
MESH = "[data-plan='mesh/webrtc']"
RELAY = "[data-plan='relay/relay']"


class MeshTests(BrowserTestCase):
    """
    Everybody connects to everybody, where that is possible.
    """

    def test_direct(self):
        """
        Two tabs talk over a data channel, past the server, and know of each other that it works.
        """
        ann, bob = self.pair(self.browser())
        for tab, other in ((ann, "Bob"), (bob, "Ann")):
            tab.wait(MESH)
            tab.wait_for_path("webrtc", other)
            tab.wait_for_report("true", other)
        self.assert_talk("webrtc", ann, bob)
        self.assertEqual(0, self.relayed())

    def test_denied(self):
        """
        If one browser may not use UDP, both give up, tell each other, and talk through the server.
        """
        ann, bob = self.pair(self.browser(), self.browser(NO_UDP), patience=3)
        for tab, other in ((ann, "Bob"), (bob, "Ann")):
            tab.wait(MESH)
            tab.wait_for_report("false", other)
            tab.wait_for_path("relay", other)
        self.assert_talk("relay", ann, bob)
        self.assertEqual(2, self.relayed())

    def test_turn_only(self):
        """
        Who connects through TURN servers only, where there are none, talks through the server.
        """
        browser = self.browser()
        ann = self.player(browser, "Ann", patience=3)
        bob = self.visitor(browser, "Bob", self.code(ann), patience=3)
        bob.click("[name=turn_only]")
        self.enter(bob)
        self.start(ann, bob)
        ann.wait_for_report("false", "Bob")
        bob.wait_for_report("false", "Ann")
        self.assert_talk("relay", ann, bob)

    def test_mixed(self):
        """
        Each is reached over its own path, and hears nothing twice.
        """
        browser = self.browser()
        ann, bob = self.pair(browser, self.browser(NO_UDP), patience=3)
        cy = self.player(browser, "Cy", self.code(ann), patience=3)
        ann.wait_for_path("webrtc", "Cy")
        for tab in (ann, cy):
            tab.wait_for_path("relay", "Bob")
        bob.wait_for_path("relay", "Ann", "Cy")
        ann.say("hello")
        cy.wait("#log [data-kind=webrtc]", "hello")
        bob.wait("#log [data-kind=relay]", "hello")
        bob.say("and goodbye")  # comes after anything that the server was told before
        cy.wait("#log [data-kind=relay]", "and goodbye")
        self.assertEqual(1, len([line for line in cy.texts("#log li") if "hello" in line]))

    def test_broken(self):
        """
        If an open channel breaks, the rest goes through the server.
        """
        ann, bob = self.open_pair()
        ann.wait_for_path("webrtc", "Bob")
        bob.wait_for_path("webrtc", "Ann")
        self.break_connections(bob)
        ann.wait_for_path("relay", "Bob")
        bob.wait_for_report("false", "Ann")
        self.assert_talk("relay", ann, bob)

    def test_late(self):
        """
        Who comes late is connected to everybody, and everybody to everybody again.
        """
        ann, bob, cy = self.trio()
        cy.wait_for_path("webrtc", "Ann", "Bob")
        ann.wait_for_path("webrtc", "Cy", "Bob")
        bob.wait_for_path("webrtc", "Cy", "Ann")
        self.assert_talk("webrtc", ann, bob, cy)
        self.assertEqual(0, self.relayed())

    def test_closed(self):
        """
        When a tab is closed, the others go on talking directly.
        """
        ann, bob, cy = self.trio()
        ann.wait_for_path("webrtc", "Cy", "Bob")
        bob.wait_for_path("webrtc", "Cy", "Ann")
        cy.close()
        for tab in (ann, bob):
            tab.wait("#log", "Cy has left.")
            self.assertEqual(2, len(tab.texts("#players li")))
        self.assert_talk("webrtc", ann, bob)
        self.assertEqual(0, self.relayed())

    def test_relay_only_joiner(self):
        """
        When somebody comes who cannot do WebRTC, all talk through the server.
        """
        ann, bob = self.pair(self.browser())
        ann.wait_for_path("webrtc", "Bob")
        dee = self.client()
        dee.join("Dee", game_name=GAME, room_code=self.code(ann))
        for tab, other in ((ann, "Bob"), (bob, "Ann")):
            tab.wait(RELAY)
            tab.wait_for_path("relay", other, "Dee")
        self.assert_talk("relay", ann, bob)
        self.assertEqual("relay 0", dee.expect("GameData")["data"]["text"])
        dee.send("GameData", data={"lap": [3]})
        ann.wait("#log [data-kind=relay]", '{"lap":[3]}')
