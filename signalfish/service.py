"""
The rooms of one server: found, created, swept; and the claims of players who may come back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from attrs import define, frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from signalfish.config import Server
from signalfish.periodic import Periodic
from signalfish.rooms import closing, membership, spectators
from signalfish.rooms.access import Lock
from signalfish.rooms.claims import Claims
from signalfish.rooms.directory import Directory
from signalfish.rooms.link import Reply
from signalfish.rooms.mint import Mint
from signalfish.rooms.owner import Owner
from signalfish.rooms.plan import Planner
from signalfish.rooms.replay import Replay, ReplayMemory
from signalfish.rooms.room import Room
from signalfish.rooms.seat import Newcomer, Returner, Seat, Watcher
from signalfish.wire.client import Claim, RoomRequest, SpectatorRequest
from signalfish.wire.errors import ErrorCode, Refusal

log = Logger()

_CODE_ATTEMPTS = 8


@frozen
class Time:
    """
    Where the time comes from.

    :ivar clock: runs delayed calls.
    :ivar monotonic: seconds that only ever grow; for windows and timeouts.
    :ivar wall: seconds since the epoch; only shown to people and programs.
    """

    clock: IReactorTime
    monotonic: Callable[[], float]
    wall: Callable[[], float]


@define
class Tally:
    """
    What has happened since the start.
    """

    rooms_created: int = 0
    rooms_joined: int = 0
    rooms_deleted: int = 0
    empty_rooms_cleaned: int = 0
    inactive_rooms_cleaned: int = 0
    players_joined: int = 0
    players_left: int = 0
    game_data_messages: int = 0
    tokens_issued: int = 0
    reconnections: int = 0
    failed_reconnections: int = 0


@frozen
class Terms:
    """
    What is the same for all rooms.

    :ivar planner: what players are to run besides the relay.
    :ivar relay_type: the relay label for a game.
    :ivar largest_message: bytes that a message to a client may have.
    """

    planner: Planner
    relay_type: Callable[[str], str]
    largest_message: int = 8 << 20


class RoomService(Periodic):
    """
    All rooms of a server, as a service that sweeps them while it runs.

    :ivar tally: counts, for whoever wants to show them.
    :ivar draining: whether no new rooms are made and nobody may come back or start to watch.
    """

    name = "rooms"

    def __init__(
        self,
        settings: Server,
        time: Time,
        mint: Mint,
        terms: Terms,
    ) -> None:
        super().__init__(time.clock, settings.room_cleanup_interval, self.sweep)
        self.time = time
        self.mint = mint
        self.tally = Tally()
        self.draining = False
        self.rooms = Directory(settings.max_rooms, settings.max_rooms_per_game)
        self.claims = Claims(settings.reconnection_window)
        self._players: defaultdict[str, set[str]] = defaultdict(set)
        self._settings = settings
        self._terms = terms
        self._memory = ReplayMemory(
            settings.replay_memory_bytes if settings.replay_game_data else 0
        )

    def startService(self) -> None:
        """
        Start to sweep.
        """
        self.draining = False
        super().startService()

    def drain(self) -> None:
        """
        Make no more rooms, and let nobody come back or begin to watch.
        """
        self.draining = True

    @property
    def issues_tokens(self) -> bool:
        """
        Whether lost players may come back.
        """
        return self._settings.enable_reconnection

    def would_create(self, request: RoomRequest, owner: Owner) -> bool:
        """
        Whether a request is for a room that does not exist yet.
        """
        if request.room_code is None:
            return True
        exists = self.rooms.find(owner, request.game_name, request.room_code) is not None
        return not exists and not request.join_only

    def join(self, request: RoomRequest, newcomer: Newcomer) -> Seat:
        """
        Give a newcomer a seat in the room it asks for, which is created if need be.

        :raises Refusal: with the code of a failed join.
        """
        now = self.time.monotonic()
        room = self._find(newcomer.owner, request.game_name, request.room_code)
        if room is None:
            if request.join_only:
                raise Refusal(ErrorCode.ROOM_NOT_FOUND, "Room not found")
            room = self._create(request, newcomer.owner, now)
            seat = membership.join(room, newcomer, now, request.password)
            self.rooms.add(room)
            self.tally.rooms_created += 1
        else:
            seat = membership.join(room, newcomer, now, request.password)
            self.tally.rooms_joined += 1
        self.tally.players_joined += 1
        if seat.claim is not None:
            self.claims.add(seat.claim)
            self.tally.tokens_issued += 1
        return seat

    def spectate(self, request: SpectatorRequest, newcomer: Newcomer) -> Watcher:
        """
        Let a newcomer watch the room it asks for.

        :raises Refusal: with the code of a failed spectator join.
        """
        room = self._find(newcomer.owner, request.game_name, request.room_code)
        if room is None:
            raise Refusal(ErrorCode.ROOM_NOT_FOUND, "Room not found")
        return spectators.watch(room, newcomer, self.time.monotonic(), request.password)

    def reconnect(self, request: Claim, returner: Returner) -> Seat:
        """
        Give a player its seat back.

        :raises Refusal: with the code of a failed reconnection.
        """
        try:
            seat = self._reconnect(request, returner)
        except Refusal:
            self.tally.failed_reconnections += 1
            raise
        self.tally.reconnections += 1
        self.tally.players_joined += 1
        return seat

    def _reconnect(self, request: Claim, returner: Returner) -> Seat:
        if not self.issues_tokens:
            raise Refusal(ErrorCode.RECONNECTION_FAILED, "Reconnection is not enabled")
        now = self.time.monotonic()
        player, room = str(request.player_id), str(request.room_id)
        token, fingerprint = request.auth_token, returner.fingerprint
        claim = self.claims.redeem(player, room, token, now, fingerprint)
        if claim.room.owner.key != returner.owner.key:
            raise Refusal(ErrorCode.ROOM_NOT_FOUND, "Room no longer exists")
        if claim.expires is None:
            self.tally.players_left += 1
            return membership.take_over(claim.room, claim, returner, now)
        return membership.come_back(claim.room, claim, returner, now)

    def leave(self, room: Room, seat: Seat, reply: Reply | None = None) -> None:
        """
        Let a player go for good.

        :param reply: how the player is told; plainly by default.
        """
        self.claims.drop(seat.id)
        self.tally.players_left += 1
        membership.leave(room, seat, self.time.monotonic(), reply)

    def recode(self, room: Room) -> None:
        """
        Give a room another code.

        :raises Refusal: INTERNAL_ERROR, if no unused code was found.
        """
        code = self._unused_code(room.owner, room.game_name, ErrorCode.INTERNAL_ERROR)
        self.rooms.remove(room)
        room.code = code
        self.rooms.add(room)

    def lose(self, room: Room, seat: Seat) -> None:
        """
        A player's connection is gone.
        """
        self.tally.players_left += 1
        window = self._settings.reconnection_window
        membership.lose(room, seat, self.time.monotonic(), window)

    def sweep(self) -> None:
        """
        End the claims and close the rooms whose time is over.
        """
        now = self.time.monotonic()
        for room in self.rooms:
            try:
                self._sweep_room(room, now)
            except Exception:  # noqa: BLE001 - a bug in one room must not keep others from it
                log.failure("Sweeping room {room} failed", room=room.id)
        self.claims.prune(now)

    def _sweep_room(self, room: Room, now: float) -> None:
        membership.forget_expired(room, now)
        if closing.is_abandoned(room, now, self._settings.empty_room_timeout):
            self.tally.empty_rooms_cleaned += 1
        elif closing.is_inactive(room, now, self._settings.inactive_room_timeout):
            self.tally.inactive_rooms_cleaned += 1
            self.tally.players_left += len(room.seats)
        else:
            return
        self.rooms.remove(room)
        self.tally.rooms_deleted += 1
        closing.close(room)

    def _find(self, owner: Owner, game: str, code: str | None) -> Room | None:
        return None if code is None else self.rooms.find(owner, game, code)

    def _create(self, request: RoomRequest, owner: Owner, now: float) -> Room:
        max_players = self._capacity(request.max_players, owner.max_players)
        self.rooms.check_capacity(owner, request.game_name)
        max_spectators = self._settings.default_max_spectators
        return Room(
            id=self.mint.uuid(),
            code=request.room_code or self._unused_code(owner, request.game_name),
            game_name=request.game_name,
            max_players=max_players,
            relay_type=self._terms.relay_type(request.game_name),
            start_rule=self._settings.start_rule,
            max_spectators=2 * max_players if max_spectators is None else max_spectators,
            replay=Replay(
                self._settings.event_buffer_size, self._memory, self._terms.largest_message
            ),
            planner=self._terms.planner,
            active=now,
            lock=self.lock(request.password),
            players=self._players[owner.key],
            owner=owner,
        )

    def _capacity(self, requested: int | None, limit: int | None) -> int:
        if requested is None:
            default = self._settings.default_max_players
            return default if limit is None else min(default, limit)
        if limit is not None and requested > limit:
            text = f"Requested room capacity {requested} exceeds the application limit {limit}"
            raise Refusal(ErrorCode.INVALID_MAX_PLAYERS, text)
        return requested

    def lock(self, password: str | None) -> Lock | None:
        """
        The lock that a password opens; None without a password.
        """
        return None if password is None else Lock.sealed(password, self.mint.salt())

    def _unused_code(
        self, owner: Owner, game: str, failure: ErrorCode = ErrorCode.ROOM_CREATION_FAILED
    ) -> str:
        for _ in range(_CODE_ATTEMPTS):
            code = self.mint.room_code()
            if self.rooms.find(owner, game, code) is None:
                return code
        raise Refusal(failure, "Could not generate an unused room code")
