"""Cases of calls that take a list of instructions, or one, in JSON and XML."""
