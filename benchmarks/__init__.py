"""
Benchmarks of Signal Fish servers: ``python -m benchmarks --help``.

Not part of the package that is installed: they run from a checkout.
"""
