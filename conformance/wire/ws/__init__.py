"""WebSocket: connections, frames, and the session that matches replies to requests."""
