"""A third wire format, as a stranger would add it: this one package, and one registration."""
