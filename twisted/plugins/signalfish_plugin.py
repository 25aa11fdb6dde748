"""
The plugin through which twistd finds signalfish; it must stay free of imports from it.
"""

from twisted.application.service import ServiceMaker

signalfish = ServiceMaker(
    "signalfish",
    "signalfish.tap",
    "A WebSocket signaling server for peer-to-peer games.",
    "signalfish",
)
