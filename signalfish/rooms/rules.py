"""
The rules of the lobby as pure functions: who may start, when a game starts by itself.
"""

from __future__ import annotations

from enum import StrEnum

from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.types import LobbyState


class StartRule(StrEnum):
    """
    How a game starts; fixed when a room gets its first player.
    """

    AUTOMATIC = "automatic"
    EXPLICIT = "explicit"
    BY_PROTOCOL = "by_protocol"


_EXPLICIT_SINCE = 3  # the protocol version whose clients always send StartGame


def rule_in_force(configured: StartRule, versions: list[int]) -> StartRule:
    """
    The rule for a room, given the protocol versions of its seated players.

    :return: AUTOMATIC or EXPLICIT.
    """
    if configured is not StartRule.BY_PROTOCOL:
        return configured
    explicit = any(version >= _EXPLICIT_SINCE for version in versions)
    return StartRule.EXPLICIT if explicit else StartRule.AUTOMATIC


def next_state(rule: StartRule, state: LobbyState, players: int, capacity: int) -> LobbyState:
    """
    The lobby state after players came or went.
    """
    if state is LobbyState.FINALIZED:
        return state
    if rule is StartRule.EXPLICIT:
        return LobbyState.LOBBY if players else state
    return LobbyState.LOBBY if players >= capacity else LobbyState.WAITING


def starts_by_itself(rule: StartRule, state: LobbyState, *, all_ready: bool) -> bool:
    """
    Whether the game starts without anybody asking.
    """
    return rule is StartRule.AUTOMATIC and state is LobbyState.LOBBY and all_ready


def check_start(*, authority: str | None, player: str, all_ready: bool) -> None:
    """
    :raises Refusal: if this player may not start the game now.
    """
    if authority not in (None, player):
        text = "Only the room's authority player may start the game."
        raise Refusal(ErrorCode.GAME_START_FORBIDDEN, text)
    if not all_ready:
        text = "Cannot start the game: every player must be ready first."
        raise Refusal(ErrorCode.GAME_START_NOT_READY, text)


def check_authority(*, supported: bool, authority: str | None, player: str, claim: bool) -> None:
    """
    Refuse an authority request that cannot be granted.

    :param claim: whether the player wants to have the authority or to give it up.
    :raises Refusal: if it may not.
    """
    if not supported:
        raise Refusal(ErrorCode.AUTHORITY_NOT_SUPPORTED, "Room does not support authority")
    if claim and authority is not None:
        raise Refusal(ErrorCode.AUTHORITY_CONFLICT, "Another player already has authority")
    if not claim and authority != player:
        raise Refusal(ErrorCode.AUTHORITY_DENIED, "You do not have authority to release")
