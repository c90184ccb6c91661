"""The scope guard: what any reader could take a message for, and whether that may be touched."""
