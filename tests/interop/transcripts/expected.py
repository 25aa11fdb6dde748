"""
How this server differs from the public one on purpose, and why.
"""

import re

from attrs import frozen


@frozen
class Difference:
    """
    Differences that have one reason.

    :ivar patterns: the lines, in which an asterisk stands for anything, and a question mark for a
        plus or a minus.
    """

    reason: str
    patterns: tuple[str, ...]

    def covers(self, line: str) -> bool:
        """
        Whether a line is such a difference.
        """
        return any(matches(pattern, line) for pattern in self.patterns)


def matches(pattern: str, line: str) -> bool:
    """
    Whether a line is as a pattern says.
    """
    regex = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "[+-]")
    return bool(re.fullmatch(regex, line, re.DOTALL))


EXPECTED = [
    Difference(
        "The release of the public server is its own affair.",
        ("*: -ProtocolInfo.implementation_version",),
    ),
    Difference(
        "Official clients up to 0.12 cannot read entries without the time of connection.",
        (
            "*: +*.current_players[].connected_at",
            "*: +*.current_spectators[].connected_at",
            "*: +*.player.connected_at",
            "*: +*.spectator.connected_at",
        ),
    ),
    Difference(
        "Whoever sent a malformed message learns where it is wrong.",
        (
            '*: Error.message "Invalid client message: * for "Invalid client message"',
            '*: Error.message "Value * for "Invalid client message"',
        ),
    ),
    Difference(
        "Refusals name the value and the limit.",
        (
            'names: *: RoomJoinFailed.reason "* name is *',
            'credentials: *: AuthenticationError.error "The app id *" for "InvalidAppId"',
            'classes: bob *: Error.message "Delivery classes need protocol version 3" for *',
            "formats of data: *: Error.message *map key* for *string key*",
            'signal budgets: mistake 1: bob: Error.message "Signaling error *',
        ),
    ),
    Difference(
        "A password is refused in the same words wherever it is given.",
        ('*: *.reason "The room password *" for "Join password *"',),
    ),
    Difference(
        "Some clients know nine error codes less; they get the nearest that they know.",
        (
            '*: no password: * RoomJoinFailed.error_code "ROOM_NOT_FOUND" for "PASSWORD_REQUIRED"',
            '*: SpectatorJoinFailed.error_code "ROOM_NOT_FOUND" for "PASSWORD_REQUIRED"',
            "moderation: kick cy: cy: -Error KICKED",
            "moderation: ban dee: dee: -Error KICKED",
        ),
    ),
    Difference(
        "A name that is taken is a matter of the name, not of the creation of a room.",
        ('*: RoomJoinFailed.error_code "INVALID_PLAYER_NAME" for "ROOM_CREATION_FAILED"',),
    ),
    Difference(
        "Without version 3 a room is waiting until it is full.",
        (
            "names: *: -LobbyStateChanged lobby",
            "many rooms: *: -LobbyStateChanged lobby",
            "apps: ann creates: ann: -LobbyStateChanged lobby",
            "closed doors: v2 rooms: ann v2: -LobbyStateChanged lobby",
            "authority: v2: they come: ann v2: -LobbyStateChanged lobby",
            "readiness in version 2: they come together: *: ?LobbyStateChanged lobby",
            "readiness of older clients: they come together: *: ?LobbyStateChanged lobby",
            "older clients return: they come together: *: ?LobbyStateChanged lobby",
            "connection info: they come together: *: ?LobbyStateChanged lobby",
            'closed doors: v2: *: RoomJoined.lobby_state "waiting" for "lobby"',
            'readiness *: they come together: bob: RoomJoined.lobby_state "waiting" for "lobby"',
            'older clients return: *: bob: RoomJoined.lobby_state "waiting" for "lobby"',
            'authority: v2: *: RoomJoined.lobby_state "waiting" for "lobby"',
            'connection info: *: bob: RoomJoined.lobby_state "waiting" for "lobby"',
            'apps: dee joins: dee: RoomJoined.lobby_state "waiting" for "lobby"',
            "closed doors: v2: *: +LobbyStateChanged lobby",
        ),
    ),
    Difference(
        "Without version 3 the game starts once all are ready, and a late StartGame is ignored.",
        (
            "readiness *: ann is ready again: *: +GameStarting",
            "readiness *: bob starts: bob: -Error GAME_START_FORBIDDEN",
            "readiness *: ann starts: *: -GameStarting",
            "readiness *: ann starts again: ann: -Error INVALID_ROOM_STATE",
            "alone: v2 is ready: ann v2: +GameStarting",
            "alone: v2 starts: ann v2: -GameStarting",
        ),
    ),
    Difference(
        "Members are told whenever the lobby is not as they were last told.",
        (
            "coming and going: *: +LobbyStateChanged lobby",
            "returning to lobby: bob is lost: ann: +LobbyStateChanged lobby",
        ),
    ),
    Difference(
        "A room that everybody has left is as new.",
        (
            "emptied: bob comes again: bob: RoomJoined*.is_authority true for false",
            'emptied: bob comes again: bob: RoomJoined.lobby_state "waiting" for "finalized"',
            "emptied: bob comes again: bob: +LobbyStateChanged lobby",
            "emptied: bob comes again: bob: -SessionPlan relay",
            "spectators: ann leaves, too: late: +LobbyStateChanged waiting",
        ),
    ),
    Difference(
        "Leaving from nowhere is answered.",
        (
            "outside: *: LeaveRoom: *: +Error NOT_IN_ROOM",
            "spectators: a spectator: LeaveRoom: v3: +Error NOT_IN_ROOM",
            "budgets: creation 1: ann: +Error NOT_IN_ROOM",
        ),
    ),
    Difference(
        "Apps share rooms unless there is a list of apps.",
        (
            "apps: *: +PlayerJoined",
            "apps: *: +RoomJoined waiting",
            "apps: *: -RoomJoinFailed ROOM_NOT_FOUND",
            "apps: dee joins: dee: RoomJoined.current_players *",
        ),
    ),
    Difference(
        "Nobody is refused for the version of its SDK, which is only advised.",
        (
            "credentials: old platform: *: +Authenticated",
            "credentials: old platform: *: +ProtocolInfo",
            "credentials: old platform: *: -AuthenticationError SDK_VERSION_UNSUPPORTED",
            "credentials: recent platform: *: -ProtocolInfo.notes",
        ),
    ),
    Difference(
        "Version 2 has reconnection, too, for clients that can be told the token.",
        (
            "names: *: +RoomJoined.reconnection_token",
            "readiness of older clients: *: +RoomJoined.reconnection_token",
            "older clients return: *: +RoomJoined.reconnection_token",
            "older clients return: bob returns: ann: +PlayerJoined",
            "older clients return: bob returns: ann: +PlayerReconnected",
            "older clients return: bob returns: bob': +Reconnected finalized",
            "older clients return: bob returns: bob': +GameData",
            "older clients return: bob returns: bob': -ReconnectionFailed *",
        ),
    ),
    Difference(
        "Spectators are not told addresses of players.",
        ("*: somebody watches: *: -SpectatorJoined.current_players[].connection_info",),
    ),
    Difference(
        "Limits are for values as they were sent, spaces included.",
        ('connection info: too large: ann: Error.message "Connection info is 9030 bytes; *',),
    ),
    Difference(
        "Members of data nobody needs are as good as none.",
        (
            'malformed: 32 *: Error.* for *"',
            'pings: *"data":{}}: *: +Pong',
            'pings: *"data":{}}: *: -Error INVALID_INPUT',
            'wrong operations: *: empty data: *: Error.* for *"',
            "wrong operations: *: empty data: *: +result OperationFailed NOT_IN_ROOM",
            "wrong operations: *: empty data: *: -Error INVALID_INPUT",
        ),
    ),
    Difference(
        "If a member comes twice the last one counts, the type included.",
        ('malformed: 26 *: Error.* for *"',),
    ),
    Difference(
        "A message that is far too large is closed with the code for that.",
        ("too large: 131073 bytes: ann 131073: closed.how[] *",),
    ),
    Difference(
        "The refusal that is one too many is answered before the farewell.",
        (
            'too many mistakes: *: Error.* for *"',
            "too many mistakes: *: +Error RATE_LIMIT_EXCEEDED",
        ),
    ),
    Difference(
        "A sender without budget is told that before its signal is looked at.",
        ("signal budgets: a mistake beyond the budget: ann: Error.*",),
    ),
    Difference(
        "What was delivered in another format was delivered.",
        ("formats of data: *: DeliveryReport.per_class.reliable.delivered * for 0",),
    ),
    Difference(
        "Spectators are told that they are spectators.",
        (
            'formats of data: sue sends binary: sue: Error.* for *"',
            'spectators: a spectator: *: v3: Error.* for *"',
            'spectators: a spectator: AuthorityRequest: v3: AuthorityResponse.* for *"',
        ),
    ),
    Difference(
        "Returning players join again first: else the official client would not know them.",
        (
            "return* returns: *: +PlayerJoined",
            "mesh: * returns: *: +PlayerJoined",
            "host: * returns: *: +PlayerJoined",
            "relay: * returns: *: +PlayerJoined",
            "direct: * returns: *: +PlayerJoined",
            "lesser returner: bob returns: ann: +PlayerJoined",
            "*: PlayerReconnected.player.is_authority false for true",
        ),
    ),
    Difference(
        "A plan comes after the change of authority that has the same cause.",
        (
            "*: ann returns: *: +SessionPlan *",
            "*: ann returns: *: -SessionPlan *",
        ),
    ),
    Difference(
        "Who is lost before the start is not ready any more.",
        (
            "returning to lobby: *: *.is_ready false for true",
            'returning to lobby: *: Reconnected.ready_players [] for ["<bob>"]',
            "returning to lobby: bob returns: bob': Reconnected.missed_events [*] for []",
        ),
    ),
    Difference(
        "A token opens the seat of somebody who looks alive; whatever is no token is just that.",
        (
            "taking over: bob takes over: *",
            "return*: the first token again: *: ReconnectionFailed.* for *",
            "refused returns: while connected: twin: ReconnectionFailed.* for *",
            "refused returns: from inside: ann: ReconnectionFailed.* for *",
        ),
    ),
    Difference(
        "The seat of somebody lost from a running game is kept, for itself.",
        (
            "reserved seat: cy joins: *",
            "reserved seat: cy leaves: *",
            "reserved seat: bob joins: *: SessionPlan.generation *",
            "reserved seat: bob joins: bob': RoomJoined.reconnection_token *",
        ),
    ),
    Difference(
        "Who was removed is told so.",
        ('moderation: dee wants back*: ReconnectionFailed.reason "The seat was removed *',),
    ),
    Difference(
        "Players who cannot be a part of a mesh are let in, and all fall back to the relay.",
        (
            "latecomers: v3 joins late: *",
            "latecomers: v2 joins late: *",
            "latecomers: mesh joins late: *",
            'lesser returner: bob returns: *: SessionPlan.topology "relay" for "mesh"',
            'lesser returner: bob returns: *: SessionPlan.transport "relay" for "webrtc"',
            "lesser returner: bob returns: ann: -SessionPlan.ice_servers",
        ),
    ),
]
"""
Every difference has to be here, and everything here has to differ.
"""
