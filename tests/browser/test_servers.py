"""
Tests for the page with servers that are not as usual.
"""

from tests.browser.harness import BrowserTestCase

HOST = "[data-plan='host/webrtc']"


class HostTests(BrowserTestCase):
    """
    Everybody connects to the host only.
    """

    settings = {**BrowserTestCase.settings, "session": {"default_topology": "host"}}

    def test_star(self):
        """
        The others talk to the host directly, to each other by the relay, and to the next host.
        """
        ann, bob, cy = self.trio()
        ann.wait_for_path("webrtc", "Cy", "Bob")
        for tab, other in ((bob, "Cy"), (cy, "Bob")):
            tab.wait(HOST)
            tab.wait_for_path("webrtc", "Ann")
            tab.wait_for_path("relay", other)
        bob.say("hello")
        ann.wait("#log [data-kind=webrtc]", "hello")
        cy.wait("#log [data-kind=relay]", "hello")
        ann.close()
        bob.wait_for_path("webrtc", "Cy")
        cy.wait_for_path("webrtc", "Bob")
        self.assert_talk("webrtc", bob, cy)


class TurnTests(BrowserTestCase):
    """
    The page with a server that tells players of a TURN service. Nothing listens there.
    """

    settings = {
        "turn": {
            "enabled": True,
            "stun_urls": ["stun:127.0.0.1:9"],
            "urls": ["turn:127.0.0.1:9?transport=udp"],
            "static_auth_secret": "north",
        }
    }

    def test_ice_servers(self):
        """
        The browser takes the ICE servers of the plan as they are, and finds its way without.
        """
        ann, bob = self.open_pair()
        ann.wait_for_path("webrtc", "Bob")
        script = "return connections[0].getConfiguration().iceServers"
        stun, turn = bob.front().execute_script(script)
        self.assertEqual((["stun:127.0.0.1:9"], ""), (stun["urls"], stun["credential"]))
        self.assertEqual(["turn:127.0.0.1:9?transport=udp"], turn["urls"])
        self.assertRegex(turn["username"], r"\A\d+:[0-9a-f-]{36}\Z")
        self.assertEqual(28, len(turn["credential"]))


class EndTests(BrowserTestCase):
    """
    The page with a server that stops.
    """

    def test_stop(self):
        """
        Who is connected directly goes on talking when there is no server any more.
        """
        ann, bob = self.open_pair()
        ann.wait_for_path("webrtc", "Bob")
        bob.wait_for_path("webrtc", "Ann")
        self.server.terminate()
        for tab in (ann, bob):
            tab.wait("#log", "The server is about to stop.")
            tab.wait("#log [data-kind=trouble]", "server_shutdown (4000)")
            self.assertEqual(1, len(tab.complaints()))
            tab.forgive()
        self.assert_talk("webrtc", ann, bob)
        self.break_connections(bob)
        ann.wait_for_path("lost", "Bob")
        ann.say("hello?")
        ann.wait("#log [data-kind=own] small", "to nobody")


class Version2Tests(BrowserTestCase):
    """
    The page with a server that knows no session plans.
    """

    settings = {"protocol": {"max_protocol_version": 2}}

    def test_relay(self):
        """
        People talk through the server.
        """
        ann, bob = self.pair(self.browser())
        ann.wait_for_path("relay", "Bob")
        self.assert_talk("relay", ann, bob)
        ann.wait("[data-plan='']")
