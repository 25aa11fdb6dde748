"""
The sockets: WebSocket connections, their queues and limits, and the web resources.
"""
