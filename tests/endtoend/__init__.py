"""
Tests of everything between the bytes of one client and those of another.
"""
