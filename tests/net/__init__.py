"""
Tests for signalfish.net.
"""
