"""A vendor's page in its dialect, read into rows, samples and sentences."""
