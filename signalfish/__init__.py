"""
A WebSocket signaling server for peer-to-peer games, built on Twisted.
"""

__version__ = "0.1.0.dev0"
