"""
Tests for the demo page, with real WebRTC between real browsers.
"""

from tests.browser.harness import BrowserTestCase

TEXT = b"\xa5hello"  # MessagePack for "hello"
NO_JSON = b"\x81\x01\x01"  # MessagePack for {1: 1}
NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
KEEP_CONNECTIONS = """
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...settings) {
        super(...settings);
        connections.push(this);
    }
};
"""
MESH = "[data-plan='mesh/webrtc']"
HOST = "[data-plan='host/webrtc']"
RELAY = "[data-plan='relay/relay']"


class PageTestCase(BrowserTestCase):
    def pair(self, ann_browser, bob_browser=None, **parameters):
        """
        Two players, Ann and Bob, whose game has started.
        """
        ann = self.player(ann_browser, "Ann", **parameters)
        bob = self.player(bob_browser or ann_browser, "Bob", self.code(ann), **parameters)
        self.start(ann, bob)
        return ann, bob

    def trio(self):
        """
        Two players and a third, Cy, who comes late.
        """
        browser = self.browser()
        ann, bob = self.pair(browser)
        return ann, bob, self.player(browser, "Cy", self.code(ann))

    def assert_talk(self, path, *tabs):
        """
        What each says reaches all others, over this path.
        """
        for number, speaker in enumerate(tabs):
            text = f"{path} {number}"
            speaker.say(text)
            for tab in tabs:
                if tab is not speaker:
                    tab.wait(f"#log [data-kind={path}]", text)


class MeshTests(PageTestCase):
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

    def test_before_the_game(self):
        """
        Who follows an invitation meets others, and the server passes on what is said.
        """
        browser = self.browser()
        ann = self.player(browser, "Ann")
        bob = browser.open(ann.link("#code"))
        bob.write("[name=name]", "Bob")
        self.enter(bob)
        self.assert_talk("relay", ann, bob)
        self.assertEqual(2, self.relayed())

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
        dee.join("Dee", game_name="signalfish-demo", room_code=self.code(ann))
        for tab, other in ((ann, "Bob"), (bob, "Ann")):
            tab.wait(RELAY)
            tab.wait_for_path("relay", other, "Dee")
        self.assert_talk("relay", ann, bob)
        self.assertEqual("relay 0", dee.expect("GameData")["data"]["text"])
        dee.send("GameData", data={"lap": [3]})
        ann.wait("#log [data-kind=relay]", '{"lap":[3]}')

    def test_left_out(self):
        """
        A report of what was left out is understood: here of bytes that have no JSON.
        """
        browser = self.browser()
        ann = self.player(browser, "Ann")
        dee = self.client("/v3/ws")
        dee.authenticate(protocol_version=3, game_data_format="message_pack")
        dee.join("Dee", game_name="signalfish-demo", room_code=self.code(ann))
        for payload in (TEXT, NO_JSON, TEXT):
            dee.send_raw(payload)
        ann.wait("#log [data-kind=trouble]", "UNSUPPORTED_GAME_DATA_FORMAT")
        ann.wait("#log [data-kind=relay] ~ [data-kind=relay]", "hello")
        self.assertEqual(1, len(browser.complaints()))
        ann.forgive()

    def test_refused(self):
        """
        A refusal is shown, and what was wrong can be put right.
        """
        browser = self.browser()
        ann = self.player(browser, "Ann")
        bob = self.visitor(browser, "ann", self.code(ann))
        bob.click("#enter")
        bob.wait("#refusal", "INVALID_PLAYER_NAME")
        bob.write("[name=name]", "Bob")
        self.enter(bob)
        ann.wait("#players", "Bob")

    def test_unreachable(self):
        """
        So is a server that is not there.
        """
        browser = self.browser()
        tab = self.visitor(browser, "Ann")
        tab.write("[name=server]", self.server.url("/nowhere"))
        tab.click("#enter")
        tab.wait("#refusal", "No connection to the server (1006)")
        self.assertEqual(2, len(browser.complaints()))  # that one, and the browser's own
        tab.write("[name=server]", self.server.url("/v3/ws"))
        self.enter(tab)

    def test_broken(self):
        """
        If an open channel breaks, the rest goes through the server.
        """
        browser = self.browser()
        ann = self.player(browser, "Ann")
        bob = self.visitor(browser, "Bob", self.code(ann))
        bob.front().execute_script(KEEP_CONNECTIONS)
        self.enter(bob)
        self.start(ann, bob)
        ann.wait_for_path("webrtc", "Bob")
        bob.wait_for_path("webrtc", "Ann")
        bob.front().execute_script("connections.forEach((connection) => connection.close())")
        ann.wait_for_path("relay", "Bob")
        bob.wait_for_report("false", "Ann")
        self.assert_talk("relay", ann, bob)


class HostTests(PageTestCase):
    """
    Everybody connects to the host only.
    """

    settings = {**PageTestCase.settings, "session": {"default_topology": "host"}}

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


class Version2Tests(PageTestCase):
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
