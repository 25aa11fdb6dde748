"""
Print what differs between the two servers, and why.
"""

from tests.interop.transcripts.performance import report

print(report())  # noqa: T201 - that is what it is for
