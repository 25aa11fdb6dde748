"""
A real server, the demo page, and players in real browsers.
"""

import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

from tests.browser.chromium import Browser, Tab, missing
from tests.integration.harness import ServerTestCase

OPT_IN = "SIGNALFISH_BROWSER"
PAGE = Path(__file__).resolve().parents[2] / "examples" / "browser"
GAME = "signalfish-demo"
KEEP_CONNECTIONS = """
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...settings) {
        super(...settings);
        connections.push(this);
    }
};
"""


def reason_to_skip() -> str | None:
    """
    Why there is no browser here, or should be none.
    """
    if os.environ.get(OPT_IN) != "1":
        return f"starts Chromium only if {OPT_IN}=1, as in tox -e browser"
    lacking = missing()
    return lacking and f"there is no {lacking} to show the page with"


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        """
        The requests are of no interest.
        """


class BrowserTestCase(ServerTestCase):
    """
    Tests of the page, whose pages must have nothing to complain about in the end.
    """

    skip = reason_to_skip()
    settings = {"turn": {"stun_urls": []}}

    def setUp(self):
        """
        Serve the page.
        """
        super().setUp()
        self._relayed = self.server.metrics()["messages"]["gameData"]
        files = partial(_Files, directory=str(PAGE))
        self._web = ThreadingHTTPServer(("127.0.0.1", 0), files)
        thread = threading.Thread(target=self._web.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self._web.server_close)
        self.addCleanup(self._web.shutdown)

    def browser(self, *flags: str) -> Browser:
        """
        A new browser.
        """
        browser = Browser(*flags)
        self.addCleanup(browser.quit)
        self.addCleanup(lambda: self.assertEqual([], browser.complaints()))
        return browser

    def visitor(self, browser: Browser, name: str, room: str = "", **parameters: object) -> Tab:
        """
        A tab with a form that is filled in.
        """
        known = {"server": self.server.url("/v3/ws"), "name": name, "room": room, **parameters}
        return browser.open(f"http://127.0.0.1:{self._web.server_port}/?{urlencode(known)}")

    def player(self, browser: Browser, name: str, room: str = "", **parameters: object) -> Tab:
        """
        A tab that has joined a room, a new one unless a code is given.
        """
        tab = self.visitor(browser, name, room, **parameters)
        self.enter(tab)
        return tab

    def enter(self, tab: Tab) -> None:
        """
        Let a tab join the room that its form names.
        """
        tab.click("#enter")
        tab.wait("#players span", "you")

    def start(self, *tabs: Tab) -> None:
        """
        Start the game of these players, the first of whom is the authority.
        """
        for tab in tabs:
            tab.click("#ready")
        tabs[0].click("#start")
        for tab in tabs:
            tab.wait("#log", "The game has started.")

    def code(self, tab: Tab) -> str:
        """
        The code of the room that a tab is in.
        """
        return tab.texts("#code")[0]

    def relayed(self) -> int:
        """
        How many pieces of game data the server has been given in this test.
        """
        return self.server.metrics()["messages"]["gameData"] - self._relayed

    def pair(self, ann_browser, bob_browser=None, **parameters):
        """
        Two players, Ann and Bob, whose game has started.
        """
        ann = self.player(ann_browser, "Ann", **parameters)
        bob = self.player(bob_browser or ann_browser, "Bob", self.code(ann), **parameters)
        self.start(ann, bob)
        return ann, bob

    def open_pair(self):
        """
        A pair like that in one browser, where tests can lay hands on the connections of Bob.
        """
        browser = self.browser()
        ann = self.player(browser, "Ann")
        bob = self.visitor(browser, "Bob", self.code(ann))
        bob.front().execute_script(KEEP_CONNECTIONS)
        self.enter(bob)
        self.start(ann, bob)
        return ann, bob

    def break_connections(self, bob):
        """
        Break the connections of such a Bob to others.
        """
        bob.front().execute_script("connections.forEach((connection) => connection.close())")

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
