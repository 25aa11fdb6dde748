"""
Authentication and negotiation: who connects, and what both sides understand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import Factory, frozen
from msgspec import UNSET

from signalfish.wire.client import Credentials
from signalfish.wire.errors import CloseCode, ErrorCode, Refusal
from signalfish.wire.names import check_app_id
from signalfish.wire.server import (
    Authenticated,
    Error,
    NameRules,
    ProtocolInfo,
    RateLimits,
    ServerMessage,
)
from signalfish.wire.tokens import TokenRules
from signalfish.wire.types import RELAY_ONLY, Capabilities, Encoding, Form

_ANY_PLATFORM = "_default"
_TOKEN_CAPABILITY = "reconnection_token"  # noqa: S105 - the name of a capability
_CORRELATION_CAPABILITY = "room_operation_ids"
_SPECTATOR_CAPABILITY = "spectator_relay"
_NEGOTIATING = 3  # the protocol version from which more than a version and a format is negotiated
_RETRYABLE = {ErrorCode.CONNECT_TOKEN_INVALID, ErrorCode.CONNECT_TOKEN_REQUIRED}
_OPEN_RATES = RateLimits(per_minute=1000, per_hour=10000, per_day=100000)


@frozen
class Compatibility:
    """
    What is known of client platforms, by lower-case name. It is only told; nobody is refused.

    :ivar capabilities: what clients of a platform may rely on; ``_default`` holds for all.
    """

    minimum_versions: Mapping[str, str]
    recommended_versions: Mapping[str, str]
    capabilities: Mapping[str, Sequence[str]]
    notes: Mapping[str, str]

    def capabilities_of(self, platform: str) -> tuple[str, ...]:
        """
        The capabilities of one platform, without repetition.
        """
        own = self.capabilities.get(platform, ())
        return tuple(dict.fromkeys((*self.capabilities.get(_ANY_PLATFORM, ()), *own)))


@frozen
class Offer:
    """
    What this server offers every client.

    :ivar name_rules: as announced to clients.
    :ivar formats: game data encodings, the default first.
    :ivar tokens: what is asked of connect tokens.
    """

    name_rules: NameRules
    compatibility: Compatibility
    formats: tuple[Encoding, ...] = (Encoding.JSON, Encoding.MESSAGE_PACK)
    min_version: int = 2
    max_version: int = 2
    max_outbound_message_size: int = 8 << 20
    tokens: TokenRules = Factory(TokenRules)


@frozen
class Agreement:
    """
    What was negotiated with one client.

    :ivar wants_token: whether the client can be told a reconnection token.
    :ivar capabilities: what it can do besides the relay.
    :ivar correlates: whether it may wrap what it asks of rooms in a RoomOperation.
    :ivar replies: what to tell it, in this order and with nothing between.
    """

    form: Form
    wants_token: bool
    capabilities: Capabilities = RELAY_ONLY
    correlates: bool = False
    replies: list[ServerMessage] = Factory(list)


def unauthenticated(version: int) -> Agreement:
    """
    What holds for a client that never authenticates.

    :param version: the default protocol version of the endpoint it used.
    """
    return Agreement(Form(version, Encoding.JSON), wants_token=True)


def negotiate(credentials: Credentials, offer: Offer, default_version: int) -> Agreement:
    """
    Settle what holds for a client that authenticates, in open mode.

    :param default_version: of the endpoint it used, if it asks for no version.
    :raises Refusal: INVALID_APP_ID or UNSUPPORTED_PROTOCOL_VERSION, which end the connection;
        CONNECT_TOKEN_INVALID or CONNECT_TOKEN_REQUIRED, after which the client may try again.
    """
    try:
        check_app_id(credentials.app_id)
        offer.tokens.check(credentials.app_id, credentials.connect_token)
        version = _version(credentials, offer, default_version)
    except Refusal as refusal:
        if refusal.code in _RETRYABLE:
            raise
        raise refusal.closing(CloseCode.NORMAL, "unregistered") from None
    form = Form(version, _encoding(credentials, offer))
    replies = _format_advice(credentials, offer)
    replies += [
        Authenticated(app_name="default", rate_limits=_OPEN_RATES),
        _protocol_info(credentials, offer, version),
    ]
    return Agreement(
        form,
        version >= _NEGOTIATING or _TOKEN_CAPABILITY in (credentials.requested_capabilities or ()),
        _capabilities(credentials, version),
        _correlates(credentials, version),
        replies,
    )


def _capabilities(credentials: Credentials, version: int) -> Capabilities:
    if version < _NEGOTIATING:
        return RELAY_ONLY
    return Capabilities(
        RELAY_ONLY.transports | set(credentials.supported_transports or ()),
        RELAY_ONLY.topologies | set(credentials.supported_topologies or ()),
    )


def _correlates(credentials: Credentials, version: int) -> bool:
    requested = credentials.requested_capabilities or ()
    return version >= _NEGOTIATING and _CORRELATION_CAPABILITY in requested


def _version(credentials: Credentials, offer: Offer, default: int) -> int:
    wanted = default if credentials.protocol_version is None else credentials.protocol_version
    if wanted < offer.min_version:
        text = f"Client protocol version {wanted} is below the server minimum {offer.min_version}"
        raise Refusal(ErrorCode.UNSUPPORTED_PROTOCOL_VERSION, text)
    return min(wanted, offer.max_version)


def _encoding(credentials: Credentials, offer: Offer) -> Encoding:
    wanted = credentials.game_data_format
    return wanted if wanted in offer.formats else Encoding.JSON


def _format_advice(credentials: Credentials, offer: Offer) -> list[ServerMessage]:
    wanted = credentials.game_data_format
    if wanted is None or wanted in offer.formats:
        return []
    text = (
        f"Requested game data format '{wanted}' is not supported. "
        f"Server supports: {', '.join(offer.formats)}. Falling back to JSON."
    )
    return [Error(message=text, error_code=ErrorCode.UNSUPPORTED_GAME_DATA_FORMAT)]


def _protocol_info(credentials: Credentials, offer: Offer, version: int) -> ProtocolInfo:
    known, platform = offer.compatibility, (credentials.platform or "").lower()
    return ProtocolInfo(
        platform=UNSET if credentials.platform is None else credentials.platform,
        sdk_version=UNSET if credentials.sdk_version is None else credentials.sdk_version,
        minimum_version=known.minimum_versions.get(platform, UNSET),
        recommended_version=known.recommended_versions.get(platform, UNSET),
        capabilities=_told_capabilities(credentials, known.capabilities_of(platform), version),
        notes=known.notes.get(platform, known.notes.get(_ANY_PLATFORM, UNSET)),
        game_data_formats=offer.formats,
        player_name_rules=offer.name_rules,
        protocol_version=version,
        min_protocol_version=offer.min_version,
        max_protocol_version=offer.max_version,
        transports=("websocket",),
        max_outbound_message_size=offer.max_outbound_message_size,
    )


def _told_capabilities(
    credentials: Credentials, known: tuple[str, ...], version: int
) -> tuple[str, ...]:
    if version < _NEGOTIATING:
        return known
    correlation = (_CORRELATION_CAPABILITY,) if _correlates(credentials, version) else ()
    return (*known, _SPECTATOR_CAPABILITY, *correlation)
