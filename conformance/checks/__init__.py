"""Pure functions from an observation to findings."""
