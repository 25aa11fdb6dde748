"""
The public server, release 0.12.0, in a process of its own.
"""

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
from functools import cache
from http.client import HTTPConnection
from pathlib import Path

from tests.integration.harness import TIMEOUT, eventually
from tests.interop.harness import cargo

PROGRAM = "SIGNALFISH_PUBLIC_SERVER"
INSTALL = "install"
VERSION = "0.12.0"

_OPEN = {
    "SIGNAL_FISH__SECURITY__ENFORCE_APP_ID_ALLOWLIST": "false",
    "SIGNAL_FISH__SECURITY__REQUIRE_METRICS_AUTH": "false",
    "SIGNAL_FISH__LOGGING__LEVEL": "warn",
}


def reason_to_skip() -> str | None:
    """
    Why there is no public server here.
    """
    if not os.environ.get(PROGRAM):
        return f"compares with the public server only if {PROGRAM} is its path, or {INSTALL}"
    if os.environ[PROGRAM] == INSTALL and shutil.which("cargo") is None:
        return "there is no cargo to install the public server with"
    return None


@cache
def program() -> Path:
    """
    The program, built where ``CARGO_TARGET_DIR`` says if it is not there yet.
    """
    given = os.environ[PROGRAM]
    if given != INSTALL:
        return Path(given).absolute()
    root = Path(os.environ.get("CARGO_TARGET_DIR") or tempfile.gettempdir(), "public").absolute()
    crate = ("signal-fish-server", "--version", VERSION, "--locked", "--root", str(root))
    cargo("install", *crate)
    return root / "bin" / "signal-fish-server"


class PublicServer:
    """
    A public server that runs until it is stopped.

    :param variables: settings, as environment variables.
    """

    def __init__(self, variables: dict[str, str]) -> None:
        self._directory = tempfile.mkdtemp(prefix="signalfish-public-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
        self._process = subprocess.Popen(
            [program()],
            cwd=self._directory,
            env={**kept, **_OPEN, "SIGNAL_FISH__PORT": str(self.port), **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        atexit.register(self.stop)
        eventually(self._serves, "the public server starts")

    def url(self, path: str) -> str:
        """
        The address of a WebSocket endpoint.
        """
        return f"ws://127.0.0.1:{self.port}{path}"

    def stop(self) -> None:
        """
        Leave nothing behind.
        """
        atexit.unregister(self.stop)
        self._process.kill()
        self._process.wait(TIMEOUT)
        shutil.rmtree(self._directory, ignore_errors=True)

    def _serves(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError(f"the public server ended: {self._process.returncode}")
        connection = HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
