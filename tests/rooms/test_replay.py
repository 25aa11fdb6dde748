"""
Tests for signalfish.rooms.replay.
"""

from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from signalfish.rooms import replay as replay_module
from signalfish.rooms.replay import ROOM_BYTES, Replay, ReplayMemory
from signalfish.wire.gamedata import Origin, TextData
from signalfish.wire.server import GameStarting, PlayerLeft, RoomLeft

ORIGIN = Origin(str(UUID(int=1)), 1)


def data(number: int) -> TextData:
    """
    Game data that can be told apart.
    """
    return TextData(ORIGIN, number, b"%d" % number)


def left(number: int) -> PlayerLeft:
    """
    A control event that can be told apart.
    """
    return PlayerLeft(player_id=str(number), epoch=1, final_seq=0)


class ReplayTestCase(SynchronousTestCase):
    """
    Replays of several rooms with one memory.
    """

    def setUp(self):
        """
        Only payloads count, which makes sizes easier to read.
        """
        self.patch(replay_module, "OVERHEAD", 0)

    def replay(self, capacity=100, limit=1 << 28):
        """
        The replay of a room, and its memory.
        """
        self.memory = ReplayMemory(limit)
        return Replay(capacity, self.memory)

    def fill(self, replay, numbers, size=1):
        """
        Record game data of a size.
        """
        for number in numbers:
            replay.record_data(data(number), size)

    def kept(self, replay, first=0):
        """
        Which game data is kept.
        """
        return [item.seq for item in replay.data(first)]


