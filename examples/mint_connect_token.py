"""
Mint a connect token, as the backend of a game does for a player that it has signed in.

Usage: ``mint_connect_token.py new-key`` once, and ``mint_connect_token.py <private key> <app id>``
for each player. It needs the library ``cryptography``.
"""

import json
import secrets
import sys
import time
from base64 import b64decode, b64encode, urlsafe_b64encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def mint(private_key: bytes, app_id: str, lifetime: int = 120) -> str:
    """
    A token for one app, good for so many seconds, 300 at most.
    """
    claims = {"app_id": app_id, "exp": int(time.time()) + lifetime, "nonce": secrets.token_hex(8)}
    signed = f"sfct_v1.{encoded(json.dumps(claims).encode())}"
    signature = Ed25519PrivateKey.from_private_bytes(private_key).sign(signed.encode())
    return f"{signed}.{encoded(signature)}"


def encoded(raw: bytes) -> str:
    """
    Base64 for URLs, without padding.
    """
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def main(command: str, *arguments: str) -> None:
    """
    Make a pair of keys, or a token.
    """
    if command == "new-key":
        key = Ed25519PrivateKey.generate()
        print("private", b64encode(key.private_bytes_raw()).decode())
        print("public", b64encode(key.public_key().public_bytes_raw()).decode())
    else:
        print(mint(b64decode(command), *arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
