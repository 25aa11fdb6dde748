"""
Tests of a real server with the official Rust client; opt-in, since the client has to be built.
"""
