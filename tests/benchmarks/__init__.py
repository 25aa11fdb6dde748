"""
Tests for the benchmarks.
"""
