"""Bytes to values and back for JSON, DataContract XML and WebSocket frames; nothing that was sent is lost."""
