"""
Tests for signalfish.rooms.directory.
"""

from twisted.trial.unittest import SynchronousTestCase

from signalfish.rooms.directory import Directory
from signalfish.rooms.owner import EVERYBODY, Owner
from signalfish.wire.errors import ErrorCode, Refusal
from tests.rooms.scene import Scene


def room(game, code, owner=EVERYBODY):
    """
    A room with this code.
    """
    made = Scene().room
    made.game_name, made.code, made.owner = game, code, owner
    return made


class DirectoryTests(SynchronousTestCase):
    def setUp(self):
        """
        There may be three rooms, and two of one game.
        """
        self.directory = Directory(3, 2)

    def add(self, *places):
        """
        List rooms.
        """
        rooms = [room(*place) for place in places]
        for made in rooms:
            self.directory.add(made)
        return rooms

    def test_find(self):
        """
        A room is found by game and code.
        """
        one, two = self.add(("chess", "AAAAAA"), ("go", "AAAAAA"))
        self.assertIs(self.directory.find(EVERYBODY, "chess", "AAAAAA"), one)
        self.assertIs(self.directory.find(EVERYBODY, "go", "AAAAAA"), two)
        self.assertIsNone(self.directory.find(EVERYBODY, "chess", "BBBBBB"))
        self.assertIsNone(self.directory.find(EVERYBODY, "Chess", "AAAAAA"))

    def test_remove(self):
        """
        A room that was removed is not found, and nothing is left of it.
        """
        one, two = self.add(("chess", "AAAAAA"), ("chess", "BBBBBB"))
        self.directory.remove(one)
        self.assertIsNone(self.directory.find(EVERYBODY, "chess", "AAAAAA"))
        self.assertEqual(self.directory.per_game(), {"chess": 1})
        self.directory.remove(two)
        self.assertEqual(self.directory.per_game(), {})
        self.assertEqual(len(self.directory), 0)

    def test_remove_while_iterating(self):
        """
        Rooms may be removed while somebody goes through them.
        """
        rooms = self.add(("chess", "AAAAAA"), ("chess", "BBBBBB"))
        seen = []
        for one in self.directory:
            seen.append(one)
            self.directory.remove(one)
        self.assertEqual(seen, rooms)

    def test_per_game(self):
        """
        The rooms of each game are counted; the count is the caller's to keep.
        """
        self.add(("chess", "AAAAAA"), ("go", "AAAAAA"), ("chess", "BBBBBB"))
        counts = self.directory.per_game()
        self.assertEqual(counts, {"chess": 2, "go": 1})
        counts.clear()
        self.assertEqual(self.directory.per_game(), {"chess": 2, "go": 1})

    def test_capacity_of_a_game(self):
        """
        There is no place for another room of a game that has enough.
        """
        one, _ = self.add(("chess", "AAAAAA"), ("chess", "BBBBBB"))
        refusal = self.assertRaises(Refusal, self.directory.check_capacity, EVERYBODY, "chess")
        self.assertEqual(refusal.code, ErrorCode.MAX_ROOMS_PER_GAME_EXCEEDED)
        self.assertEqual(refusal.text, "Game `chess` already has 2 rooms (limit 2)")
        self.directory.check_capacity(EVERYBODY, "go")
        self.directory.remove(one)
        self.directory.check_capacity(EVERYBODY, "chess")

    def test_capacity_of_all(self):
        """
        There is no place for another room when there are enough of all games.
        """
        self.add(("chess", "AAAAAA"), ("go", "AAAAAA"), ("chess", "BBBBBB"))
        refusal = self.assertRaises(Refusal, self.directory.check_capacity, EVERYBODY, "go")
        self.assertEqual(refusal.code, ErrorCode.MAX_ROOMS_PER_GAME_EXCEEDED)
        self.assertEqual(refusal.text, "The server already has 3 rooms (limit 3)")

    def test_owners(self):
        """
        Each owner finds its own rooms, though game and code are the same.
        """
        one, two = Owner("one"), Owner("two")
        first, second = self.add(("chess", "AAAAAA", one), ("chess", "AAAAAA", two))
        self.assertIs(self.directory.find(one, "chess", "AAAAAA"), first)
        self.assertIs(self.directory.find(two, "chess", "AAAAAA"), second)
        self.assertIsNone(self.directory.find(EVERYBODY, "chess", "AAAAAA"))
        self.directory.remove(first)
        self.assertIsNone(self.directory.find(one, "chess", "AAAAAA"))
        self.assertIs(self.directory.find(two, "chess", "AAAAAA"), second)

    def test_same_owner(self):
        """
        Owners with the same key are the same, whatever their quotas.
        """
        [one] = self.add(("chess", "AAAAAA", Owner("one")))
        self.assertIs(self.directory.find(Owner("one", 1), "chess", "AAAAAA"), one)

    def test_games_of_owners(self):
        """
        Games count for each owner, and are told together.
        """
        one, two = Owner("one"), Owner("two")
        self.add(("chess", "AAAAAA", one), ("chess", "BBBBBB", one))
        self.assertRaises(Refusal, self.directory.check_capacity, one, "chess")
        self.directory.check_capacity(two, "chess")
        self.add(("chess", "AAAAAA", two))
        self.assertEqual(self.directory.per_game(), {"chess": 3})

    def test_capacity_of_an_owner(self):
        """
        An owner has no more rooms than it may have, of all games together.
        """
        owner = Owner("one", max_rooms=2)
        one, _ = self.add(("chess", "AAAAAA", owner), ("go", "AAAAAA", owner))
        for game in ("chess", "ludo"):
            refusal = self.assertRaises(Refusal, self.directory.check_capacity, owner, game)
            self.assertEqual(refusal.code, ErrorCode.MAX_ROOMS_PER_GAME_EXCEEDED)
            self.assertEqual(refusal.text, "The application already has 2 rooms (limit 2)")
        self.directory.check_capacity(Owner("two", max_rooms=1), "chess")
        self.directory.check_capacity(EVERYBODY, "chess")
        self.directory.remove(one)
        self.directory.check_capacity(owner, "ludo")
