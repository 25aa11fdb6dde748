"""
Tests for signalfish.wire.tokens.
"""

import json
from base64 import b64encode, urlsafe_b64encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.tokens import TokenRules, public_key

# RFC 8032, section 7.1, test 1.
PRIVATE = Ed25519PrivateKey.from_private_bytes(
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
)
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
NOW = 1_900_000_000
CLAIMS = {"app_id": "game", "exp": NOW + 60, "nonce": "n"}


def encoded(raw):
    """
    Base64 for URLs, without padding.
    """
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def minted(claims=CLAIMS, key=PRIVATE, prefix="sfct_v1"):
    """
    A token with these claims, which may be raw.
    """
    raw = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    signed = f"{prefix}.{encoded(raw)}"
    return f"{signed}.{encoded(key.sign(signed.encode()))}"


class TokenTests(SynchronousTestCase):
    """
    Which tokens are good.
    """

    def setUp(self):
        """
        A server that knows the key.
        """
        self.now = NOW + 0.9
        self.rules = TokenRules(public_key(b64encode(PUBLIC).decode()), lambda: self.now)

    def assert_rejected(self, why, token, app_id="game"):
        """
        A token is refused for this reason, and the client may try again.
        """
        refusal = self.assertRaises(Refusal, self.rules.check, app_id, token)
        told = (refusal.code, refusal.text, refusal.close)
        code = ErrorCode.CONNECT_TOKEN_INVALID
        self.assertEqual((code, f"connect token rejected: {why}", None), told)

    def test_good(self):
        """
        A token is good for its app, and may say more than it must.
        """
        for claims in (
            CLAIMS,
            {**CLAIMS, "nonce": "x" * 128},
            {**CLAIMS, "player": {"id": 7}},
            {**CLAIMS, "exp": NOW + 1},
            {**CLAIMS, "exp": NOW + 360},
        ):
            self.rules.check("game", minted(claims))
        self.rules.check("spiél", minted({**CLAIMS, "app_id": "spiél"}))

    def test_none(self):
        """
        Without a token one gets in, unless it is required.
        """
        self.rules.check("game", None)
        TokenRules().check("game", None)
        rules = TokenRules(self.rules.key, required=True)
        refusal = self.assertRaises(Refusal, rules.check, "game", None)
        self.assertEqual(ErrorCode.CONNECT_TOKEN_REQUIRED, refusal.code)
        self.assertIsNone(refusal.close)

    def test_no_key(self):
        """
        A server without a key takes no token, however it looks.
        """
        self.rules = TokenRules()
        for token in (minted(), "", "x"):
            self.assert_rejected("the server has no verification key configured", token)

    def test_malformed(self):
        """
        A token has three parts, in one spelling, and claims that can be read.
        """
        good = minted()
        prefix, claims, signature = good.split(".")
        for token in (
            "",
            ".",
            "..",
            "sfct_v1",
            "sfct_v1..",
            f"sfct_v1..{signature}",
            f"{prefix}.{claims}",
            f"{prefix}.{claims}.",
            f"{good}.",
            f"{good}.x",
            f"{good}=",
            f"{good}\n",
            f" {good}",
            f"{good}é",
            f"{prefix}.{claims}=.{signature}",
            f"{prefix}.{claims}!.{signature}",
            f"{prefix}.{claims}.{signature[:-1]}",
            f"{prefix}.{claims}.{encoded(bytes(63))}",
            f"{prefix}.{claims}.{encoded(bytes(65))}",
            f"{prefix}.{claims}.{signature[:-1]}{chr(ord(signature[-1]) + 1)}",
            f"{prefix}.{claims}.{b64encode(b'>' * 64).decode()}",
            f"{prefix}.\ud83d.{signature}",
            minted(prefix="sfct_v2"),
            minted(prefix="SFCT_V1"),
            minted({**CLAIMS, "more": "x" * 2000}),
            "x" * 100_000,
            minted(b""),
            minted(b"[]"),
            minted(b"null"),
            minted(b"{"),
            minted(b"{}x"),
            minted(b'["game", 1900000060, "n"]'),
            minted(b'{"app_id":"\xff","exp":1900000060,"nonce":"n"}'),
            minted(b'{"app_id":"\\ud83d","exp":1900000060,"nonce":"n"}'),
            minted(b"[" * 1400),
            minted({**CLAIMS, "app_id": ""}),
            minted({**CLAIMS, "app_id": None}),
            minted({**CLAIMS, "app_id": 1}),
            minted({**CLAIMS, "exp": str(NOW + 60)}),
            minted({**CLAIMS, "exp": NOW + 60.5}),
            minted({**CLAIMS, "exp": True}),
            minted({**CLAIMS, "exp": 2**63}),
            minted({**CLAIMS, "nonce": ""}),
            minted({**CLAIMS, "nonce": "x" * 129}),
            minted({**CLAIMS, "nonce": "é" * 65}),
            minted({**CLAIMS, "nonce": 5}),
            *(minted({k: v for k, v in CLAIMS.items() if k != name}) for name in CLAIMS),
        ):
            self.assert_rejected("malformed token encoding", token)

    def test_longest(self):
        """
        A token has at most 2048 characters.
        """
        tokens = [minted({**CLAIMS, "more": "x" * size}) for size in range(1300, 1500)]
        lengths = [len(token) for token in tokens]
        self.assertLessEqual({2047, 2050}, set(lengths))
        for token, length in zip(tokens, lengths, strict=True):
            if length <= 2048:
                self.rules.check("game", token)
            else:
                self.assert_rejected("malformed token encoding", token)

    def test_signature(self):
        """
        A signature is of the whole token, and by the one key; it is looked at before the claims.
        """
        prefix, claims, signature = minted().split(".")
        other = encoded(json.dumps({**CLAIMS, "exp": NOW + 300}).encode())
        order = 2**252 + 27742317777372353535851937790883648493
        raw = PRIVATE.sign(f"{prefix}.{claims}".encode())
        larger = (int.from_bytes(raw[32:], "little") + order).to_bytes(32, "little")
        for token in (
            f"{prefix}.{other}.{signature}",
            f"{prefix}.{claims}.{encoded(bytes(64))}",
            f"{prefix}.{claims}.{encoded(raw[:32] + larger)}",
            minted(key=Ed25519PrivateKey.generate()),
            minted(b"{", key=Ed25519PrivateKey.generate()),
        ):
            self.assert_rejected("signature verification failed", token)

    def test_expired(self):
        """
        A token is good until its time has come, however long that is past.
        """
        for exp in (NOW, NOW - 1, 0, -1, -(2**63)):
            self.assert_rejected("token expired", minted({**CLAIMS, "exp": exp}))
        self.now = NOW + 59.9
        self.rules.check("game", minted())
        self.now = NOW + 60
        self.assert_rejected("token expired", minted())

    def test_too_long(self):
        """
        A token is good for a few minutes at most.
        """
        why = (
            "validity window exceeds the server maximum of 300 seconds "
            "plus a 60 second clock-skew allowance"
        )
        for exp in (NOW + 361, NOW * 1000, 2**63 - 1):
            self.assert_rejected(why, minted({**CLAIMS, "exp": exp}))

    def test_other_app(self):
        """
        A token is good for one app, which is compared last.
        """
        why = "token was minted for a different app id"
        for app_id in ("", "Game", "game ", "other"):
            self.assert_rejected(why, minted(), app_id)
        self.assert_rejected("token expired", minted({**CLAIMS, "exp": NOW}), "other")

    @given(st.text() | st.from_regex(r"\Asfct_v1\.[\w-]*\.[\w-]*\Z"))
    def test_junk(self, token):
        """
        Junk is refused.
        """
        rules = TokenRules(public_key(b64encode(PUBLIC).decode()), lambda: NOW)
        self.assertRaises(Refusal, rules.check, "game", token)

    def test_not_shown(self):
        """
        No refusal quotes a token, and no rules show a key.
        """
        token = minted({**CLAIMS, "exp": NOW})
        refusal = self.assertRaises(Refusal, self.rules.check, "game", token)
        for part in token.split("."):
            self.assertNotIn(part, repr(refusal))
        self.assertNotIn("key", repr(self.rules))


