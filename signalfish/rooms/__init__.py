"""
The game: rooms, seats, lobby rules and returns, without sockets, clocks or frameworks.
"""
