"""
The books of a client of protocol 3: it knows of every hole in a stream before it sees what follows.
"""

from attrs import Factory, define

from tests.strict.lie import want

MOST_GAPS = 256
MOST_OUTSTANDING = 1024
CLASSES = {
    "reliable": ("delivered", "abandoned", "unsupported_format"),
    "latest": ("delivered", "superseded", "dropped_full", "abandoned", "unsupported_format"),
    "volatile": ("delivered", "dropped", "abandoned", "unsupported_format"),
}
LOSSES = {
    "latest_superseded": [("latest", "superseded")],
    "latest_dropped_full": [("latest", "dropped_full")],
    "volatile_dropped": [("volatile", "dropped")],
    "unsupported_format": [(name, "unsupported_format") for name in CLASSES],
}


@define
class Stream:
    """
    What has come of one membership of a sender.

    :ivar last: the newest number that was delivered, or is not owed.
    :ivar holes: numbers after that of which the client knows that they will not come.
    :ivar ranges: how many ranges announced those.
    """

    epoch: int
    last: int
    holes: dict[int, str] = Factory(dict)
    ranges: int = 0

    def advance(self, until: int) -> None:
        """
        Everything before a number is known not to come.
        """
        missing = set(range(self.last + 1, until))
        want(missing <= set(self.holes), "hole that nobody announced", missing, self)
        for number in missing:
            del self.holes[number]
        if not self.holes:
            self.ranges = 0


class Accounts:
    """
    The streams of the present room, and counts of the whole connection.

    :ivar streams: by sender.
    :ivar messages: how many messages of any kind have come, except about delivery.
    :ivar lost: why game data did not come, by player, epoch and number; of all rooms.
    """

    def __init__(self) -> None:
        self.streams: dict[str, Stream] = {}
        self.messages = 0
        self.lost: dict[tuple[str, int, int], str] = {}
        self._received = dict.fromkeys(CLASSES, 0)
        self._told = {(name, count): 0 for name, counts in CLASSES.items() for count in counts}
        self._unadvised = False
        self._interval: int | None = None
        self._stalls = 0

    def enter(self, players: list[dict]) -> None:
        """
        Begin anew with the players of a room.
        """
        self.streams = {entry["id"]: Stream(entry["epoch"], entry["seq"]) for entry in players}
        self._unadvised = False

    def join(self, entry: dict) -> None:
        """
        A sender begins a membership.
        """
        self.streams[entry["id"]] = Stream(entry["epoch"], entry["seq"])

    def depart(self, player: str, epoch: int, final: int) -> None:
        """
        A sender's membership is over, and nothing of it is outstanding.
        """
        stream = self.streams.pop(player)
        want(epoch == stream.epoch, "left in another epoch", player, epoch, stream)
        want(final >= stream.last, "left before its last message", player, final, stream)
        stream.advance(final + 1)
        want(not stream.holes, "lost what was never sent", player, final, stream)

    def receive(self, player: str, epoch: int, seq: int, kind: str | None) -> None:
        """
        Some game data has come.
        """
        stream = self.streams[player]
        want(epoch == stream.epoch, "data of another epoch", player, epoch, seq, stream)
        want(seq > stream.last, "number again", player, seq, stream)
        stream.advance(seq)
        want(seq not in stream.holes, "lost and delivered", player, seq, stream)
        stream.last = seq
        self._received[kind or "reliable"] += 1

    def report(self, data: dict) -> None:
        """
        Something will not come.
        """
        gaps = data.get("gaps", [])
        want(len(gaps) <= MOST_GAPS, "too many gaps", len(gaps))
        want(gaps or "gaps" not in data, "empty list of gaps", data)
        lengths = dict.fromkeys(LOSSES, 0)
        for gap in gaps:
            lengths[gap["reason"]] += gap["to_seq"] - gap["from_seq"] + 1
            self._open(gap)
        outstanding = sum(stream.ranges for stream in self.streams.values())
        want(outstanding <= MOST_OUTSTANDING, "too many ranges at once", outstanding)
        self._count(data["per_class"], lengths)
        self._unadvised |= lengths["unsupported_format"] > 0

    def advise(self) -> None:
        """
        An error says why something cannot be delivered; at most one for each report.
        """
        want(self._unadvised, "advice without a report before it")
        self._unadvised = False

    def check_statistics(self, data: dict) -> None:
        """
        Totals have come.
        """
        want(data["interval_ms"] > 0, "interval", data)
        want(self._interval in (None, data["interval_ms"]), "another interval", data)
        want(data["sent_to_you"] == self.messages, "messages", self.messages, data)
        want(data["dropped_for_you"] == len(self.lost), "losses", len(self.lost), data)
        want(data["backpressure_events"] >= self._stalls, "stalls", self._stalls, data)
        self._interval, self._stalls = data["interval_ms"], data["backpressure_events"]

    def _open(self, gap: dict) -> None:
        player, first, last = gap["from_player"], gap["from_seq"], gap["to_seq"]
        want(player in self.streams, "gap of a stranger", gap)
        stream = self.streams[player]
        want(gap["epoch"] == stream.epoch, "gap of another epoch", gap, stream)
        want(stream.last < first <= last, "range", gap, stream)
        numbers = range(first, last + 1)
        want(not stream.holes.keys() & set(numbers), "gap again", gap, stream)
        stream.ranges += 1
        for number in numbers:
            stream.holes[number] = gap["reason"]
            self.lost[player, gap["epoch"], number] = gap["reason"]

    def _count(self, told: dict, lengths: dict[str, int]) -> None:
        now = {(name, count): told[name][count] for name, count in self._told}
        for reason, counters in LOSSES.items():
            more = sum(now[counter] - self._told[counter] for counter in counters)
            want(more == lengths[reason], "counts and gaps differ", reason, self._told, now)
        for name, received in self._received.items():
            want(now[name, "delivered"] == received, "delivered", name, received, now)
            want(now[name, "abandoned"] == 0, "abandoned while open", name, now)
        want(all(now[key] >= self._told[key] for key in now), "counts fall", self._told, now)
        self._told = now
