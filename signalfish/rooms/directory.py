"""
Which rooms there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TypeVar

from signalfish.rooms.owner import Owner
from signalfish.rooms.room import Room
from signalfish.wire.errors import ErrorCode, Refusal

_Key = TypeVar("_Key")


class Directory:
    """
    Rooms by owner, game and code.

    The same code may be in use under several games, and the same game under several owners.

    :param max_rooms: the most rooms at once.
    :param max_rooms_per_game: the most rooms of one game of one owner at once.
    """

    def __init__(self, max_rooms: int, max_rooms_per_game: int) -> None:
        self._max_rooms = max_rooms
        self._max_rooms_per_game = max_rooms_per_game
        self._rooms: dict[tuple[str, str, str], Room] = {}
        self._per_game: Counter[tuple[str, str]] = Counter()
        self._per_owner: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[Room]:
        return iter(tuple(self._rooms.values()))

    def find(self, owner: Owner, game: str, code: str) -> Room | None:
        """
        The room of this owner with this code, if there is one.
        """
        return self._rooms.get((owner.key, game, code))

    def check_capacity(self, owner: Owner, game: str) -> None:
        """
        :raises Refusal: MAX_ROOMS_PER_GAME_EXCEEDED, if there is no room for another room.
        """
        rooms, owned = self._per_game[owner.key, game], self._per_owner[owner.key]
        if rooms >= self._max_rooms_per_game:
            text = f"Game `{game}` already has {rooms} rooms (limit {self._max_rooms_per_game})"
        elif len(self._rooms) >= self._max_rooms:
            text = f"The server already has {len(self._rooms)} rooms (limit {self._max_rooms})"
        elif owner.max_rooms is not None and owned >= owner.max_rooms:
            text = f"The application already has {owned} rooms (limit {owner.max_rooms})"
        else:
            return
        raise Refusal(ErrorCode.MAX_ROOMS_PER_GAME_EXCEEDED, text)

    def add(self, room: Room) -> None:
        """
        List a room.
        """
        owner, game = room.owner.key, room.game_name
        self._rooms[owner, game, room.code] = room
        self._per_game[owner, game] += 1
        self._per_owner[owner] += 1

    def remove(self, room: Room) -> None:
        """
        List a room no longer; its code is free again.
        """
        owner, game = room.owner.key, room.game_name
        del self._rooms[owner, game, room.code]
        _subtract(self._per_game, (owner, game))
        _subtract(self._per_owner, owner)

    def per_game(self) -> dict[str, int]:
        """
        How many rooms each game has, those of all owners together.
        """
        games: Counter[str] = Counter()
        for (_, game), rooms in self._per_game.items():
            games[game] += rooms
        return dict(games)


def _subtract(counts: Counter[_Key], key: _Key) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
