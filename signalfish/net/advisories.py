"""
Telling a client about game data that it cannot be given, without flooding it.
"""

from __future__ import annotations

from attrs import define

from signalfish.wire.errors import ErrorCode
from signalfish.wire.outgoing import Notice, Undeliverable
from signalfish.wire.server import Error

_INTERVAL = 1.0  # seconds between two notices about the same sender

_MEMORY = 60.0  # seconds for which suppressed notices are remembered


@define
class _Sender:
    told: float
    suppressed: int = 0


class Advisories:
    """
    The notices of one connection.
    """

    def __init__(self) -> None:
        self._senders: dict[str, _Sender] = {}

    def about(self, problem: Undeliverable, now: float) -> Notice | None:
        """
        What to tell the client about a message it does not get; None to stay quiet.
        """
        sender = self._senders.get(problem.sender)
        if sender is not None and now - sender.told < _INTERVAL:
            sender.suppressed += 1
            return None
        text = problem.text
        if sender is not None and sender.suppressed:
            text += f"; {sender.suppressed} similar advisories suppressed since the last notice"
        self._forget_old(now)
        self._senders[problem.sender] = _Sender(now)
        error = Error(message=text, error_code=ErrorCode.UNSUPPORTED_GAME_DATA_FORMAT)
        return Notice(error, follows=problem.sender)

    def _forget_old(self, now: float) -> None:
        self._senders = {
            player: sender
            for player, sender in self._senders.items()
            if now - sender.told < _MEMORY
        }
