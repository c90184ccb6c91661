"""Judges exchanges that somebody else has recorded: the request as a client's, the answer as a server's."""
