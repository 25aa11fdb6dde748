"""
A bound client and a real server.
"""

import json
import runpy
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from socket import create_connection

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from twisted.trial.unittest import SynchronousTestCase
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.integration.harness import TIMEOUT, Server, ServerTestCase, environment, twistd

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "bound_client.py"
V2 = "signalfish.tokenbinding.v2"


def binding(**settings):
    """
    The configuration of a server with token binding.
    """
    return {"security": {"transport": {"token_binding": {"enabled": True, **settings}}}}


class Bound:
    """
    A bound client, with the documented way to sign.
    """

    def __init__(self, test, server, **options):
        plain = create_connection(("127.0.0.1", server.port), TIMEOUT)  # past any proxy
        connecting = connect(server.url(), sock=plain, subprotocols=[V2], **options)
        self.socket = test.enterContext(connecting)
        challenge = json.loads(self.socket.recv(TIMEOUT))
        key = self.socket.request.headers["Sec-WebSocket-Key"]
        make = runpy.run_path(str(EXAMPLE))["Signer"]
        self.signer = make(key, challenge["data"]["nonce"])

    def say(self, kind, **data):
        """
        Send a message with its proof.
        """
        message = {"type": kind, "data": data} if data else {"type": kind}
        self.socket.send(self.signer.text(message))

    def hear(self):
        """
        The next message.
        """
        return json.loads(self.socket.recv(TIMEOUT))


class BoundClientTests(ServerTestCase):
    """
    Clients that prove their messages.
    """

    settings = binding()

    def bound(self):
        """
        A bound client.
        """
        return Bound(self, self.server)

    def test_game(self):
        """
        A bound player and one that is not play together.
        """
        bound = self.bound()
        bound.say("JoinRoom", game_name="g", player_name="bound", max_players=2)
        joined = bound.hear()
        self.assertEqual("RoomJoined", joined["type"])
        other = self.client()
        other.join("other", game_name="g", room_code=joined["data"]["room_code"])
        bound.say("GameData", data={"x": [1, {"b": 1, "a": "é"}]})
        other.expect("LobbyStateChanged")
        data = other.expect("GameData")
        self.assertEqual({"x": [1, {"b": 1, "a": "é"}]}, data["data"])

    def test_replay(self):
        """
        Who repeats a message is told so, and is out.
        """
        client = self.bound()
        ping = client.signer.text({"type": "Ping"})
        client.socket.send(ping)
        self.assertEqual("Pong", client.hear()["type"])
        client.socket.send(ping)
        error = client.hear()
        self.assertEqual("UNAUTHORIZED", error["data"]["error_code"])
        with self.assertRaises(ConnectionClosed) as closed:
            client.hear()
        close = closed.exception.rcvd
        self.assertEqual((1000, "unregistered"), (close.code, close.reason))

    def test_example(self):
        """
        The documented client works.
        """
        ended = subprocess.run(
            [sys.executable, str(EXAMPLE), self.server.url()],
            check=True,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            text=True,
        )
        self.assertEqual(["Authenticated", "ProtocolInfo", "Pong"], ended.stdout.split())


class RequiredTests(SynchronousTestCase):
    """
    Servers that serve bound clients only, by TLS.
    """

    def setUp(self):
        """
        A certificate of the server.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
        now = datetime.now(UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
                critical=False,
            )
            .sign(key, SHA256())
            .public_bytes(Encoding.PEM)
        )
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.file = Path(self.mktemp()).resolve()
        self.file.write_bytes(private + self.certificate)

    def test_tls(self):
        """
        Over TLS, a client that binds its connection is served, and no other.
        """
        endpoint = f"ssl:0:interface=127.0.0.1:privateKey={self.file}:certKey={self.file}"
        trust = ssl.create_default_context(cadata=self.certificate.decode())
        server = Server(binding(required=True), ("--listen", endpoint), trust=trust)
        self.addCleanup(server.stop)
        client = Bound(self, server, ssl=trust)
        client.say("Ping")
        self.assertEqual("Pong", client.hear()["type"])
        client.socket.close()
        handshake = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
        }
        response, body = server.request("GET", "/v2/ws", handshake)
        self.assertEqual((400, b"token binding subprotocol required\n"), (response.status, body))

    def test_no_tls(self):
        """
        Without TLS the server does not start.
        """
        variable = {
            "SIGNAL_FISH__SECURITY__TRANSPORT__TOKEN_BINDING": json.dumps(
                {"enabled": True, "required": True}
            )
        }
        ended = subprocess.run(
            twistd("--listen", "tcp:0:interface=127.0.0.1"),
            check=False,
            cwd=self.file.parent,
            env=environment(**variable),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            text=True,
        )
        self.assertNotEqual(0, ended.returncode)
        self.assertIn("token_binding.required: needs TLS", ended.stderr + ended.stdout)
        self.assertNotIn("Traceback", ended.stderr + ended.stdout)
