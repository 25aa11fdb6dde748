"""
The official client in processes of its own, worked by tests.
"""

import atexit
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
from collections import deque
from functools import cache
from pathlib import Path

from tests.integration.harness import TIMEOUT

OPT_IN = "SIGNALFISH_INTEROP"
_BUILD_TIMEOUT = 900.0

_MANIFEST = Path(__file__).with_name("client") / "Cargo.toml"
_PROGRAMS = {"0.14": "puppet", "0.10": "puppet_0_10"}
_TROUBLE = {"ProtocolViolation", "DecodeFailed"}
_END = "end of output"


def reason_to_skip() -> str | None:
    """
    Why the client cannot be built here, or should not be.
    """
    if os.environ.get(OPT_IN) != "1":
        return f"builds the official client only if {OPT_IN}=1, as in tox -e interop"
    if shutil.which("cargo") is None:
        return "there is no cargo to build the official client with"
    return None


@cache
def programs() -> Path:
    """
    The directory of the programs, one for each release of the client that we have.

    They are built where ``CARGO_TARGET_DIR`` says, or else in a directory that goes with us.
    """
    target = os.environ.get("CARGO_TARGET_DIR")
    if not target:
        target = tempfile.mkdtemp(prefix="signalfish-cargo-")
        atexit.register(shutil.rmtree, target, ignore_errors=True)
    command = ("build", "--release", "--locked", "--manifest-path", str(_MANIFEST))
    cargo(*command, CARGO_TARGET_DIR=target)
    return Path(target, "release").absolute()


def cargo(*arguments: str, **variables: str) -> None:
    """
    Let cargo build something.
    """
    built = subprocess.run(
        ["cargo", *arguments],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_BUILD_TIMEOUT,
        text=True,
        check=False,
    )
    if built.returncode:
        raise AssertionError(f"cargo: exit status {built.returncode}\n{built.stdout}")


class Stage:
    """
    Where puppets are heard. What one of them has to complain about ends the play for all.
    """

    def __init__(self) -> None:
        self.said: queue.Queue = queue.Queue()

    def listen(self) -> None:
        """
        Let the puppet that speaks next remember what it said.
        """
        puppet, event = self.said.get(timeout=TIMEOUT)
        puppet.heard.append(event)
        puppet.unread.append(event)
        if event["event"] in _TROUBLE:
            raise AssertionError(f"{puppet} {event['event']}: {event['data']}")


class Puppet:
    """
    One connection of the official client.

    :param url: the endpoint.
    :param release: which client, ``0.14`` or ``0.10``.
    :param options: how it negotiates: ``mode`` (``v3``, ``mesh``) and ``binary``.
    :ivar heard: all events so far.
    :ivar unread: the events that no one has waited for.
    """

    def __init__(self, stage: Stage, url: str, release: str = "0.14", **options) -> None:
        self.heard: list[dict] = []
        self.unread: deque[dict] = deque()
        self._stage = stage
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by close()
        self._process = subprocess.Popen(
            [programs() / _PROGRAMS[release]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._write({"url": url, **options})

    def __repr__(self) -> str:
        return f"puppet {self._process.pid} (after {', '.join(self.history[-8:])})"

    @property
    def history(self) -> list[str]:
        """
        The names of all events so far.
        """
        return [event["event"] for event in self.heard]

    def _read(self) -> None:
        for line in self._process.stdout:
            self._stage.said.put((self, json.loads(line)))
        self._stage.said.put((self, {"event": _END, "data": {}}))

    def _write(self, command: dict) -> None:
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def do(self, verb: str, **fields) -> None:
        """
        Have the client do something.
        """
        self._write({"do": verb, **fields})

    def wait(self, event: str, **expected) -> dict:
        """
        The fields of the next event of this kind, which must have these fields.

        Events of other kinds that come before it are passed over.
        """
        while True:
            while self.unread:
                got = self.unread.popleft()
                if got["event"] == event:
                    return self._checked(got, expected)
                if got["event"] == _END:
                    raise AssertionError(f"{self}: no {event}\n{self._complained()}")
            try:
                self._stage.listen()
            except queue.Empty:
                raise AssertionError(f"{self}: no {event} within {TIMEOUT} seconds") from None

    def find(self, event: str, **expected) -> dict:
        """
        The fields of the next event of this kind that has these fields.
        """
        while True:
            fields = self.wait(event)
            if expected.items() <= fields.items():
                return fields

    def _checked(self, got: dict, expected: dict) -> dict:
        fields = got["data"]
        for name, value in expected.items():
            if name not in fields or fields[name] != value:
                raise AssertionError(
                    f"{self}: expected {got['event']} with {name} {value!r}, got {fields}"
                )
        return fields

    def settle(self) -> list[str]:
        """
        Wait for everything that the server has sent until now.

        Whatever this client has asked for before has been done then, too.

        :returns: the names of the events that no one had waited for.
        """
        self.do("ping")
        before = [event["event"] for event in self.unread]
        known = len(self.history)
        self.wait("Pong")
        return before + self.history[known:-1]

    def die(self) -> None:
        """
        Lose the connection without a farewell.
        """
        self.do("die")
        self.wait(_END)

    def close(self) -> None:
        """
        End the connection, if it has not ended, and hear out the client.
        """
        try:
            self._process.stdin.close()
            while _END not in self.history:
                self._stage.listen()
            if self._process.wait(TIMEOUT):
                raise AssertionError(f"{self}: {self._complained()}")
        finally:
            self._process.kill()
            self._process.wait(TIMEOUT)
            self._reader.join(TIMEOUT)
            self._process.stdout.close()
            self._complaints.close()

    def _complained(self) -> str:
        self._complaints.seek(0)
        return self._complaints.read()
