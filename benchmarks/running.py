"""
Processes of servers.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks import processes
from benchmarks.servers import Server, ServerError

_START_TIMEOUT = 20.0
_LOG_TAIL = 1000


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
