"""A page's facts written as the draft files of an operation."""
