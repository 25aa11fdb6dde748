"""
Tests for signalfish.
"""

import warnings

# trial reports a warning again with its file as the module, so the pattern accepts a path too.
warnings.filterwarnings(
    "error",
    category=DeprecationWarning,
    module=r"(.*[/\\])?(signalfish|tests)([./\\]|$)",
)
