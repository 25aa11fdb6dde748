"""
Tests of a real server, in a process of its own, over real sockets.
"""
