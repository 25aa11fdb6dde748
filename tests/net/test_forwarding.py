"""
Tests for signalfish.net.forwarding.
"""

from ipaddress import ip_network

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.logger import LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from signalfish.net.forwarding import LOCAL, Proxies
from tests.net.fakes import Server

NETWORKS = [ip_network(text) for text in ("10.0.0.0/8", "2001:db8:aaaa::/48")]
PROXY = "10.0.0.1"


class ProxiesTests(SynchronousTestCase):
    """
    Who is the client of a request.
    """

    def client(self, peer=PROXY, **headers):
        """
        The client, where two networks are trusted.
        """
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return Proxies(NETWORKS).client(peer, named)

    def test_trusts(self):
        """
        A proxy is trusted by its address, also if that was mapped into IPv6, or by its Unix socket.
        """
        proxies = Proxies(NETWORKS)
        for host in (PROXY, "10.255.255.255", "::ffff:10.0.0.1", "2001:db8:aaaa:9::1"):
            self.assertTrue(proxies.trusts(host), host)
        for host in ("11.0.0.1", "192.0.2.1", "2001:db8:aaab::1", "::1", LOCAL, "", "10.0.0"):
            self.assertFalse(proxies.trusts(host), host)
        self.assertTrue(Proxies(local=True).trusts(LOCAL))
        self.assertFalse(Proxies(local=True).trusts("127.0.0.1"))

    def test_no_headers(self):
        """
        Whoever says nothing of forwarding is the client itself, proxy or not.
        """
        self.assertEqual(PROXY, self.client())
        self.assertEqual("192.0.2.1", self.client("192.0.2.1"))
        self.assertEqual("2001:db8:1:2::/64", self.client("2001:db8:1:2::9"))
        self.assertEqual(LOCAL, self.client(LOCAL))

    def test_untrusted(self):
        """
        The headers of others change nothing.
        """
        for headers in ({"x_forwarded_for": "198.51.100.1"}, {"forwarded": "for=198.51.100.1"}):
            self.assertEqual("192.0.2.1", self.client("192.0.2.1", **headers))

    def test_customary(self):
        """
        X-Forwarded-For names the client last, unless further proxies that are trusted follow it.
        """
        for text, client in {
            "198.51.100.1": "198.51.100.1",
            " 198.51.100.1 ": "198.51.100.1",
            "198.51.100.1:5000": "198.51.100.1",
            "6.6.6.6, 198.51.100.1": "198.51.100.1",
            "6.6.6.6, 198.51.100.1,10.2.3.4, 10.2.3.5": "198.51.100.1",
            "6.6.6.6, 198.51.100.1, 2001:db8:aaaa::7": "198.51.100.1",
            "10.9.9.9, 10.2.3.4": "10.9.9.9",
            "2001:db8:1:2::9": "2001:db8:1:2::/64",
            "[2001:db8:1:2::9]:443": "2001:db8:1:2::/64",
            "::ffff:198.51.100.1": "198.51.100.1",
            "": PROXY,
            ",": PROXY,
            "unknown": PROXY,
            "198.51.100.1, unknown": PROXY,
            "198.51.100.1, unknown, 10.2.3.4": "10.2.3.4",
            "198.51.100.1 6.6.6.6": PROXY,
            "999.1.1.1": PROXY,
            "198.51.100.1/24": PROXY,
        }.items():
            self.assertEqual(client, self.client(x_forwarded_for=text), text)

    def test_standard(self):
        """
        So does Forwarded, in the words of RFC 7239.
        """
        for text, client in {
            "for=198.51.100.1": "198.51.100.1",
            "For=198.51.100.1;proto=https;by=203.0.113.43": "198.51.100.1",
            "proto=https ; for=198.51.100.1": "198.51.100.1",
            'for="198.51.100.1:5000"': "198.51.100.1",
            'for="[2001:db8:1:2::9]:4711"': "2001:db8:1:2::/64",
            "for=6.6.6.6, for=198.51.100.1": "198.51.100.1",
            'for=6.6.6.6, for=198.51.100.1;host="a,b;c", for=10.2.3.4': "198.51.100.1",
            "for=198.51.100.1,, ,": "198.51.100.1",
            "for=198.51.100.1, for=unknown": PROXY,
            "for=198.51.100.1, for=_hidden, for=10.2.3.4": "10.2.3.4",
            "for=198.51.100.1, proto=https": PROXY,
            'for="6.6.6.6, for=198.51.100.1': PROXY,
            'x=";for=6.6.6.6"': PROXY,
            'x=";for=6.6.6.6;y=", for="[2001:db8:1:2::9]"': "2001:db8:1:2::/64",
            "198.51.100.1": PROXY,
            "": PROXY,
        }.items():
            self.assertEqual(client, self.client(forwarded=text), text)

    def test_both(self):
        """
        If both headers are there they must agree: one of them may be the client's own invention.
        """
        for text, client in (
            ("for=198.51.100.1", "198.51.100.1"),
            ("for=6.6.6.6", PROXY),
            ("for=unknown", PROXY),
        ):
            self.assertEqual(client, self.client(x_forwarded_for="198.51.100.1", forwarded=text))

    @given(st.text(st.sampled_from('for=1.,;:[]" \\x'), max_size=60))
    @example('for="\\')
    def test_any_text(self, text):
        """
        Whatever a client writes, the hop that the proxy adds after it counts, or else the proxy.
        """
        added = "198.51.100.1"
        self.assertEqual(added, self.client(x_forwarded_for=f"{text}, {added}"))
        self.assertIn(self.client(forwarded=f"{text}, for={added}"), (added, PROXY))

    def test_long(self):
        """
        Long headers take no long time.
        """
        for piece in ("a=b;", " ", ";", ",", '"a', "\\a", "1.", ":", 'for="', "a=b ; "):
            text = piece * (16384 // len(piece))
            for end in ("", "x", '"'):
                self.assertTrue(self.client(x_forwarded_for=text + end, forwarded=text + end))


class WarningTests(SynchronousTestCase):
    """
    What operators are told.
    """

    def setUp(self):
        """
        Read the log.
        """
        self.told = []
        globalLogPublisher.addObserver(self.told.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.told.append)

    def warnings(self):
        """
        The warnings so far.
        """
        return [event for event in self.told if event["log_level"] is LogLevel.warn]

    def test_once(self):
        """
        Headers of a peer that is not trusted are reported, but only the first time.
        """
        proxies = Proxies(NETWORKS)
        proxies.client("192.0.2.1", {"host": "x"})
        proxies.client(PROXY, {"forwarded": "for=198.51.100.1"})
        self.assertEqual([], self.warnings())
        for name in ("x-forwarded-for", "forwarded"):
            proxies.client("192.0.2.1", {name: "198.51.100.1"})
        (event,) = self.warnings()
        self.assertEqual("192.0.2.1", event["peer"])
        self.assertIn("security.trusted_proxies", event["log_format"])


class ConnectionTests(SynchronousTestCase):
    """
    What a conversation is told of where its connection comes from.
    """

    def address(self, host, *headers):
        """
        The address of a connection through a server that trusts two networks.
        """
        server = Server()
        server.factory.proxies = Proxies(NETWORKS)
        status, _, _ = server.plain(host).request(
            "/v2/ws",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            *headers,
        )
        self.assertEqual("HTTP/1.1 101 Switching Protocols", status)
        return server.receivers[-1].address

    def test_forwarded(self):
        """
        It is the client's address, if a proxy is trusted; headers of several lines belong together.
        """
        one, two = "X-Forwarded-For: 6.6.6.6", "X-FORWARDED-FOR: 198.51.100.1"
        self.assertEqual("198.51.100.1", self.address(PROXY, one, two))
        self.assertEqual("6.6.6.6", self.address(PROXY, two, one))
        self.assertEqual("192.0.2.1", self.address("192.0.2.1", one, two))
        self.assertEqual("198.51.100.1", self.address(PROXY, "Forwarded: for=198.51.100.1"))
        self.assertEqual(PROXY, self.address(PROXY))
