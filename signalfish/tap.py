"""
The command line of ``twistd signalfish``, and how the parts of a server fit together.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import SystemRandom
from typing import Any, ClassVar, NoReturn

from attrs import evolve, frozen
from msgspec import UNSET
from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint, serverFromString
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.logger import Logger
from twisted.python import usage
from twisted.web.resource import Resource

from signalfish import config, handshake
from signalfish.apps import Apps
from signalfish.entry import Entry
from signalfish.metrics import Metrics
from signalfish.net import web
from signalfish.net.admission import Admission, outdated
from signalfish.net.binding import Binder
from signalfish.net.drain import Drain
from signalfish.net.factory import Connect, FactoryLimits, SignalingFactory
from signalfish.net.forwarding import Proxies
from signalfish.net.gate import Gate
from signalfish.net.limits import AddressBudgets, Budget, RateLimited
from signalfish.net.listening import ListenError, Listening
from signalfish.net.liveness import Liveness, LivenessLimits
from signalfish.net.origins import Origins
from signalfish.net.outbox import OutboxLimits
from signalfish.net.protocol import SignalingProtocol
from signalfish.net.receiver import Receiver
from signalfish.net.statistics import Statistics
from signalfish.net.throttle import Sockets, ThrottlingFactory
from signalfish.rooms.ice import Ice, Turn
from signalfish.rooms.mint import Mint
from signalfish.rooms.plan import Planner
from signalfish.service import RoomService, Terms, Time
from signalfish.session import Policy, Session
from signalfish.wire.names import Rules
from signalfish.wire.server import NameRules
from signalfish.wire.tokens import TokenRules
from signalfish.wire.types import Encoding, Transport

log = Logger()

_MAX_PORT = 65535
_V3_ENDPOINT = "/v3/ws"  # where clients that ask for no protocol version get 3, not 2
_OPEN = "Open to everybody: any app id may connect"
_GUARDED = "Open to everybody with a connect token"
# The usual ones look at all connections again and again. With much larger ones, connections that
# have ended, which are cycles, would stay for too long.
_GC_THRESHOLDS = (20_000, 5, 5)
_BACKLOG = 1024  # Twisted's 50 makes clients wait when many come at once
_SOCKETS_PER_CONNECTION = 2  # sockets over this share of the connection limits are dropped unheard


class Options(usage.Options):
    """
    Options of ``twistd signalfish``.
    """

    synopsis = "[options]"
    optParameters: ClassVar[list[list[Any]]] = [
        ["port", "p", None, "TCP port, or Twisted endpoint string, to listen on [default: 3536]"],
        ["config", "c", None, "Configuration file, JSON or TOML by its suffix"],
    ]
    optFlags: ClassVar[list[list[Any]]] = [
        ["check-config", None, "Say whether the configuration is good, and exit"],
        ["print-config", None, "Print the configuration as JSON, without secrets, and exit"],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["listen"] = []

    def opt_listen(self, endpoint: str) -> None:
        """
        Twisted endpoint string to listen on instead of a port. May be given more than once.
        """
        self["listen"].append(endpoint)

    opt_l = opt_listen

    def postOptions(self) -> None:
        """
        Only look at the configuration, if that is wanted. A server may run meanwhile.
        """
        if self["check-config"] or self["print-config"]:
            from twisted.internet import reactor

            _show(self, reactor)


@frozen
class Parts:
    """
    A server, taken apart.

    :ivar service: everything that must run, except for listening. It stops when the drain is over,
        with the ports that are its children.
    :ivar drain: the end, which stopping the service runs.
    :ivar resource: the web resources, WebSocket endpoints included; for a site of one's own.
    """

    rooms: RoomService
    service: MultiService
    drain: Drain
    factory: SignalingFactory
    resource: Resource
    site: ThrottlingFactory
    metrics: Metrics


class Draining(MultiService):
    """
    Services that go on until the clients have been seen off.
    """

    def __init__(self, drain: Drain) -> None:
        super().__init__()
        self._drain = drain

    def startService(self) -> None:
        """
        Start the services, also after a drain.
        """
        self._drain.renew()
        super().startService()

    def stopService(self) -> Deferred[None]:
        """
        Stop the services after the drain.
        """
        return self._drain.run().addCallback(lambda _: super(Draining, self).stopService())


class SignalFish(MultiService):
    """
    A whole server. If it cannot listen, it ends the process with one line that says why.

    :param drain: what the server does at its end.
    :param openness: says who may do what.
    :param notes: what else an operator should know, one line each.
    :param on_signal: has something called when somebody is tired of waiting for that.
    """

    def __init__(
        self,
        drain: Drain,
        on_signal: Callable[[Callable[[], None]], None],
        openness: str = _OPEN,
        notes: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._drain = drain
        self._on_signal = on_signal
        self._openness = openness
        self._notes = notes

    def privilegedStartService(self) -> None:
        """
        Open the ports.
        """
        try:
            super().privilegedStartService()
        except ListenError as error:
            raise SystemExit(f"signalfish: {error}") from None
        log.info("{openness}", openness=self._openness)
        for note in self._notes:
            log.info("{note}", note=note)

    def startService(self) -> None:
        """
        Start, and let the garbage collector disturb the server as little as possible.
        """
        super().startService()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)

    def stopService(self) -> Deferred[list[Any]]:
        """
        Stop, after the drain; at once if the process is told so again.
        """
        self._on_signal(self._drain.hurry)
        stopped: Deferred[list[Any]] = super().stopService()
        return stopped


def makeService(options: Options) -> IService:
    """
    Everything a server runs, not yet started.

    :raises SystemExit: with one line that says what is wrong with the configuration.
    """
    from twisted.internet import reactor

    configuration, endpoints = _configure(options, reactor)
    settings = configuration.settings
    parts = assemble(settings, reactor)
    Listening(endpoints, parts.site).setServiceParent(parts.service)
    server = SignalFish(
        parts.drain,
        lambda act: _on_signals(reactor, act),
        _openness(settings.security),
        configuration.notes,
    )
    parts.service.setServiceParent(server)
    return server


def _configure(
    options: Options, reactor: Any
) -> tuple[config.Configuration, dict[str, IStreamServerEndpoint]]:
    """
    The configuration, and what is listened on.

    :raises SystemExit: with one line that says what is wrong.
    """
    try:
        path = None if options["config"] is None else Path(options["config"])
        configuration = config.configure(path, os.environ, Path.cwd())
        endpoints = _endpoints(options, configuration.settings, reactor)
        _check_endpoints(configuration.settings.security.transport.token_binding, endpoints)
    except config.ConfigError as error:
        raise SystemExit(f"signalfish: {error}") from None
    return configuration, endpoints


def _show(options: Options, reactor: Any) -> NoReturn:
    """
    Show the configuration, and end the process.
    """
    configuration, _ = _configure(options, reactor)
    settings, port = configuration.settings, options["port"]
    if options["print-config"]:
        settings = settings if not str(port).isdecimal() else evolve(settings, port=int(port))
        sys.stdout.write(config.as_json(settings))
    else:
        lines = (*configuration.notes, _openness(settings.security), "The configuration is good")
        sys.stdout.write("".join(f"{line}\n" for line in lines))
    raise SystemExit(0)


def _openness(security: config.Security) -> str:
    apps, section = config.allowed_apps(security), security.connect_token
    if apps is not None:
        who = f"Open to clients of listed applications ({len(apps)}) only"
    else:
        who = _GUARDED if section is not None and section.required else _OPEN
    return f"{who}, and the metrics need {'a' if security.metrics_token else 'no'} token"


def _on_signals(reactor: Any, act: Callable[[], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: reactor.callFromThread(act))


def assemble(settings: config.Settings, reactor: Any) -> Parts:
    """
    Make the parts of a server and join them, without starting anything.
    """
    random = SystemRandom()
    mint = Mint(random, settings.protocol.room_code_length, settings.server.room_code_prefix or "")
    relays = settings.relay_types
    terms = Terms(
        _planner(settings, mint),
        lambda game: relays.game_relay_mappings.get(game, relays.default_relay_type),
        settings.security.max_outbound_message_size,
    )
    rooms = RoomService(settings.server, Time(reactor, time.monotonic, time.time), mint, terms)
    liveness = Liveness(reactor, _liveness_limits(settings))
    connect, limits = _connect(settings, rooms), _factory_limits(settings)
    factory = SignalingFactory(reactor, mint.uuid, connect, liveness, limits)
    statistics = Statistics(factory, settings.websocket.delivery_stats_interval_secs)
    factory.binder = _binder(settings.security.transport.token_binding, random)
    trusted = settings.security.trusted_proxies
    proxies = Proxies(config.trusted_networks(trusted), local=config.UNIX in trusted)
    factory.proxies = proxies
    factory.origins = Origins(config.allowed_origins(settings.security.cors_origins))
    sockets = Sockets()
    metrics = Metrics(rooms, factory.traffic, sockets, time.time)
    resource = web.resources(
        factory, metrics.snapshot, metrics.exposition, settings.security.metrics_token
    )
    site = ThrottlingFactory(
        web.site(resource, reactor, settings.websocket.http_header_read_timeout_secs),
        sockets,
        _SOCKETS_PER_CONNECTION * settings.security.max_connections_per_ip,
        _SOCKETS_PER_CONNECTION * settings.security.max_connections,
        proxies.trusts,
    )
    drain = Drain(factory, time.time, settings.server.drain_grace_secs, rooms.drain)
    service = Draining(drain)
    for part in (rooms, liveness, factory.sojourn, statistics):
        part.setServiceParent(service)
    return Parts(rooms, service, drain, factory, resource, site, metrics)


def _connect(settings: config.Settings, rooms: RoomService) -> Connect:
    rules = _rules(settings.protocol)
    security = settings.security
    offer = _offer(settings, rooms.time.monotonic)
    policy = Policy(offer, security.max_connection_info_bytes, security.max_signal_bytes)
    budgets = AddressBudgets(_budget(settings.rate_limit), rooms.time.monotonic)
    must_authenticate = offer.tokens.required or not offer.apps.is_open
    timeout = settings.websocket.auth_timeout_secs
    admission = Admission(security.max_connections_per_ip, security.max_connections)

    def connect(link: SignalingProtocol, address: str, path: str) -> Receiver:
        def start() -> Receiver:
            version = min(3 if path.endswith(_V3_ENDPOINT) else 2, offer.max_version)
            if version < offer.min_version and not must_authenticate:
                return outdated(link, version, offer.min_version)
            session = Session(link, address, rooms, policy, version)
            limited = RateLimited(session, link, address, budgets, session.would_create)
            entry = Entry(limited, rules, rooms, session.would_create, session.check_operations)
            return Gate(entry, link, rooms.time.clock, timeout) if must_authenticate else entry

        return admission.admit(link, address, start)

    return connect


def _endpoints(
    options: Options, settings: config.Settings, reactor: Any
) -> dict[str, IStreamServerEndpoint]:
    port = settings.port if options["port"] is None else options["port"]
    descriptions = options["listen"]
    if not str(port).isdecimal():
        descriptions = [port, *descriptions]
    elif int(port) > _MAX_PORT:
        raise config.ConfigError(f"port: {port} is above {_MAX_PORT}")
    elif not descriptions or options["port"] is not None:
        endpoint = _any_interface(reactor, int(port))
        return {f"port {port}": endpoint, **_from_strings(reactor, descriptions)}
    return _from_strings(reactor, descriptions)


def _from_strings(reactor: Any, descriptions: Sequence[str]) -> dict[str, IStreamServerEndpoint]:
    endpoints = {}
    for description in descriptions:
        try:
            endpoints[description] = serverFromString(reactor, description)
        except Exception as error:  # noqa: BLE001 - endpoint parsers raise what they like
            raise config.ConfigError(f"cannot listen on {description}: {error}") from None
    return endpoints


def _check_endpoints(binding: config.TokenBinding, descriptions: Iterable[str]) -> None:
    """
    Refuse to require what no client could do, or what would protect nobody.
    """
    path = "security.transport.token_binding"
    if binding.require_client_fingerprint:
        raise config.ConfigError(
            f"{path}.require_client_fingerprint: no endpoint asks clients for certificates"
        )
    for description in descriptions:
        if binding.required and not description.startswith("ssl:"):
            raise config.ConfigError(f"{path}.required: needs TLS, which {description} has not")


def _any_interface(reactor: Any, port: int) -> IStreamServerEndpoint:
    if _has_ipv6():
        return TCP6ServerEndpoint(reactor, port, backlog=_BACKLOG, interface="::")
    return TCP4ServerEndpoint(reactor, port, backlog=_BACKLOG)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True


def _rules(protocol: config.Protocol) -> Rules:
    names = protocol.player_name_validation
    extra = names.additional_allowed_characters or ""
    return Rules(
        max_game_name=protocol.max_game_name_length,
        max_player_name=protocol.max_player_name_length,
        room_code_length=protocol.room_code_length,
        max_players=protocol.max_players_limit,
        allow_unicode=names.allow_unicode_alphanumeric,
        allow_spaces=names.allow_spaces,
        allow_outer_whitespace=names.allow_leading_trailing_whitespace,
        allowed_symbols=frozenset((*names.allowed_symbols, *extra)),
    )


def _offer(settings: config.Settings, now: Callable[[], float]) -> handshake.Offer:
    protocol = settings.protocol
    names = protocol.player_name_validation
    rules = NameRules(
        max_length=protocol.max_player_name_length,
        min_length=1,
        allow_unicode_alphanumeric=names.allow_unicode_alphanumeric,
        allow_spaces=names.allow_spaces,
        allow_leading_trailing_whitespace=names.allow_leading_trailing_whitespace,
        allowed_symbols=names.allowed_symbols,
        additional_allowed_characters=names.additional_allowed_characters or UNSET,
    )
    sdk = protocol.sdk_compatibility
    compatibility = handshake.Compatibility(
        sdk.minimum_versions, sdk.recommended_versions, sdk.capabilities, sdk.notes, sdk.enforce
    )
    enabled = {
        Encoding.MESSAGE_PACK: protocol.enable_message_pack_game_data,
        Encoding.RKYV: protocol.enable_rkyv_game_data,
        Encoding.PROTOBUF: protocol.enable_protobuf_game_data,
    }
    formats = (Encoding.JSON, *(encoding for encoding, is_on in enabled.items() if is_on))
    return handshake.Offer(
        rules,
        compatibility,
        formats,
        min_version=protocol.min_protocol_version,
        max_version=protocol.max_protocol_version,
        max_outbound_message_size=settings.security.max_outbound_message_size,
        tokens=_token_rules(settings.security.connect_token),
        apps=Apps(config.allowed_apps(settings.security), now),
    )


def _token_rules(section: config.ConnectToken | None) -> TokenRules:
    required = section is not None and section.required
    return TokenRules(config.verification_key(section), time.time, required)


def _binder(binding: config.TokenBinding, random: SystemRandom) -> Binder | None:
    if not binding.enabled:
        return None
    return Binder(
        random.randbytes,
        binding.required,
        binding.require_client_fingerprint,
        binding.subprotocol,
    )


def _planner(settings: config.Settings, mint: Mint) -> Planner:
    session, turn = settings.session, settings.turn
    enabled = {Transport.WEBRTC: session.enable_webrtc, Transport.DIRECT: session.enable_direct}
    service = Turn(turn.urls, turn.static_auth_secret, turn.credential_ttl_secs)
    return Planner(
        mint.uuid,
        time.time,
        session.default_topology,
        session.game_topology_mappings,
        frozenset(transport for transport, is_on in enabled.items() if is_on),
        Ice(session.ice_servers, turn.stun_urls, service if turn.enabled and turn.urls else None),
        session.enable_ice_pregather,
        session.incompatible_joiner is config.IncompatibleJoiner.REFUSE,
    )


def _budget(limits: config.RateLimit) -> Budget:
    return Budget(
        window=limits.time_window,
        creations=limits.max_room_creations,
        joins=limits.max_join_attempts,
        signals=limits.max_signals,
        signal_errors=limits.max_signal_errors,
        replies=limits.max_inbound_error_replies,
        address_multiplier=limits.address_multiplier,
        messages_per_second=limits.max_messages_per_second,
        burst=limits.message_burst,
    )


def _liveness_limits(settings: config.Settings) -> LivenessLimits:
    return LivenessLimits(
        ping_interval=settings.websocket.server_ping_interval_secs,
        pong_timeout=settings.websocket.pong_timeout_secs,
        ping_timeout=settings.server.ping_timeout,
        idle_timeout=settings.websocket.idle_timeout_secs,
    )


def _factory_limits(settings: config.Settings) -> FactoryLimits:
    websocket = settings.websocket
    return FactoryLimits(
        OutboxLimits(
            websocket.send_queue_capacity,
            websocket.control_queue_capacity,
            websocket.slow_consumer_timeout_ms / 1000,
            websocket.max_sojourn_ms / 1000,
            websocket.sender_backlog_bytes,
        ),
        settings.security.max_message_size,
        settings.security.max_outbound_message_size,
        websocket.socket_send_buffer_bytes,
    )
