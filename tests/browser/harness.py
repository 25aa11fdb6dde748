"""
A real server, the demo page, and tabs of real Chromium that show it.
"""

import os
import shutil
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

from tests.integration.harness import ServerTestCase

try:
    from selenium import webdriver
    from selenium.common.exceptions import TimeoutException
    from selenium.webdriver.common.by import By
except ImportError:
    webdriver = None

OPT_IN = "SIGNALFISH_BROWSER"
PATIENCE = 30.0  # seconds; browsers on a busy machine take their time
PAGE = Path(__file__).resolve().parents[2] / "examples" / "browser"

_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # which does not work as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=WebRtcHideLocalIpsWithMdns",  # there is nobody to resolve such names
    "--window-size=900,800",
)
# Resolves as soon as an element has the text, without looking again and again.
_WAIT = """
const [selector, text, done] = arguments;
const found = () => [...document.querySelectorAll(selector)].some(
    (element) => element.textContent.includes(text));
const observer = new MutationObserver(() => found() && finish());
const finish = () => { observer.disconnect(); done(); };
observer.observe(document, {
    attributes: true, characterData: true, childList: true, subtree: true });
if (found()) finish();
"""


def reason_to_skip() -> str | None:
    """
    Why there is no browser here, or should be none.
    """
    if os.environ.get(OPT_IN) != "1":
        return f"starts Chromium only if {OPT_IN}=1, as in tox -e browser"
    if webdriver is None:
        return "there is no selenium to drive Chromium with"
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            return f"there is no {program} to show the page in"
    return None


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        """
        The requests are of no interest.
        """


class Browser:
    """
    A Chromium with a profile of its own.

    :param flags: further options of its command line.
    """

    def __init__(self, *flags: str) -> None:
        self.tabs: list[Tab] = []
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        # chromedriver leaves the profiles that it makes behind.
        self._profile = tempfile.mkdtemp(prefix="signalfish-chromium-")
        for flag in (*_FLAGS, *flags, f"--user-data-dir={self._profile}"):
            options.add_argument(flag)
        service = webdriver.ChromeService(shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options, service)
        self.driver.set_page_load_timeout(PATIENCE)
        self.driver.set_script_timeout(PATIENCE)
        self._blank = self.driver.current_window_handle

    def open(self, url: str) -> "Tab":
        """
        Show a page in a new tab.
        """
        self.driver.switch_to.window(self._blank)
        self.driver.switch_to.new_window("tab")
        self.driver.get(url)
        self.tabs.append(Tab(self))
        return self.tabs[-1]

    def complaints(self) -> list[str]:
        """
        What the open pages complain about, and what is new in the console of the browser.
        """
        told = [text for tab in self.tabs for text in tab.complaints()]
        return told + [entry["message"] for entry in self.driver.get_log("browser")]

    def quit(self) -> None:
        """
        End the browser.
        """
        self.driver.quit()
        shutil.rmtree(self._profile, ignore_errors=True)


class Tab:
    """
    The page in the tab of a browser that is in front now.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._window = browser.driver.current_window_handle

    def front(self):
        """
        The driver, for this tab.
        """
        self._browser.driver.switch_to.window(self._window)
        return self._browser.driver

    def texts(self, selector: str) -> list[str]:
        """
        The texts, other than empty ones, of all elements that match.
        """
        script = "return [...document.querySelectorAll(arguments[0])].map((it) => it.textContent)"
        return [text for text in self.front().execute_script(script, selector) if text]

    def complaints(self) -> list[str]:
        """
        What the page complains about: errors of the server, and those that nobody caught.
        """
        return self.texts("[data-kind=trouble], #refusal")

    def link(self, selector: str) -> str:
        """
        Where a link leads.
        """
        return self.front().find_element(By.CSS_SELECTOR, selector).get_attribute("href")

    def wait(self, selector: str, text: str = "") -> None:
        """
        Wait until an element that matches has this text in it.
        """
        try:
            self.front().execute_async_script(_WAIT, selector, text)
        except TimeoutException:
            body = self.front().execute_script("return document.body.outerHTML")
            raise AssertionError(f"no {selector} with {text!r} in {body}") from None

    def click(self, selector: str) -> None:
        """
        Click on what matches, once it can be clicked on.
        """
        self.wait(f"{selector}:enabled")
        self.front().find_element(By.CSS_SELECTOR, selector).click()

    def write(self, selector: str, text: str) -> None:
        """
        Fill in a field.
        """
        field = self.front().find_element(By.CSS_SELECTOR, selector)
        field.clear()
        field.send_keys(text)

    def say(self, text: str) -> None:
        """
        Say something to everybody.
        """
        self.write("#text", text)
        self.click("#say button")
        self.wait("#log [data-kind=own]", text)

    def forgive(self) -> None:
        """
        Forget what the page has complained about so far.
        """
        self.front().execute_script(
            "document.querySelectorAll('[data-kind=trouble]').forEach((line) => line.remove())"
        )

    def wait_for_path(self, path: str, *names: str) -> None:
        """
        Wait until there is such a path to the players of these names.
        """
        for name in names:
            self.wait(f"#players [data-name={name}][data-path={path}]")

    def wait_for_report(self, connected: str, name: str) -> None:
        """
        Wait until the player of this name has said whether WebRTC works for it.
        """
        self.wait(f"#players [data-name={name}][data-reports={connected}]")

    def close(self) -> None:
        """
        Close the tab, which must have nothing to complain about.
        """
        if complaints := self.complaints():
            raise AssertionError(complaints)
        self.front().close()
        self._browser.tabs.remove(self)


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