class ReplayTests(ReplayTestCase):
    def test_order(self):
        """
        Game data is kept in the order of recording, until the room has nobody to keep it for.
        """
        replay = self.replay()
        self.fill(replay, range(5))
        self.assertEqual(self.kept(replay), [0, 1, 2, 3, 4])
        replay.clear()
        self.assertEqual(self.kept(replay), [])
        self.assertEqual(self.memory.used, 0)

    def test_from_a_number_on(self):
        """
        Who was lost later gets only what came later, of both kinds.
        """
        replay = self.replay()
        replay.record(left(1))
        self.fill(replay, [1])
        first = replay.next_number
        self.fill(replay, [2])
        replay.record(left(2))
        self.assertEqual(self.kept(replay, first), [2])
        self.assertEqual(list(replay.events(first)), [left(2)])
        self.assertEqual(list(replay.events(0)), [left(1), left(2)])

    def test_other_messages(self):
        """
        Only events that a returning player must know of are kept.
        """
        replay = self.replay()
        replay.record(RoomLeft())
        replay.record(GameStarting(peer_connections=()))
        self.assertEqual(list(replay.events(0)), [])

    def test_capacity(self):
        """
        The oldest events, and the oldest game data, go first; neither pushes out the other.
        """
        replay = self.replay(capacity=3)
        for number in range(5):
            replay.record(left(number))
            self.fill(replay, [number])
        self.assertEqual(self.kept(replay), [2, 3, 4])
        self.assertEqual(list(replay.events(0)), [left(2), left(3), left(4)])
        self.assertEqual(self.memory.used, 3)

    def test_no_capacity(self):
        """
        A capacity of zero keeps nothing.
        """
        replay = self.replay(capacity=0)
        replay.record(left(1))
        self.fill(replay, [1], size=0)
        self.assertEqual((self.kept(replay), list(replay.events(0))), ([], []))
        self.assertEqual(self.memory.used, 0)

    def test_room_bytes(self):
        """
        A room keeps one mebibyte of game data, and drops as much of the oldest as it must.
        """
        self.assertEqual(ROOM_BYTES, 1_048_576)
        replay = self.replay()
        self.fill(replay, range(4), ROOM_BYTES // 4)
        self.assertEqual(self.kept(replay), [0, 1, 2, 3])
        self.fill(replay, [4], 1)
        self.assertEqual(self.kept(replay), [1, 2, 3, 4])
        self.fill(replay, [5], ROOM_BYTES // 2)
        self.assertEqual(self.kept(replay), [3, 4, 5])
        self.fill(replay, [6], ROOM_BYTES)
        self.assertEqual(self.kept(replay), [6])
        self.assertEqual(self.memory.used, ROOM_BYTES)

    def test_too_large(self):
        """
        Game data that is larger than a room may keep is not kept.
        """
        replay = self.replay()
        self.fill(replay, [1], ROOM_BYTES + 1)
        self.assertEqual(self.kept(replay), [])
        self.assertEqual(self.memory.used, 0)

    def test_clear_keeps_counting(self):
        """
        Numbers are never used twice.
        """
        replay = self.replay()
        self.fill(replay, [1, 2])
        replay.record(left(1))
        replay.clear()
        self.assertEqual(replay.next_number, 3)
        self.assertEqual(list(replay.events(0)), [])


class ReplayMemoryTests(ReplayTestCase):
    def test_oldest_of_any_room(self):
        """
        Over the limit of all rooms, the oldest game data goes, whichever room has it.
        """
        memory = ReplayMemory(100)
        one, two, three = (Replay(100, memory) for _ in range(3))
        self.fill(one, [1], 40)
        self.fill(two, [1], 30)
        self.fill(one, [2], 30)
        self.fill(three, [1], 10)
        self.assertEqual((self.kept(one), self.kept(two), self.kept(three)), ([2], [1], [1]))
        self.fill(three, [2], 60)
        self.assertEqual((self.kept(one), self.kept(two), self.kept(three)), ([2], [], [1, 2]))
        self.assertEqual(memory.used, 100)

    def test_clear_one_room(self):
        """
        What one room forgets makes place for others.
        """
        memory = ReplayMemory(100)
        one, two = (Replay(100, memory) for _ in range(2))
        self.fill(one, range(5), 10)
        self.fill(two, range(5), 10)
        one.clear()
        self.assertEqual(memory.used, 50)
        self.fill(two, [5], 50)
        self.assertEqual(self.kept(two), [0, 1, 2, 3, 4, 5])

    def test_larger_than_the_limit(self):
        """
        Game data over the limit is not kept, and what was older is dropped before it.
        """
        memory = ReplayMemory(100)
        replay = Replay(100, memory)
        self.fill(replay, [1], 50)
        self.fill(replay, [2], 101)
        self.assertEqual(self.kept(replay), [])
        self.assertEqual(memory.used, 0)

    def test_no_memory(self):
        """
        Without any memory nothing is kept.
        """
        replay = self.replay(limit=0)
        self.fill(replay, [1])
        self.assertEqual(self.kept(replay), [])

    def test_no_memory_and_empty_data(self):
        """
        Without any memory nothing is kept, not even game data of no bytes.
        """
        replay = self.replay(limit=0)
        self.fill(replay, [1], size=0)
        self.assertEqual(self.kept(replay), [])


class CoverageTests(ReplayTestCase):
    """
    Whether what is kept is everything.
    """

    def test_complete(self):
        """
        Nothing is missing as long as there is place.
        """
        replay = self.replay(3)
        self.assertEqual("complete", replay.coverage(replay.next_number))
        first = replay.next_number
        for number in range(3):
            replay.record(left(number))
            self.assertEqual("complete", replay.coverage(first))

    def test_truncated(self):
        """
        Something is missing for those who missed what there was no place for.
        """
        replay = self.replay(3)
        first = replay.next_number
        for number in range(5):
            replay.record(left(number))
        kept = ["truncated", "truncated", "complete", "complete", "complete", "complete"]
        self.assertEqual(kept, [replay.coverage(first + number) for number in range(6)])
        for number in range(6):
            events = len(list(replay.events(first + number)))
            self.assertEqual(min(3, 5 - number), events)

    def test_unavailable(self):
        """
        Where nothing is kept, nothing is said to be complete.
        """
        replay = self.replay(0)
        self.assertEqual("unavailable", replay.coverage(replay.next_number))
        replay.record(left(1))
        self.assertEqual("unavailable", replay.coverage(0))

    def test_cleared(self):
        """
        What was kept for others, and dropped with them, is not missed.
        """
        replay = self.replay(2)
        for number in range(5):
            replay.record(left(number))
        replay.clear()
        self.assertEqual("complete", replay.coverage(replay.next_number))

    def test_other_messages(self):
        """
        Messages that are never replayed push nothing out.
        """
        replay = self.replay(1)
        first = replay.next_number
        replay.record(left(1))
        replay.record(RoomLeft())
        replay.record(GameStarting(peer_connections=()))
        self.assertEqual("complete", replay.coverage(first))
