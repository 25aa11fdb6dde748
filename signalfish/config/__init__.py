"""
Settings: where they come from, and what they may be.

Anything wrong stops the start with one line that names the key.
"""

from signalfish.config.apps import allowed_apps
from signalfish.config.checks import verification_key
from signalfish.config.connections import (
    ConnectToken,
    Security,
    TokenBinding,
    TransportSecurity,
    WebSocket,
)
from signalfish.config.conversion import settings
from signalfish.config.networks import UNIX, trusted_networks
from signalfish.config.origins import allowed_origins
from signalfish.config.printing import as_json
from signalfish.config.problems import ConfigError
from signalfish.config.rooms import (
    IncompatibleJoiner,
    PlayerNames,
    Protocol,
    RateLimit,
    RelayTypes,
    SdkCompatibility,
    Server,
    Session,
    Turn,
)
from signalfish.config.sections import Settings
from signalfish.config.sources import Configuration, configure, load

__all__ = [
    "UNIX",
    "ConfigError",
    "Configuration",
    "ConnectToken",
    "IncompatibleJoiner",
    "PlayerNames",
    "Protocol",
    "RateLimit",
    "RelayTypes",
    "SdkCompatibility",
    "Security",
    "Server",
    "Session",
    "Settings",
    "TokenBinding",
    "TransportSecurity",
    "Turn",
    "WebSocket",
    "allowed_apps",
    "allowed_origins",
    "as_json",
    "configure",
    "load",
    "settings",
    "trusted_networks",
    "verification_key",
]
