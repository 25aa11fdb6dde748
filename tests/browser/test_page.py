"""
Tests for what the page shows of a room and its server.
"""

from tests.browser.harness import GAME, BrowserTestCase

TEXT = b"\xa5hello"  # MessagePack for "hello"
NO_JSON = b"\x81\x01\x01"  # MessagePack for {1: 1}


class PageTests(BrowserTestCase):
    """
    People meet in a room.
    """

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

    def test_left_out(self):
        """
        A report of what was left out is understood: here of bytes that have no JSON.
        """
        browser = self.browser()
        ann = self.player(browser, "Ann")
        dee = self.client("/v3/ws")
        dee.authenticate(protocol_version=3, game_data_format="message_pack")
        dee.join("Dee", game_name=GAME, room_code=self.code(ann))
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
