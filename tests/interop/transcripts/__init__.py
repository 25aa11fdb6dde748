"""
The same scripts played against this server and against the public one, and what differs.
"""
