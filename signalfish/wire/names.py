"""
The syntax of what clients choose: game names, player names, room codes, passwords, sizes.
"""

from __future__ import annotations

import unicodedata

import regex
from attrs import field, frozen

from signalfish.wire.client import JoinAsSpectator, JoinRoom
from signalfish.wire.errors import ErrorCode, Refusal

CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""
The symbols of generated room codes: no 0, 1, I or O, which people confuse.
"""

MAX_PASSWORD_BYTES = 256
MAX_APP_ID_BYTES = 256

_ALPHANUMERIC = regex.compile(
    r"(?V1)[[\p{Alphabetic}\p{Nd}\p{Nl}\p{No}]--[\p{Default_Ignorable_Code_Point}]]"
)


@frozen
class Rules:
    """
    What requests must look like, before anybody looks at any room.

    :ivar max_game_name: longest game name, in UTF-8 bytes.
    :ivar max_player_name: longest player or spectator name, in UTF-8 bytes.
    :ivar room_code_length: exact length of a room code, in ASCII characters.
    :ivar max_players: largest capacity that a room may be given.
    :ivar allowed_symbols: characters besides letters, digits and spaces in player names.
    """

    max_game_name: int = 64
    max_player_name: int = 32
    room_code_length: int = 6
    max_players: int = 100
    allow_unicode: bool = True
    allow_spaces: bool = True
    allow_outer_whitespace: bool = False
    allowed_symbols: frozenset[str] = field(default=frozenset("-_"))

    def vet_join(self, message: JoinRoom) -> None:
        """
        Check a JoinRoom and bring its room code to upper case.

        :raises Refusal: naming the first thing that is wrong.
        """
        request = message.data
        self.check_game_name(request.game_name)
        self.check_player_name(request.player_name)
        self.check_max_players(request.max_players)
        if request.join_only and request.room_code is None:
            raise Refusal(ErrorCode.INVALID_INPUT, "join_only requires an explicit room_code")
        check_password(request.password)
        if request.room_code is not None:
            request.room_code = self.normal_code(request.room_code)

    def vet_spectate(self, message: JoinAsSpectator) -> None:
        """
        Check a JoinAsSpectator and bring its room code to upper case.

        :raises Refusal: naming the first thing that is wrong.
        """
        request = message.data
        self.check_player_name(request.spectator_name)
        self.check_game_name(request.game_name)
        request.room_code = self.normal_code(request.room_code)
        check_password(request.password)

    def check_game_name(self, name: str) -> None:
        """
        :raises Refusal: INVALID_GAME_NAME.
        """
        length = len(name.encode())
        if not name:
            problem = "Game name cannot be empty"
        elif length > self.max_game_name:
            problem = f"Game name is {length} bytes long; the maximum is {self.max_game_name}"
        elif not all(char in "-_ " or _ALPHANUMERIC.match(char) for char in name):
            problem = "Game name contains invalid characters"
        else:
            return
        raise Refusal(ErrorCode.INVALID_GAME_NAME, problem)

    def check_player_name(self, name: str) -> None:
        """
        :raises Refusal: INVALID_PLAYER_NAME.
        """
        length = len(name.encode())
        if not name:
            problem = "Player name cannot be empty"
        elif length > self.max_player_name:
            problem = f"Player name is {length} bytes long; the maximum is {self.max_player_name}"
        elif name.isspace():
            problem = "Player name cannot be blank"
        elif not self.allow_outer_whitespace and name != name.strip():
            problem = "Player name cannot have leading or trailing whitespace"
        else:
            problem = next(filter(None, map(self._objection, name)), "")
        if problem:
            raise Refusal(ErrorCode.INVALID_PLAYER_NAME, problem)

    def _objection(self, char: str) -> str:
        if char == " ":
            return "" if self.allow_spaces else "Player name cannot contain spaces"
        if char.isspace():
            return "Player name cannot contain whitespace characters"
        if char in self.allowed_symbols:
            return ""
        good = (
            _ALPHANUMERIC.match(char) if self.allow_unicode else char.isascii() and char.isalnum()
        )
        return "" if good else "Player name contains invalid characters"

    def check_max_players(self, number: int | None) -> None:
        """
        :raises Refusal: INVALID_MAX_PLAYERS.
        """
        if number is None:
            return
        if number < 1:
            raise Refusal(ErrorCode.INVALID_MAX_PLAYERS, "Max players must be at least 1")
        if number > self.max_players:
            text = f"Max players cannot exceed {self.max_players}"
            raise Refusal(ErrorCode.INVALID_MAX_PLAYERS, text)

    def normal_code(self, code: str) -> str:
        """
        A room code in upper case.

        :raises Refusal: INVALID_ROOM_CODE.
        """
        if not code:
            problem = "Room code cannot be empty"
        elif len(code.encode()) != self.room_code_length:
            problem = f"Room code must be exactly {self.room_code_length} characters"
        elif not (code.isascii() and code.isalnum()):
            problem = "Room code must be alphanumeric"
        else:
            return code.upper()
        raise Refusal(ErrorCode.INVALID_ROOM_CODE, problem)


def check_password(password: str | None) -> None:
    """
    :raises Refusal: INVALID_INPUT, unless it is absent or has 1 to 256 UTF-8 bytes.
    """
    if password is not None and not 1 <= len(password.encode()) <= MAX_PASSWORD_BYTES:
        text = f"The room password must be non-empty and at most {MAX_PASSWORD_BYTES} bytes"
        raise Refusal(ErrorCode.INVALID_INPUT, text)


def check_app_id(app_id: str) -> None:
    """
    :raises Refusal: INVALID_APP_ID, for control characters or over 256 UTF-8 bytes.
    """
    too_long = len(app_id.encode()) > MAX_APP_ID_BYTES
    if too_long or any(unicodedata.category(char) == "Cc" for char in app_id):
        text = f"The app id must have no control characters and at most {MAX_APP_ID_BYTES} bytes"
        raise Refusal(ErrorCode.INVALID_APP_ID, text)


def fold(name: str) -> str:
    """
    Names with equal folds are the same name (Unicode canonical caseless matching, D145).
    """
    decomposed = unicodedata.normalize("NFD", name).casefold()
    return unicodedata.normalize("NFD", decomposed)
