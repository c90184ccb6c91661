"""JSON: bytes to values with every oddity noted, values to bytes in every style."""
