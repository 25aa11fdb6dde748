"""
A server with a flaw that the benchmarks must notice: ``flawed.py FLAW --port PORT``.
"""

import sys
import time
from itertools import count

from benchmarks import naive

relay = naive.Player.on_GameData
numbers = count(1)


def lose(player, data):
    """
    Leave out every tenth message.
    """
    if next(numbers) % 10:
        relay(player, data)


def repeat(player, data):
    """
    Relay every tenth message twice.
    """
    relay(player, data)
    if not next(numbers) % 10:
        relay(player, data)


def swap(player, data):
    """
    Relay every tenth message later.
    """
    if next(numbers) % 10:
        relay(player, data)
    else:
        naive.reactor.callLater(0.1, relay, player, data)


def forge(player, data):
    """
    Change what is relayed.
    """
    relay(player, {"data": {"b": data["data"]["b"].replace("@0000000", "@zzzzzzz")}})


def delay(player, data):
    """
    Relay everything 50 ms later.
    """
    naive.reactor.callLater(0.05, relay, player, data)


def pause(player, data):
    """
    Do nothing at all for 300 ms, once.
    """
    if next(numbers) == 50:
        time.sleep(0.3)
    relay(player, data)


def close(player, data):
    """
    End the connection at the 50th message.
    """
    relay(player, data)
    if next(numbers) == 50:
        player.on_LeaveRoom({})
        player.sendClose(4321, "enough")


if __name__ == "__main__":
    naive.Player.on_GameData = globals()[sys.argv.pop(1)]
    naive.main()
