"""One archive of a run that anyone can judge again: written, checked, and judged without a network."""
