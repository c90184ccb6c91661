"""Bytes to values and back, a package for each wire format, and the WebSocket frames; nothing that was sent is lost."""
