"""
Tests for signalfish.rooms.access.
"""

from twisted.trial.unittest import SynchronousTestCase

from signalfish.rooms.access import Lock, check_password
from signalfish.wire.errors import ErrorCode, Refusal

SALT = b"0123456789abcdef"


class LockTests(SynchronousTestCase):
    def test_opens(self):
        """
        Only its own password opens a lock.
        """
        lock = Lock.sealed("s\N{LATIN SMALL LETTER E WITH ACUTE}same", SALT)
        self.assertTrue(lock.opens("s\N{LATIN SMALL LETTER E WITH ACUTE}same"))
        for password in ("", "sesame", "S\N{LATIN SMALL LETTER E WITH ACUTE}same"):
            self.assertFalse(lock.opens(password))

    def test_salted(self):
        """
        Equal passwords make different locks.
        """
        self.assertEqual(Lock.sealed("sesame", SALT), Lock.sealed("sesame", SALT))
        self.assertNotEqual(Lock.sealed("sesame", SALT), Lock.sealed("sesame", SALT[::-1]))

    def test_secret(self):
        """
        A lock shows neither the password nor its hash.
        """
        self.assertEqual(repr(Lock.sealed("sesame", SALT)), "Lock()")
        self.assertNotIn(b"sesame", Lock.sealed("sesame", SALT)._digest)

    def test_longest_password(self):
        """
        The end of the longest password counts too.
        """
        self.assertFalse(Lock.sealed("x" * 255 + "a", SALT).opens("x" * 255 + "b"))


class CheckPasswordTests(SynchronousTestCase):
    def test_table(self):
        """
        A sealed room wants its password, an open one none.
        """
        lock = Lock.sealed("sesame", SALT)
        check_password(None, None)
        check_password(lock, "sesame")
        for room, password in ((lock, None), (lock, ""), (lock, "x"), (None, ""), (None, "x")):
            refusal = self.assertRaises(Refusal, check_password, room, password)
            self.assertEqual(refusal.code, ErrorCode.PASSWORD_REQUIRED)
            self.assertEqual(refusal.text, "Room requires the join password set by its authority")
