"""
Authentication and negotiation: who connects, and what both sides understand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import Factory, frozen
from msgspec import UNSET

from signalfish.apps import ANYONE, App, Apps
from signalfish.wire.client import Credentials
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.names import check_app_id
from signalfish.wire.semver import precedence
from signalfish.wire.server import (
    Authenticated,
    Error,
    NameRules,
    ProtocolInfo,
    ServerMessage,
)
from signalfish.wire.tokens import TokenRules
from signalfish.wire.types import RELAY_ONLY, Capabilities, Encoding, Form

_ANY_PLATFORM = "_default"
_TOKEN_CAPABILITY = "reconnection_token"  # noqa: S105 - the name of a capability
_CORRELATION_CAPABILITY = "room_operation_ids"
_SPECTATOR_CAPABILITY = "spectator_relay"
_NEGOTIATING = 3  # the protocol version from which more than a version and a format is negotiated


@frozen
class Compatibility:
    """
    What is known of client platforms, by lower-case name. It is told to their clients.

    :ivar capabilities: what clients of a platform may rely on; ``_default`` holds for all.
    :ivar enforce: whether clients below the minimum of their platform are refused; the minimums
        are versions then.
    """

    minimum_versions: Mapping[str, str]
    recommended_versions: Mapping[str, str]
    capabilities: Mapping[str, Sequence[str]]
    notes: Mapping[str, str]
    enforce: bool = False

    def capabilities_of(self, platform: str) -> tuple[str, ...]:
        """
        The capabilities of one platform, without repetition.
        """
        own = self.capabilities.get(platform, ())
        return tuple(dict.fromkeys((*self.capabilities.get(_ANY_PLATFORM, ()), *own)))

    def check(self, platform: str, version: str | None) -> None:
        """
        Refuse a client that is too old for its platform.

        There is no minimum for a platform that is not known, nor for a client that names none.

        :raises Refusal: SDK_VERSION_UNSUPPORTED.
        """
        minimum = self.minimum_versions.get(platform) if self.enforce else None
        if minimum is None:
            return
        try:
            is_old = version is None or precedence(version) < precedence(minimum)
        except ValueError:
            is_old = True
        if is_old:
            text = f"Platform {platform} needs an sdk_version of at least {minimum}"
            raise Refusal(ErrorCode.SDK_VERSION_UNSUPPORTED, text)


@frozen
class Offer:
    """
    What this server offers every client.

    :ivar name_rules: as announced to clients.
    :ivar formats: game data encodings, the default first.
    :ivar tokens: what is asked of connect tokens.
    :ivar apps: whose clients may connect.
    """

    name_rules: NameRules
    compatibility: Compatibility
    formats: tuple[Encoding, ...] = (Encoding.JSON, Encoding.MESSAGE_PACK)
    min_version: int = 2
    max_version: int = 2
    max_outbound_message_size: int = 8 << 20
    tokens: TokenRules = Factory(TokenRules)
    apps: Apps = Factory(Apps)


@frozen
class Agreement:
    """
    What was negotiated with one client.

    :ivar wants_token: whether the client can be told a reconnection token.
    :ivar capabilities: what it can do besides the relay.
    :ivar correlates: whether it may wrap what it asks of rooms in a RoomOperation.
    :ivar replies: what to tell it, in this order and with nothing between.
    :ivar app: the application that it belongs to.
    """

    form: Form
    wants_token: bool
    capabilities: Capabilities = RELAY_ONLY
    correlates: bool = False
    replies: list[ServerMessage] = Factory(list)
    app: App = ANYONE


def unauthenticated(version: int) -> Agreement:
    """
    What holds for a client that never authenticates.

    :param version: the default protocol version of the endpoint it used.
    """
    return Agreement(Form(version, Encoding.JSON), wants_token=True)


def negotiate(
    credentials: Credentials, offer: Offer, default_version: int, address: str
) -> Agreement:
    """
    Settle what holds for a client that authenticates.

    :param default_version: of the endpoint it used, if it asks for no version.
    :param address: where it comes from; only ever compared.
    :raises Refusal: INVALID_APP_ID or RATE_LIMIT_EXCEEDED, which end the connection, as does
        UNSUPPORTED_PROTOCOL_VERSION where any application may connect; SDK_VERSION_UNSUPPORTED,
        CONNECT_TOKEN_INVALID or CONNECT_TOKEN_REQUIRED, after which the client may try again.
    """
    app = _app(credentials, offer, address)
    platform = (credentials.platform or "").lower()
    offer.tokens.check(credentials.app_id, credentials.connect_token, app.require_connect_token)
    offer.compatibility.check(platform, credentials.sdk_version)
    version = _version(credentials, offer, default_version)
    form = Form(version, _encoding(credentials, offer))
    replies = _format_advice(credentials, offer)
    replies += [
        Authenticated(app_name=app.name, rate_limits=app.rates),
        _protocol_info(credentials, offer, version),
    ]
    return Agreement(
        form,
        version >= _NEGOTIATING or _TOKEN_CAPABILITY in (credentials.requested_capabilities or ()),
        _capabilities(credentials, version),
        _correlates(credentials, version),
        replies,
        app,
    )


def _app(credentials: Credentials, offer: Offer, address: str) -> App:
    try:
        check_app_id(credentials.app_id)
    except Refusal as refusal:
        raise refusal.final() from None
    return offer.apps.admit(credentials.app_id, address)


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
        refusal = Refusal(ErrorCode.UNSUPPORTED_PROTOCOL_VERSION, text)
        raise refusal.final() if offer.apps.is_open else refusal
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
