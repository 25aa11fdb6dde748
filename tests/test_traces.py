"""
The worked traces of the documentation, replayed with a whole server in memory.
"""

import json
import re
from pathlib import Path
from random import Random

import msgpack
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SkipTest, SynchronousTestCase
from websockets.frames import Close, Opcode

from signalfish import config, tap
from tests import traces
from tests.fakes import Told
from tests.net.fakes import Client, told
from tests.traces import Bindings, Mismatch, Step

PAGES = Path(__file__).parents[1] / "docs" / "protocol"
_HEADING = re.compile(r"^(.+)\n---+\n", re.MULTILINE)
_BLOCK = re.compile(
    r"^\.\. (?P<kind>code-block:: text|prelude|settings)\n\n(?P<body>(?:   .*\n|\n)+)", re.MULTILINE
)


def stories(page):
    """
    The settings and steps of each trace on a page, by title.

    Comments that readers do not see can set the stage: ``settings``, as JSON, and a ``prelude``.
    """
    path = PAGES / page
    if not path.exists():
        raise SkipTest("the documentation is not here")
    _, *sections = _HEADING.split(path.read_text())
    for title, text in zip(sections[::2], sections[1::2], strict=True):
        settings, steps = {}, []
        for block in _BLOCK.finditer(text):
            body = re.sub(r"^   ", "", block["body"], flags=re.MULTILINE)
            if block["kind"] == "settings":
                settings = json.loads(body)
            else:
                steps += traces.steps(body)
        yield title, settings, steps


class Rising(Random):
    """
    Randomness by which each id is larger than those before it.
    """

    def __init__(self):
        super().__init__(1)
        self._drawn = 0

    def getrandbits(self, k):
        """
        A larger number than before.
        """
        self._drawn += 1
        return self._drawn << (k - 48)


class Stage:
    """
    A server, and the clients of a trace.
    """

    def __init__(self, settings):
        self.reactor = MemoryReactorClock()
        self._site = tap.assemble(config.settings(settings), self.reactor).site
        self._clients = {}
        self._heard = {}
        self._names = Bindings()

    def perform(self, step: Step) -> None:
        """
        Do, or check, what a step says.
        """
        if step.verb != "<":
            self.finish()
        for who in step.who:
            self._verbs[step.verb](self, who, step.rest)
        self._listen()

    def finish(self) -> None:
        """
        Check that nothing was heard of which the trace does not know.
        """
        for who, heard in self._heard.items():
            if heard:
                raise Mismatch(f"{who} also hears {heard}")

    def _listen(self):
        for _ in range(3):  # what is said may be heard some turns of the reactor later
            self.reactor.advance(0)
            for who, client in self._clients.items():
                if client.socket.peer_reads:
                    self._heard[who] += filter(None, map(_message, client.frames()))

    def _open(self, who, path):
        self._clients[who] = Client(self.reactor, self._site).upgrade(path)
        self._heard[who] = []

    def _say(self, who, rest):
        if who not in self._clients:
            self._open(who, "/v2/ws")
        if rest.startswith("{"):
            self._clients[who].text(rest.encode())
            return
        kind, payload = traces.message(rest)
        self._clients[who].say(kind, None if payload is None else self._names.said(payload))

    def _hear(self, who, rest):
        if not self._heard[who]:
            raise Mismatch(f"{who} does not hear {rest}")
        heard = self._heard[who].pop(0)
        if heard.type.startswith("closed"):
            kind, payload = rest, None
        else:
            kind, payload = traces.message(rest)
        if heard.type != kind:
            raise Mismatch(f"{who} hears {heard} instead of {rest}")
        if payload is not None or heard.data is not None:
            self._names.check(payload, heard.data)

    def _lose(self, who, _rest):
        self._clients.pop(who).socket.cut()

    def _stop_reading(self, who, _rest):
        self._clients[who].socket.peer_reads = False

    def _read_on(self, who, _rest):
        self._clients[who].socket.peer_reads = True

    _verbs = {
        ">": _say,
        "<": _hear,
        "opens": _open,
        "is lost": _lose,
        "stops reading": _stop_reading,
        "reads on": _read_on,
    }


def _message(frame):
    match frame.opcode:
        case Opcode.TEXT:
            return told(frame)
        case Opcode.BINARY:
            return Told("binary", msgpack.unpackb(frame.data))
        case Opcode.CLOSE:
            close = Close.parse(frame.data)
            return Told(f"closed {close.code} {close.reason}")
    return None


class TraceTests(SynchronousTestCase):
    """
    What the documentation shows is what happens.
    """

    def setUp(self):
        """
        Make ids grow, as which of two is smaller decides who makes an offer.
        """
        self.patch(tap, "SystemRandom", Rising)

    def check(self, page):
        """
        Replay the traces of a page.
        """
        played = 0
        for title, settings, steps in stories(page):
            stage = Stage(settings)
            for step in [*steps, None]:
                try:
                    stage.finish() if step is None else stage.perform(step)
                except (Mismatch, KeyError) as problem:
                    self.fail(f"{page}, {title!r}, at {step}: {problem!r}")
            played += len(steps)
        self.assertGreater(played, 50)

    def test_version_2(self):
        """
        The traces of protocol 2.
        """
        self.check("traces.rst")

    def test_version_3(self):
        """
        The traces of protocol 3.
        """
        self.check("traces-3.rst")
