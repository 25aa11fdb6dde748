"""
Which rooms there are.
"""

from __future__ import annotations

from collections.abc import Iterator

from signalfish.rooms.room import Room
from signalfish.wire.errors import ErrorCode, Refusal


class Directory:
    """
    Rooms by game and code; the same code may be in use under several games.

    :param max_rooms: the most rooms at once.
    :param max_rooms_per_game: the most rooms of one game at once.
    """

    def __init__(self, max_rooms: int, max_rooms_per_game: int) -> None:
        self._max_rooms = max_rooms
        self._max_rooms_per_game = max_rooms_per_game
        self._rooms: dict[tuple[str, str], Room] = {}
        self._per_game: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[Room]:
        return iter(tuple(self._rooms.values()))

    def find(self, game: str, code: str) -> Room | None:
        """
        The room with this code, if there is one.
        """
        return self._rooms.get((game, code))

    def check_capacity(self, game: str) -> None:
        """
        :raises Refusal: MAX_ROOMS_PER_GAME_EXCEEDED, if there is no room for another room.
        """
        rooms = self._per_game.get(game, 0)
        if rooms >= self._max_rooms_per_game:
            text = f"Game `{game}` already has {rooms} rooms (limit {self._max_rooms_per_game})"
        elif len(self._rooms) >= self._max_rooms:
            text = f"The server already has {len(self._rooms)} rooms (limit {self._max_rooms})"
        else:
            return
        raise Refusal(ErrorCode.MAX_ROOMS_PER_GAME_EXCEEDED, text)

    def add(self, room: Room) -> None:
        """
        List a room.
        """
        self._rooms[room.game_name, room.code] = room
        self._per_game[room.game_name] = self._per_game.get(room.game_name, 0) + 1

    def remove(self, room: Room) -> None:
        """
        List a room no longer; its code is free again.
        """
        del self._rooms[room.game_name, room.code]
        self._per_game[room.game_name] -= 1
        if not self._per_game[room.game_name]:
            del self._per_game[room.game_name]

    def per_game(self) -> dict[str, int]:
        """
        How many rooms each game has.
        """
        return dict(self._per_game)
