"""Exploring: cases made up live from a seed, foretold by a model, and what breaks shrunk and frozen as a file."""
