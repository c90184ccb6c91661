"""Cases of calls that take one JSON object."""
