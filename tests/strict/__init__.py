"""
Clients that believe nothing: they check all they are told against their own picture of the room.

They know the protocol and nothing of the server: nothing here imports it.
"""
