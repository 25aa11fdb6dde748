"""
The language: messages, names, error codes and their bytes.
"""
