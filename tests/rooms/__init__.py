"""
Tests for signalfish.rooms.
"""
