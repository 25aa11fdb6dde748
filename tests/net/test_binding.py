"""
Tests for signalfish.net.binding, by real handshakes through the real web site.
"""

import runpy
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import msgpack
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL.crypto import X509, PKey
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import Certificate, CertificateOptions, trustRootFromCertificates
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.test.iosim import connectedServerAndClient
from twisted.trial.unittest import SynchronousTestCase
from websockets.frames import Opcode

from signalfish.net.admission import Admission
from signalfish.net.binding import UNBOUND, Binder, fingerprint
from signalfish.wire.client import BinaryGameData, Ping
from signalfish.wire.codec import decode_binary, decode_text
from tests.fakes import Told
from tests.net.fakes import Client, FakeReceiver, Server, Socket

V2 = "signalfish.tokenbinding.v2"
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "bound_client.py"
NONCE = bytes(range(32))
HANDSHAKE = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
KEY = "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg=="


def nonce(size):
    """
    The bytes of the vectors.
    """
    return NONCE[:size]


def serving(binder, **limits):
    """
    A server that binds connections in this way.
    """
    server = Server(**limits)
    server.factory.binder = binder
    return server


def certificate(name):
    """
    A self-signed certificate and its key, as OpenSSL has them.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    return X509.from_cryptography(made), PKey.from_cryptography_key(key)


CERTIFICATE, PRIVATE_KEY = certificate("client")
FINGERPRINT = sha256(CERTIFICATE.to_cryptography().public_bytes(Encoding.DER)).hexdigest()


class CertifiedSocket(Socket):
    """
    The server's end of a TLS connection whose client has shown a certificate.
    """

    def getPeerCertificate(self):
        """
        The certificate of the client.
        """
        return CERTIFICATE


class AnonymousSocket(Socket):
    """
    The server's end of a TLS connection whose client has shown nothing.
    """

    def getPeerCertificate(self):
        """
        There is none.
        """


class NegotiationTests(SynchronousTestCase):
    """
    The opening handshake.
    """

    def ask(self, binder, *headers, key=KEY, socket=Socket):
        """
        The status, headers and body of the response to a handshake.
        """
        server = serving(binder)
        client = Client(server.reactor, server.site, socket=socket)
        headers = (*HANDSHAKE, *headers) if key is None else (*HANDSHAKE, key, *headers)
        status, told, body = client.request("/v2/ws", *headers)
        self.receivers = server.receivers
        return int(status.split()[1]), told, body

    def assert_refused(self, response, status, body, outcome="negotiation"):
        """
        A handshake was refused in this way, and there is no conversation.
        """
        self.assertEqual((status, f"{body}\n"), (response[0], response[2].decode()))
        headers = response[1]
        self.assertEqual(
            f"rejected_token_binding_{outcome}", headers["x-signal-fish-upgrade-outcome"]
        )
        self.assertEqual(36, len(headers["x-signal-fish-request-id"]))
        self.assertEqual("text/plain; charset=utf-8", headers["content-type"])
        self.assertEqual([], self.receivers)

    def assert_accepted(self, response, subprotocol):
        """
        A handshake was accepted with this subprotocol, None for none.
        """
        self.assertEqual(101, response[0])
        self.assertEqual("accepted", response[1]["x-signal-fish-upgrade-outcome"])
        self.assertEqual(subprotocol, response[1].get("sec-websocket-protocol"))
        self.assertEqual(1, len(self.receivers))

    def test_off(self):
        """
        Where the feature is off, offers are not looked at.
        """
        for offer in (V2, "signalfish.tokenbinding.v1", "game"):
            self.assert_accepted(self.ask(None, f"Sec-WebSocket-Protocol: {offer}"), None)

    def test_selected(self):
        """
        The supported token is found wherever it stands, and wins over unsupported ones.
        """
        for offer in (
            (V2,),
            (f"game, {V2}",),
            (f"signalfish.tokenbinding.v9,{V2} , x",),
            ("signalfish.tokenbinding.v1", "game", V2),
        ):
            headers = [f"Sec-WebSocket-Protocol: {line}" for line in offer]
            for binder in (Binder(nonce), Binder(nonce, required=True)):
                self.assert_accepted(self.ask(binder, *headers), V2)

    def test_unsupported(self):
        """
        Who offers another version only is told so.
        """
        for offer in (
            "signalfish.tokenbinding.v1",
            "signalfish.tokenbinding.",
            "game, SignalFish.TokenBinding.V2",
            V2.upper(),
            f"{V2}x",
        ):
            for binder in (Binder(nonce), Binder(nonce, required=True, certified=True)):
                response = self.ask(binder, f"Sec-WebSocket-Protocol: {offer}")
                text = "unsupported token binding subprotocol"
                self.assert_refused(response, 400, text, "offer")

    def test_not_offered(self):
        """
        Who offers nothing gets an ordinary connection, unless binding is required.
        """
        for headers in ((), ("Sec-WebSocket-Protocol: game",)):
            self.assert_accepted(self.ask(Binder(nonce), *headers), None)
            response = self.ask(Binder(nonce, required=True), *headers)
            self.assert_refused(response, 400, "token binding subprotocol required")

    def test_other_name(self):
        """
        The subprotocol can have another name.
        """
        binder = Binder(nonce, subprotocol="my.binding")
        self.assert_accepted(self.ask(binder, "Sec-WebSocket-Protocol: my.binding"), "my.binding")
        response = self.ask(binder, f"Sec-WebSocket-Protocol: {V2}")
        self.assert_refused(response, 400, "unsupported token binding subprotocol", "offer")

    def test_keys(self):
        """
        A bound connection needs exactly one good key.
        """
        offer = f"Sec-WebSocket-Protocol: {V2}"
        for keys, text in (
            ((), "token binding handshake key missing"),
            ((KEY, KEY), "exactly one token binding handshake key required"),
            (("Sec-WebSocket-Key: x",), "invalid token binding handshake"),
            (("Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZh==",), "invalid token binding handshake"),
            (("Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2Rl",), "invalid token binding handshake"),
            (("Sec-WebSocket-Key: \xe9",), "invalid token binding handshake"),
        ):
            response = self.ask(Binder(nonce), offer, *keys, key=None)
            self.assert_refused(response, 400, text)

    def test_certificate(self):
        """
        Where a certificate is needed, it is asked for first, and the subprotocol then.
        """
        binder = Binder(nonce, certified=True)
        offer = f"Sec-WebSocket-Protocol: {V2}"
        for socket in (Socket, AnonymousSocket):
            for headers in ((), (offer,)):
                response = self.ask(binder, *headers, socket=socket)
                self.assert_refused(response, 401, "client certificate fingerprint required")
        response = self.ask(binder, socket=CertifiedSocket)
        self.assert_refused(response, 400, "token binding subprotocol required")
        self.assert_accepted(self.ask(binder, offer, socket=CertifiedSocket), V2)

    def test_fingerprint_in_header(self):
        """
        A fingerprint that the client only claims to have counts for nothing.
        """
        response = self.ask(
            Binder(nonce, certified=True),
            f"Sec-WebSocket-Protocol: {V2}",
            f"x-signalfish-client-cert-sha256: {FINGERPRINT}",
        )
        self.assert_refused(response, 401, "client certificate fingerprint required")


class BoundTests(SynchronousTestCase):
    """
    A bound connection, with the documented client at the other end.
    """

    def setUp(self):
        """
        A connection and the signer of its client.
        """
        self.server = serving(Binder(nonce, required=True), max_message_size=1000)
        self.client = self.server.plain().upgrade(subprotocols=[V2])
        [self.receiver] = self.server.receivers
        self.signer = runpy.run_path(str(EXAMPLE))["Signer"](
            self.client.key, b64encode(NONCE).decode()
        )

    def assert_ends(self, message, code="UNAUTHORIZED"):
        """
        The client is told this, and the connection ends.
        """
        *_, last = self.client.heard()
        self.assertEqual(Told("Error", {"message": message, "error_code": code}), last)
        self.assertEqual((1000, "unregistered"), self.client.closed())

    def test_challenge(self):
        """
        The first message is the challenge.
        """
        challenge = {
            "version": 2,
            "scheme": "server_nonce_hkdf_sha256",
            "nonce": b64encode(NONCE).decode(),
            "first_sequence": 1,
        }
        self.assertEqual([Told("TokenBindingChallenge", challenge)], self.client.heard())

    def test_fresh(self):
        """
        Each connection has a challenge of its own.
        """
        sizes = []

        def count(size):
            sizes.append(size)
            return bytes([len(sizes)]) * size

        server = serving(Binder(count))
        told = [server.plain().upgrade(subprotocols=[V2]).heard() for _ in range(2)]
        self.assertNotEqual(told[0], told[1])
        self.assertEqual([32, 32], sizes)

    def test_challenge_before_refusal(self):
        """
        A connection that is one too many is challenged before it is sent away.
        """
        admission = Admission(per_address=0, total=1)
        server = serving(
            Binder(nonce),
            receiver=lambda link, *_: admission.admit(link, "a", FakeReceiver),
        )
        client = server.plain().upgrade(subprotocols=[V2])
        kinds = [told.type for told in client.heard()]
        self.assertEqual(["TokenBindingChallenge", "Error"], kinds)
        self.assertEqual((1013, "too_many_connections"), client.closed())

    def test_messages(self):
        """
        Proven messages arrive as if they were not bound.
        """
        self.client.text(self.signer.text({"type": "Ping"}).encode())
        envelope = {"token_binding": self.signer.proof("binary", b"x"), "payload": b"x"}
        self.client.send(Opcode.BINARY, msgpack.packb(envelope))
        self.client.text(self.signer.text({"type": "Ping", "é": "ü"}).encode())
        self.assertEqual([Ping(), BinaryGameData(b"x"), Ping()], self.receiver.messages)
        self.assertIsNone(self.client.closed())

    def test_unproven(self):
        """
        A message without a proof is told so before the connection ends.
        """
        self.client.say("Ping")
        self.assert_ends("Token binding proof missing")
        self.assertEqual([], self.receiver.messages)

    def test_unproven_binary(self):
        """
        So is a binary message.
        """
        self.client.send(Opcode.BINARY, b"\x01")
        self.assert_ends("Invalid token-bound binary frame")

    def test_nothing_after_the_end(self):
        """
        What follows a wrong proof is not acted on, were it ever so good.
        """
        self.client.say("Ping")
        self.client.text(self.signer.text({"type": "Ping"}).encode())
        self.assertEqual([], self.receiver.messages)

    def test_malformed(self):
        """
        A malformed message is refused, and the connection lives on with the same number.
        """
        self.client.text(b'{"type":"Ping","x":1.5}')
        self.client.text(b"{")
        kinds = [told.data.get("error_code") for told in self.client.heard()[1:]]
        self.assertEqual(["INVALID_INPUT", "INVALID_INPUT"], kinds)
        self.assertEqual([("refused", None)] * 2, self.receiver.events)
        self.client.text(self.signer.text({"type": "Ping"}).encode())
        self.assertEqual([Ping()], self.receiver.messages)

    def test_not_utf8(self):
        """
        Text that is not UTF-8 ends the connection as it does elsewhere.
        """
        self.client.text(b'{"type":"Ping\xff"}')
        self.assertEqual((1007, "invalid_utf8"), self.client.closed())

    def test_too_large(self):
        """
        A message over the limit is refused as it is elsewhere.
        """
        self.client.text(self.signer.text({"type": "Ping", "x": "x" * 1000}).encode())
        self.assertEqual("MESSAGE_TOO_LARGE", self.client.heard()[1].data["error_code"])
        self.assertIsNone(self.client.closed())

    def test_key_of_another(self):
        """
        What was proven on one connection is worth nothing on another.
        """
        ping = self.signer.text({"type": "Ping"}).encode()
        self.client.text(ping)
        other = self.server.plain().upgrade(subprotocols=[V2])
        other.text(ping)
        self.assertEqual((1000, "unregistered"), other.closed())
        self.assertEqual([[Ping()], []], [each.messages for each in self.server.receivers])

    def test_unbound_neighbour(self):
        """
        A connection that is not bound decodes with the very functions that know no proofs.
        """
        server = serving(Binder(nonce))
        client, receiver = server.open()
        self.assertEqual([], client.heard())
        self.assertIs(UNBOUND.decoders, receiver.link._decoders)
        self.assertEqual((decode_text, decode_binary), receiver.link._decoders)
        client.say("Ping", {"token_binding": 1})
        [message] = receiver.messages
        self.assertIsInstance(message, Ping)

    def test_fingerprint(self):
        """
        The conversation is told the certificate of the client, where one is needed.
        """
        self.assertIsNone(self.receiver.link.fingerprint)
        server = serving(Binder(nonce, certified=True))
        client = Client(server.reactor, server.site, socket=CertifiedSocket)
        client.upgrade(subprotocols=[V2])
        [receiver] = server.receivers
        self.assertEqual(FINGERPRINT, receiver.link.fingerprint)
        signer = runpy.run_path(str(EXAMPLE))["Signer"](client.key, b64encode(NONCE).decode())
        client.text(signer.text({"type": "Ping"}).encode())
        error = {"message": "Client fingerprint required", "error_code": "UNAUTHORIZED"}
        self.assertEqual(Told("Error", error), client.heard()[-1])

    def test_certificate_that_is_not_needed(self):
        """
        A certificate that nobody asked for has no effect.
        """
        server = serving(Binder(nonce))
        client = Client(server.reactor, server.site, socket=CertifiedSocket)
        client.upgrade(subprotocols=[V2])
        self.assertIsNone(server.receivers[0].link.fingerprint)


class FingerprintTests(SynchronousTestCase):
    """
    Fingerprints of real certificates, by real TLS.
    """

    def seen(self, options):
        """
        The fingerprint of a client with these options, if the server takes anything from it.
        """
        own, key = certificate("server")
        trusted = trustRootFromCertificates([Certificate(CERTIFICATE)])
        accepting = CertificateOptions(key, own, trustRoot=trusted)
        found, clock = [], Clock()

        class Server(Protocol):
            def dataReceived(self, data):
                found.append(fingerprint(self.transport))

        class Client(Protocol):
            def connectionMade(self):
                self.transport.write(b"x")

        def wrapped(options, is_client, protocol):
            inner = Factory.forProtocol(protocol)
            return TLSMemoryBIOFactory(options, is_client, inner, clock).buildProtocol(None)

        _, _, pump = connectedServerAndClient(
            lambda: wrapped(accepting, False, Server),
            lambda: wrapped(options, True, Client),
            greet=False,
        )
        pump.flush()
        clock.advance(1)  # small writes are collected until the next turn
        pump.flush()
        return found

    def test_verified(self):
        """
        The fingerprint is that of the certificate the client has proven to hold.
        """
        self.assertEqual([FINGERPRINT], self.seen(CertificateOptions(PRIVATE_KEY, CERTIFICATE)))

    def test_not_verified(self):
        """
        A client with a certificate that is not trusted, or with none, gets no connection.
        """
        stranger, key = certificate("client")
        self.assertEqual([], self.seen(CertificateOptions(key, stranger)))
        self.assertEqual([], self.seen(CertificateOptions()))

    def test_no_tls(self):
        """
        A connection without TLS has no certificates.
        """
        self.assertIsNone(fingerprint(Server().plain().socket))
