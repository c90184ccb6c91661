"""Judges a client: it is asked to cancel, the mock answers in every permitted way, and it says what it believes came of it."""
