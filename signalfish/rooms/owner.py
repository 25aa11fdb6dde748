"""
Whose rooms are whose.
"""

from __future__ import annotations

from attrs import frozen


@frozen
class Owner:
    """
    Whoever shares rooms: those who come for one owner never meet those who come for another.

    :ivar key: what tells owners apart; rooms only compare it.
    :ivar max_rooms: the most rooms at once; None for any number.
    :ivar max_players: the largest capacity of a room; None for any.
    """

    key: str
    max_rooms: int | None = None
    max_players: int | None = None


EVERYBODY = Owner("")
"""
The owner of all rooms, where nobody is kept from anybody.
"""
