"""
Servers to be measured: what ``--server`` says.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from attrs import field, frozen

from benchmarks.native import program

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
