"""
Servers to be measured: what ``--server`` says, and the processes.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from attrs import field, frozen

from benchmarks import processes
from benchmarks.native import program

_START_TIMEOUT = 20.0
_LOG_TAIL = 1000
_CHECKOUT = Path(__file__).resolve().parents[1]

_FAR = 1_000_000_000

LIMITS: Mapping[str, object] = {
    "rate_limit.max_room_creations": _FAR,
    "rate_limit.max_join_attempts": _FAR,
    "server.max_rooms": _FAR,
    "server.max_rooms_per_game": _FAR,
    "security.max_connections": _FAR,
    "security.max_connections_per_ip": _FAR,
}
"""
Limits that signalfish and the public server have both: they stay on, out of reach.
"""

SIGNALFISH: Mapping[str, object] = {
    **LIMITS,
    "rate_limit.max_messages_per_second": _FAR,
    "rate_limit.message_burst": _FAR,
}
"""
The settings of signalfish.
"""

PUBLIC: Mapping[str, object] = {
    **LIMITS,
    "rate_limit.max_relay_bytes": 1 << 50,
    "rate_limit.max_room_relay_bytes": 1 << 50,
    "security.enforce_app_id_allowlist": "false",
    "security.require_metrics_auth": "false",
}
"""
The settings of the public server, which does not start open by itself.
"""

_VERSIONS = """
import importlib.metadata as m, platform as p, signalfish as s
names = ["twisted", "autobahn", "msgspec"]
print("signalfish", s.__version__, "on", p.python_implementation(), p.python_version())
print("with", ", ".join(f"{name} {m.version(name)}" for name in names))
"""


class ServerError(Exception):
    """
    A server is not described as it should be, or does not start.
    """


@frozen
class Server:
    """
    A server that can be started, or runs elsewhere.

    :ivar name: what it is called in the results.
    :ivar kind: the part of its description before the colon.
    :ivar command: what starts it; ``{port}`` stands for the port. Empty if it runs elsewhere.
    :ivar settings: what configures it, by environment variables.
    :ivar variables: other environment variables.
    :ivar versions: the command that prints its version, if there is one.
    :ivar checkout: the working tree that it is run from, if it is.
    :ivar address: host and port where it runs, if it runs elsewhere.
    """

    name: str
    kind: str
    command: tuple[str, ...] = ()
    settings: Mapping[str, object] = field(factory=dict)
    variables: Mapping[str, str] = field(factory=dict)
    versions: tuple[str, ...] = ()
    checkout: Path | None = None
    address: tuple[str, int] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """
        The environment of its process: that of this process, less what would configure a server.
        """
        kept = {name: text for name, text in os.environ.items() if "SIGNAL_FISH" not in name}
        configured = {
            "SIGNAL_FISH__" + key.upper().replace(".", "__"): str(value)
            for key, value in self.settings.items()
        }
        return {**kept, **self.variables, **configured}

    def version(self) -> str:
        """
        Its version, and those of what it runs on, as far as it can be asked.
        """
        described = ("git", "-C", str(self.checkout), "describe", "--always", "--dirty")
        texts = [self._asked(self.versions), self._asked(described if self.checkout else ())]
        return ", ".join(filter(None, texts)).replace("\n", " ") or "unknown"

    def _asked(self, command: tuple[str, ...]) -> str:
        if not command:
            return ""
        try:
            answer = subprocess.run(
                command,
                env=self.environment,
                cwd=tempfile.gettempdir(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError:
            return ""
        return answer.stdout.strip()


def parse(text: str) -> Server:
    """
    The server that an argument ``[NAME=]DESCRIPTION`` describes.

    :raises ServerError: if it describes none.
    """
    name, equals, description = text.partition("=")
    if not equals or not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        name, description = "", text
    kind, _, where = description.partition(":")
    name = name or kind
    if kind in _KINDS:
        return _KINDS[kind](name, where)
    if "{port}" not in description:
        raise ServerError(
            f"{text}: neither a kind of server, nor a URL, nor a command with {{port}}"
        )
    return Server(name, "command", tuple(shlex.split(description)))


def _signalfish(name: str, where: str) -> Server:
    """
    The server of this checkout, of another one, or that is installed for another Python.
    """
    checkout: Path | None = Path(where or _CHECKOUT)
    if checkout and checkout.is_dir():
        python, variables = sys.executable, _path(checkout)
    else:
        python, variables, checkout = where, {}, None
    twistd = Path(python).with_name("twistd")
    if not twistd.exists():
        raise ServerError(f"{name}: neither a checkout nor a Python with twistd: {where or python}")
    command = (python, str(twistd), "-n", "--pidfile=", "signalfish")
    listen = ("--port", "tcp:{port}:interface=127.0.0.1")
    return Server(
        name,
        "signalfish",
        (*command, *listen),
        SIGNALFISH,
        variables,
        (python, "-c", _VERSIONS),
        checkout,
    )


def _public(name: str, where: str) -> Server:
    if not where:
        raise ServerError("public: say where its program is, as in public:/path/to/program")
    settings = {**PUBLIC, "port": "{port}"}
    return Server(name, "public", (where,), settings, versions=(where, "--version"))


def _naive(name: str, _: str) -> Server:
    command = (sys.executable, "-m", "benchmarks.naive", "--port", "{port}")
    return Server(name, "naive", command, variables=_path(_CHECKOUT), checkout=_CHECKOUT)


def _bare(name: str, _: str) -> Server:
    return Server(name, "bare", (str(program("bare")), "{port}"), checkout=_CHECKOUT)


def _elsewhere(name: str, where: str) -> Server:
    parts = urlsplit(where)
    if not parts.hostname or not parts.port:
        raise ServerError(f"{name}: a URL needs a host and a port")
    return Server(name, "url", address=(_address(parts.hostname), parts.port))


_KINDS: Mapping[str, Callable[[str, str], Server]] = {
    "signalfish": _signalfish,
    "public": _public,
    "naive": _naive,
    "bare": _bare,
    "ws": _elsewhere,
}


def _path(checkout: Path) -> dict[str, str]:
    rest = [entry for entry in sys.path if entry and Path(entry) != _CHECKOUT]
    return {"PYTHONPATH": os.pathsep.join([str(checkout.resolve()), *rest])}


def _address(host: str) -> str:
    try:
        return socket.gethostbyname(host)
    except OSError as error:
        raise ServerError(f"{host}: {error}") from None


def free_port() -> int:
    """
    A port that nobody listens on.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """
    A server while it runs; a context manager that stops it.

    :param prefix: what to run it with, such as ``taskset -c 0``.
    :raises ServerError: if it does not start.
    :ivar host: where it listens.
    :ivar port: likewise.
    """

    def __init__(self, server: Server, prefix: Sequence[str] = ()) -> None:
        self._server = server
        self._process: subprocess.Popen[bytes] | None = None
        self._directory = tempfile.TemporaryDirectory(prefix="signalfish-benchmark-")
        if server.address is not None:
            self.host, self.port = server.address
            return
        self.host, self.port = "127.0.0.1", free_port()
        self._start(prefix)

    def _start(self, prefix: Sequence[str]) -> None:
        fill = {"{port}": str(self.port)}
        command = [part.replace("{port}", fill["{port}"]) for part in self._server.command]
        variables = {name: fill.get(text, text) for name, text in self._server.environment.items()}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*prefix, *command],
                cwd=self._directory.name,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    @property
    def _log(self) -> Path:
        return Path(self._directory.name, "log")

    def _wait(self) -> None:
        assert self._process is not None  # noqa: S101 - for the type checker
        deadline = time.monotonic() + _START_TIMEOUT
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection((self.host, self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        tail = self._log.read_text(errors="replace")[-_LOG_TAIL:]
        raise ServerError(f"{self._server.name} does not start:\n{tail}")

    def cpu_seconds(self) -> float | None:
        """
        The CPU time it has used, or None if it runs elsewhere.
        """
        return None if self._process is None else processes.cpu_seconds(self._process.pid)

    def resident_bytes(self) -> int | None:
        """
        Its resident memory, or None if it runs elsewhere.
        """
        return None if self._process is None else processes.resident_bytes(self._process.pid)

    def stop(self) -> None:
        """
        Kill the server and its children, if it was started: there is nothing to be saved.
        """
        if self._process is not None:
            for pid in processes.tree(self._process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()
        self._directory.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
