"""Cases of calls that take a list of instructions, in JSON and XML."""
