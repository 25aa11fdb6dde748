"""
A client whose messages prove that they are its own, on a server with token binding.

Usage: ``bound_client.py ws://localhost:3536/v2/ws``
"""

import hmac
import json
import sys
from base64 import b64decode, b64encode

from websockets.sync.client import connect

BINDING = "signalfish.tokenbinding.v2"
SCHEME = "server_nonce_hkdf_sha256"


class Signer:
    """
    Signs the messages of one connection, in the order in which they are sent.
    """

    def __init__(self, handshake_key: str, nonce: str) -> None:
        pseudorandom = hmac.digest(b64decode(nonce), b64decode(handshake_key), "sha256")
        self._key = hmac.digest(pseudorandom, f"{BINDING}/session-key\1".encode(), "sha256")
        self._sequence = 0

    def text(self, message: dict) -> str:
        """
        A text message with its proof. Names of members are in ASCII here, so any sorting will do.
        """
        plain = json.dumps(message, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return json.dumps({**message, "token_binding": self.proof("json", plain.encode())})

    def proof(self, kind: str, payload: bytes) -> dict:
        """
        What goes into ``token_binding``. For a binary message `kind` is ``binary``.
        """
        self._sequence += 1
        covered = f"{BINDING}\0{kind}\0".encode() + self._sequence.to_bytes(8) + payload
        signature = b64encode(hmac.digest(self._key, covered, "sha256")).decode()
        return {
            "version": 2,
            "scheme": SCHEME,
            "sequence": self._sequence,
            "signature": signature,
            "fingerprint": None,
        }


def main(url: str) -> None:
    """
    Authenticate, and show what the server says.
    """
    with connect(url, subprotocols=[BINDING]) as socket:
        challenge = json.loads(socket.recv())["data"]
        signer = Signer(socket.request.headers["Sec-WebSocket-Key"], challenge["nonce"])
        socket.send(signer.text({"type": "Authenticate", "data": {"app_id": "reef-racers"}}))
        socket.send(signer.text({"type": "Ping"}))
        for _ in range(3):
            print(json.loads(socket.recv())["type"])


if __name__ == "__main__":
    main(sys.argv[1])
