"""
Chromium, its tabs, and what people do with the demo page in them.
"""

import shutil
import tempfile

try:
    from selenium import webdriver
    from selenium.common.exceptions import TimeoutException
    from selenium.webdriver.common.by import By
except ImportError:
    webdriver = None

PATIENCE = 30.0  # seconds; browsers on a busy machine take their time

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


def missing() -> str | None:
    """
    What is not there that browsers need.
    """
    if webdriver is None:
        return "selenium"
    return next((name for name in ("chromium", "chromedriver") if not shutil.which(name)), None)


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
