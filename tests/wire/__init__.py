"""
Tests for :mod:`signalfish.wire`.
"""
