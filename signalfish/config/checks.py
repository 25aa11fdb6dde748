"""
What must be true of settings together, and of what they name.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from signalfish.config.apps import allowed_apps
from signalfish.config.connections import ConnectToken, Security, TokenBinding
from signalfish.config.networks import trusted_networks
from signalfish.config.origins import allowed_origins
from signalfish.config.problems import ConfigError
from signalfish.config.rooms import SdkCompatibility
from signalfish.config.sections import Settings
from signalfish.wire.binding import FAMILY, SUBPROTOCOL
from signalfish.wire.semver import precedence
from signalfish.wire.tokens import public_key

_ENVELOPE = 256  # bytes around the game data of one message, at most


def check_together(result: Settings) -> None:
    """
    Refuse settings that do not go together.

    :raises ConfigError: for the first that does not.
    """
    server, protocol = result.server, result.protocol
    if server.default_max_players > protocol.max_players_limit:
        raise ConfigError(
            f"server.default_max_players: {server.default_max_players} is above "
            f"protocol.max_players_limit, which is {protocol.max_players_limit}"
        )
    if len(server.room_code_prefix or "") >= protocol.room_code_length:
        raise ConfigError(
            "server.room_code_prefix: must be shorter than "
            f"protocol.room_code_length, which is {protocol.room_code_length}"
        )
    if protocol.min_protocol_version > protocol.max_protocol_version:
        raise ConfigError(
            f"protocol.min_protocol_version: {protocol.min_protocol_version} is above "
            f"protocol.max_protocol_version, which is {protocol.max_protocol_version}"
        )
    if result.turn.enabled and result.turn.urls and not result.turn.static_auth_secret:
        raise ConfigError("turn.static_auth_secret: is empty, but turn.enabled is true")
    _check_metrics(result.security)
    _check_binding(result.security.transport.token_binding)
    verification_key(result.security.connect_token)
    trusted_networks(result.security.trusted_proxies)
    allowed_origins(result.security.cors_origins)
    allowed_apps(result.security)
    _check_platforms(protocol.sdk_compatibility)
    _check_sizes(result.security, protocol.max_players_limit)


def verification_key(section: ConnectToken | None) -> Ed25519PublicKey | None:
    """
    The key that verifies connect tokens; None if there is to be none.

    :raises ConfigError: if there is not exactly one, or it is no key.
    """
    if section is None:
        return None
    path = "security.connect_token"
    text, name = section.public_key, section.public_key_path
    if (text is None) == (name is None):
        raise ConfigError(f"{path}: needs either public_key or public_key_path")
    key = f"{path}.public_key" if name is None else f"{path}.public_key_path"
    try:
        return public_key(Path(name).read_text("ascii") if name is not None else text or "")
    except OSError as error:
        raise ConfigError(f"{key}: cannot read {name}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{key}: {name if name is not None else text!r} {error}") from None


def _check_metrics(security: Security) -> None:
    token, required = security.metrics_auth_token, security.require_metrics_auth
    if required and not token:
        raise ConfigError(
            "security.require_metrics_auth: is true, but security.metrics_auth_token is not set"
        )
    if token == "" and required is None:
        raise ConfigError(
            "security.metrics_auth_token: is empty; expected a token, or null, or false as "
            "security.require_metrics_auth"
        )


def _check_platforms(known: SdkCompatibility) -> None:
    key = "protocol.sdk_compatibility.minimum_versions"
    for platform, version in known.minimum_versions.items() if known.enforce else ():
        if platform != platform.lower():
            raise ConfigError(f"{key}: {platform!r} must be in lower case")
        try:
            precedence(version)
        except ValueError as error:
            raise ConfigError(f"{key}.{platform}: {version!r} {error}") from None


def _check_sizes(security: Security, most_players: int) -> None:
    limit = security.max_outbound_message_size
    if limit < security.max_message_size + _ENVELOPE:
        raise ConfigError(
            f"security.max_outbound_message_size: {limit} is not at least {_ENVELOPE} above "
            f"security.max_message_size, which is {security.max_message_size}"
        )
    if limit < most_players * security.max_connection_info_bytes:
        raise ConfigError(
            f"security.max_outbound_message_size: {limit} is less than {most_players} players "
            f"(protocol.max_players_limit) with security.max_connection_info_bytes, which is "
            f"{security.max_connection_info_bytes}"
        )


def _check_binding(binding: TokenBinding) -> None:
    path = "security.transport.token_binding"
    for key in ("required", "require_client_fingerprint"):
        if getattr(binding, key) and not binding.enabled:
            raise ConfigError(f"{path}.{key}: is true, but {path}.enabled is false")
    name = binding.subprotocol
    if binding.enabled and name.lower().startswith(FAMILY) and name != SUBPROTOCOL:
        raise ConfigError(
            f"{path}.subprotocol: {name!r} names another version of token binding; "
            f"allowed are {SUBPROTOCOL!r} and names outside {FAMILY + '*'!r}"
        )
