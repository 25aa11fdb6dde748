"""
What the server shows over HTTP: the WebSocket endpoints, health and metrics; 404 elsewhere.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Sequence
from typing import Any

from autobahn.twisted.resource import WebSocketResource
from twisted.internet.interfaces import IReactorTime
from twisted.web.http import HTTPChannel
from twisted.web.http import Request as HTTPRequest
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site

from signalfish.net.binding import Binder, UpgradeRefused
from signalfish.net.factory import SignalingFactory

_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_FORMATS = {
    "text/plain": "prometheus",
    "application/openmetrics-text": "prometheus",
    "application/json": "json",
    "application/*": "json",
    "*/*": "json",
}
_NO_BODIES = b"HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TEXT = "text/plain; charset=utf-8"
_JSON = "application/json"


class Page(Resource):
    """
    A page that is made anew for each request.

    :param render: makes its content type and body.
    :param token: what whoever wants to see it must have; None if it is for everybody.
    """

    isLeaf = True

    def __init__(
        self, render: Callable[[Request], tuple[str, bytes]], token: bytes | None = None
    ) -> None:
        super().__init__()
        self._render = render
        self._token = token

    def render(self, request: Request) -> bytes:
        """
        Answer GET and HEAD.
        """
        if request.postpath:
            return _plain(request, 404, "Not found")
        if request.method not in (b"GET", b"HEAD"):
            request.setHeader(b"allow", b"GET, HEAD")
            return _plain(request, 405, "Only GET and HEAD are allowed here")
        if self._token is not None and not _has_token(request, self._token):
            request.setResponseCode(401)
            return b""
        content_type, body = self._render(request)
        request.setHeader(b"content-type", content_type.encode())
        request.setHeader(b"cache-control", b"no-store")
        return body


class Branch(Resource):
    """
    A part of a path that is no page itself.
    """

    def getChild(self, path: bytes, request: Request) -> IResource:
        """
        There is nothing else below.
        """
        return Missing()

    def render(self, request: Request) -> bytes:
        """
        There is nothing here either.
        """
        return _plain(request, 404, "Not found")


class Missing(Resource):
    """
    A path where there is nothing.
    """

    isLeaf = True

    def render(self, request: Request) -> bytes:
        """
        Say so.
        """
        return _plain(request, 404, "Not found")


class Upgrade(WebSocketResource):
    """
    A WebSocket endpoint. What cannot become a WebSocket is answered as HTTP.
    """

    def render(self, request: Request) -> bytes | int:
        """
        Hand the connection over to a WebSocket protocol.
        """
        if request.postpath:
            return _plain(request, 404, "Not found")
        if request.method != b"GET":
            request.setHeader(b"allow", b"GET")
            return _plain(request, 405, "WebSocket handshakes use GET")
        problem = _not_a_handshake(request)
        if problem is not None:
            return _plain(request, 400, problem)
        try:
            self._check(request)
        except UpgradeRefused as refused:
            return self._refuse(request, refused)
        # Autobahn refuses origins that it cannot parse, such as apps have, without being asked.
        request.requestHeaders.removeHeader(b"origin")
        answer: bytes | int = super().render(request)
        return answer

    def _check(self, request: Request) -> None:
        if not self._factory.origins.admits(_header(request, b"origin")):
            raise UpgradeRefused(403, "WebSocket Origin is not allowed", "rejected_origin")
        if self._factory.warning is not None:
            raise UpgradeRefused(503, "server is draining", "rejected_draining")
        _check_binding(request, self._factory.binder)

    def _refuse(self, request: Request, refused: UpgradeRefused) -> bytes:
        for name, value in self._factory.upgrade_headers(refused.outcome).items():
            request.setHeader(name.encode(), value.encode())
        return _plain(request, refused.status, refused.text)


def _not_a_handshake(request: Request) -> str | None:
    """
    What is wrong with a handshake, as far as HTTP goes; None if nothing is.
    """
    if (request.getHeader("upgrade") or "").lower() != "websocket":
        request.setHeader(b"upgrade", b"websocket")
        return "This is a WebSocket endpoint"
    has_body = request.getHeader("content-length") not in (None, "0")
    if has_body or request.getHeader("transfer-encoding") is not None:
        return "A WebSocket handshake has no body"
    if request.clientproto != b"HTTP/1.1":
        return "A WebSocket handshake needs HTTP/1.1"
    return None


def _check_binding(request: Request, binder: Binder | None) -> None:
    if binder is None:
        return
    lines = _header(request, b"sec-websocket-protocol")
    offered = [token.strip() for line in lines for token in line.split(",")]
    binder.check(offered, _header(request, b"sec-websocket-key"), request.channel.transport)


def _header(request: Request, name: bytes) -> list[str]:
    return [line.decode("latin-1") for line in request.requestHeaders.getRawHeaders(name, ())]


class BodilessRequest(Request):
    """
    A request that has no body. One that announces a body is refused before any of it is read.
    """

    _refused = False

    def gotLength(self, length: int | None) -> None:
        """
        Look at the announced length, which is None if it is not known before.
        """
        super().gotLength(0)
        if length != 0:
            self._refused = True
            self.channel.write(_NO_BODIES)
            self.channel.loseConnection()

    def handleContentChunk(self, data: bytes) -> None:
        """
        Forget what comes nevertheless, until the connection is closed.
        """

    def process(self) -> None:
        """
        Answer, unless that has been done.
        """
        if not self._refused:
            super().process()


class PunctualChannel(HTTPChannel):
    """
    An HTTP connection that must be done with each request in time, however it trickles in.
    """

    def resetTimeout(self) -> None:
        """
        Some bytes are no reason to wait longer.
        """

    def timeoutConnection(self) -> None:
        """
        End the connection, without a word: whoever is so slow is slow to read, too.
        """
        transport: Any = self.transport
        transport.abortConnection()


class QuietSite(Site):
    """
    A site that does not log every request, and waits for none longer than it says.
    """

    noisy = False
    protocol = PunctualChannel  # type: ignore[assignment] # Twisted's is a factory that adds HTTP/2

    def log(self, request: HTTPRequest) -> None:
        """
        Scrapes and health checks are not worth a line each.
        """


def site(root: Resource, clock: IReactorTime, timeout: int = 10) -> Site:
    """
    A web site for these resources.

    :param timeout: seconds that each request may take to arrive, from the opening of the connection
        or from the response before.
    """
    return QuietSite(root, BodilessRequest, reactor=clock, timeout=timeout)


def resources(
    factory: SignalingFactory,
    snapshot: Callable[[], dict[str, Any]],
    exposition: Callable[[], bytes],
    token: bytes | None = None,
) -> Resource:
    """
    The tree of everything there is.

    :param snapshot: makes the metrics as JSON data.
    :param exposition: makes the metrics as Prometheus text.
    :param token: what whoever wants to see metrics must have; None if they are for everybody.
    """
    root, versions = Branch(), {b"v1": Branch(), b"v2": Branch()}
    v3 = Branch()
    root.putChild(b"v3", v3)
    v3.putChild(b"ws", Upgrade(factory))
    root.putChild(b"livez", Page(lambda request: (_TEXT, b"OK")))
    for branch in (root, versions[b"v2"]):
        branch.putChild(b"readyz", Page(lambda request: _readiness(request, factory)))
    for branch in (versions[b"v2"], v3):
        branch.putChild(b"client-config", Page(lambda request: _client_config(request, factory)))
    for name, branch in versions.items():
        root.putChild(name, branch)
    for branch in (root, versions[b"v2"]):
        branch.putChild(b"ws", Upgrade(factory))
        branch.putChild(b"health", Page(lambda request: (_TEXT, b"OK")))
    for branch in (root, *versions.values()):
        branch.putChild(b"metrics", _metrics(snapshot, exposition, token))
    return root


def _readiness(request: Request, factory: SignalingFactory) -> tuple[str, bytes]:
    if factory.warning is None:
        return _JSON, b'{"ready":true}'
    request.setResponseCode(503)
    return _JSON, b'{"ready":false,"reason":"draining"}'


def _client_config(request: Request, factory: SignalingFactory) -> tuple[str, bytes]:
    for name, value in factory.origins.sharing(_header(request, b"origin")).items():
        request.setHeader(name.encode(), value.encode("latin-1"))
    size = factory.limits.max_outbound_message_size
    return _JSON, b'{"max_outbound_message_size":%d}' % size


def _metrics(
    snapshot: Callable[[], dict[str, Any]], exposition: Callable[[], bytes], token: bytes | None
) -> Resource:
    def render(request: Request) -> tuple[str, bytes]:
        if _prefers_prometheus(request.getHeader("accept") or ""):
            return _PROMETHEUS, exposition()
        return _JSON, json.dumps(snapshot(), separators=(",", ":")).encode()

    page = MetricsPage(render, token)
    page.putChild(b"prom", Page(lambda request: (_PROMETHEUS, exposition()), token))
    return page


class MetricsPage(Page):
    """
    The JSON metrics, with other forms below.
    """

    isLeaf = False

    def getChild(self, path: bytes, request: Request) -> IResource:
        """
        There is nothing else below.
        """
        return Missing()


def _has_token(request: Request, token: bytes) -> bool:
    """
    Whether a request has the bearer token; how long that takes says nothing about the token.
    """
    given = request.requestHeaders.getRawHeaders(b"authorization", ())
    return len(given) == 1 and hmac.compare_digest(given[0], b"Bearer " + token)


def _prefers_prometheus(accept: str) -> bool:
    """
    Whether an Accept header prefers a Prometheus type to JSON (RFC 9110 section 12.5.1).
    """
    weights = {"prometheus": 0.0, "json": 0.0}
    for part in accept.lower().split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        form = _FORMATS.get(kind)
        if form is not None:
            weights[form] = max(weights[form], _weight(parameters))
    return weights["prometheus"] > weights["json"]


def _weight(parameters: Sequence[str]) -> float:
    texts = (text.removeprefix("q=") for text in parameters if text.startswith("q="))
    try:
        return float(next(texts, "1"))
    except ValueError:
        return 0.0


def _plain(request: Request, status: int, text: str) -> bytes:
    request.setResponseCode(status)
    request.setHeader(b"content-type", _TEXT.encode())
    return f"{text}\n".encode()