class KeyTests(SynchronousTestCase):
    """
    Which keys are good.
    """

    def test_spellings(self):
        """
        A key may be in either alphabet, with or without padding, with white space around.
        """
        for text in (
            b64encode(PUBLIC).decode(),
            encoded(PUBLIC),
            urlsafe_b64encode(PUBLIC).decode(),
            f" {b64encode(PUBLIC).decode()}\n",
        ):
            self.assertEqual(PUBLIC, public_key(text).public_bytes_raw())

    def test_any_key(self):
        """
        Keys that were generated are good.
        """
        for _ in range(20):
            raw = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
            self.assertEqual(raw, public_key(encoded(raw)).public_bytes_raw())

    def test_wrong(self):
        """
        Anything else is no key.
        """
        p = 2**255 - 19
        eighth = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
        negative = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
        heights = [0, 1, p - 1, p, p + 1, 2, 2**255 - 1]
        weak = [n.to_bytes(32, "little") for n in heights]
        weak += [bytes.fromhex(eighth), bytes.fromhex(negative)]
        weak += [raw[:31] + bytes([raw[31] | 0x80]) for raw in weak]
        for text in ("", "x", "é", "!!!!", "=", encoded(PUBLIC)[:-4], encoded(PUBLIC + b"x")):
            self.assertRaises(ValueError, public_key, text)
        for raw in weak:
            self.assertRaises(ValueError, public_key, encoded(raw))
