"""
Tests of the demo page in a real browser; opt-in, since a Chromium has to be there.
"""
