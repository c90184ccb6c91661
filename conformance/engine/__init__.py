"""Runs cases against a target: lanes, sessions, states, one case at a time and many side by side."""
