"""The command line: thin fronts over the engine."""
