"""
Tests for signalfish.rooms.claims.
"""

from twisted.trial.unittest import SynchronousTestCase

from signalfish.rooms.claims import Claims
from signalfish.wire.errors import ErrorCode, Refusal
from tests.rooms.scene import WINDOW, Scene


class ClaimsTests(SynchronousTestCase):
    def setUp(self):
        """
        Ann and Bea have claims to their seats.
        """
        self.scene = Scene(2)
        self.ann, self.bea = self.scene.join("Ann"), self.scene.join("Bea")
        self.claims = Claims(WINDOW)
        for guest in (self.ann, self.bea):
            self.claims.add(guest.place.claim)
        self.token = self.ann.place.claim.token

    def redeem(self, **changes):
        """
        Present what Ann was given, but for these changes.
        """
        request = {
            "player": self.ann.id,
            "room": self.scene.room.id,
            "token": self.token,
            "now": self.scene.now,
            **changes,
        }
        return self.claims.redeem(**request)

    def assert_refused(self, code, text, **changes):
        """
        The claim is refused.
        """
        refusal = self.assertRaises(Refusal, self.redeem, **changes)
        self.assertEqual((refusal.code, refusal.text), (code, text))

    def test_lost(self):
        """
        A lost player proves its claim with its token, any number of times.
        """
        self.scene.lose(self.ann)
        for _ in range(2):
            self.assertIs(self.redeem(), self.ann.place.claim)

    def test_connected(self):
        """
        A player that looks connected can prove its claim too.
        """
        self.assertIs(self.redeem(), self.ann.place.claim)

    def test_certificate(self):
        """
        The claim of a player that has shown a certificate needs the same certificate again.
        """
        self.ann.place.claim.fingerprint = "ab" * 32
        for other in (None, "", "cd" * 32):
            self.assert_refused(
                ErrorCode.RECONNECTION_TOKEN_INVALID,
                "Invalid reconnection token",
                fingerprint=other,
            )
        self.assertIs(self.redeem(fingerprint="ab" * 32), self.ann.place.claim)

    def test_certificate_last(self):
        """
        A certificate is not compared for who has no good token, or comes too late.
        """
        self.ann.place.claim.fingerprint = "ab" * 32
        code = ErrorCode.RECONNECTION_TOKEN_INVALID
        self.assert_refused(code, "Reconnection token is invalid or expired", room="elsewhere")
        self.scene.lose(self.ann)
        late = self.scene.now + WINDOW + 1
        text = "Reconnection window has expired"
        self.assert_refused(ErrorCode.RECONNECTION_EXPIRED, text, now=late)

    def test_new_certificate(self):
        """
        A claim that was made without a certificate is not taken over with one.
        """
        text = "Invalid reconnection token"
        code = ErrorCode.RECONNECTION_TOKEN_INVALID
        self.assert_refused(code, text, fingerprint="ab" * 32)

    def test_unknown_player(self):
        """
        Nobody has a claim without having had a seat.
        """
        self.assert_refused(
            ErrorCode.RECONNECTION_FAILED,
            "No disconnection record found",
            player=self.scene.mint.uuid(),
        )

    def test_wrong_token(self):
        """
        A wrong token is refused, also that of somebody else, whether the seat is connected or not.
        """
        wrong = (self.bea.place.claim.token, "", self.token.upper(), "\xfc")
        for lose in (lambda guest: None, self.scene.lose):
            lose(self.ann)
            for token in wrong:
                self.assert_refused(
                    ErrorCode.RECONNECTION_TOKEN_INVALID, "Invalid reconnection token", token=token
                )

    def test_wrong_room(self):
        """
        A token is for one room.
        """
        self.assert_refused(
            ErrorCode.RECONNECTION_TOKEN_INVALID,
            "Reconnection token is invalid or expired",
            room=self.scene.mint.uuid(),
        )

    def test_last_moment(self):
        """
        The window includes its last moment.
        """
        self.scene.lose(self.ann)
        self.redeem(now=1300.0)
        self.assert_refused(
            ErrorCode.RECONNECTION_EXPIRED, "Reconnection window has expired", now=1300.001
        )

    def test_expired_with_wrong_token(self):
        """
        Who does not know the token is not told that it has expired.
        """
        self.scene.lose(self.ann)
        self.assert_refused(
            ErrorCode.RECONNECTION_TOKEN_INVALID,
            "Invalid reconnection token",
            token="guess",
            now=5000.0,
        )

    def test_revoked(self):
        """
        A claim that is void is as good as none.
        """
        self.ann.place.claim.revoked = True
        self.assert_refused(ErrorCode.RECONNECTION_FAILED, "No disconnection record found")

    def test_dropped(self):
        """
        A claim that was given up is gone, and only that.
        """
        self.claims.drop(self.ann.id)
        self.assert_refused(ErrorCode.RECONNECTION_FAILED, "No disconnection record found")
        self.assertEqual(len(self.claims), 1)
        self.claims.drop(self.ann.id)

    def test_taken_over_lately(self):
        """
        A seat cannot be taken over twice within ten seconds.
        """
        self.scene.take_over(self.ann)
        for now in (1000.0, 1009.999):
            self.assert_refused(
                ErrorCode.PLAYER_ALREADY_CONNECTED, "Player is already connected", now=now
            )
        self.redeem(now=1010.0)

    def test_taken_over_and_lost(self):
        """
        Who was lost again can come back at once.
        """
        again = self.scene.take_over(self.ann)
        self.scene.lose(again)
        self.redeem(now=1000.0)

    def test_taken_over_with_wrong_token(self):
        """
        Who does not know the token is not told that the player is connected.
        """
        self.scene.take_over(self.ann)
        self.assert_refused(
            ErrorCode.RECONNECTION_TOKEN_INVALID, "Invalid reconnection token", token="guess"
        )

    def test_waiting(self):
        """
        Only lost players are waited for.
        """
        self.assertEqual(self.claims.waiting(), 0)
        self.scene.lose(self.ann)
        self.assertEqual(self.claims.waiting(), 1)

    def test_prune(self):
        """
        A claim is forgotten a window after its end, and not as long as its player is connected.
        """
        self.scene.lose(self.ann)
        self.claims.prune(1600.0)
        self.assertEqual(len(self.claims), 2)
        self.claims.prune(1600.001)
        self.assertEqual(len(self.claims), 1)
        self.claims.prune(1e9)
        self.assertEqual(len(self.claims), 1)

    def test_prune_revoked(self):
        """
        A claim that is void is forgotten.
        """
        self.ann.place.claim.revoked = True
        self.claims.prune(0.0)
        self.assertEqual(len(self.claims), 1)

    def test_secret(self):
        """
        The token does not show in the representation of a claim or of a newcomer.
        """
        self.assertNotIn(self.token, repr(self.ann.place.claim))
        newcomer = self.scene.newcomer(self.ann)
        self.assertNotIn(newcomer.token, repr(newcomer))
