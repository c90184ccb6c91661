"""Cases by structured choices: what is set up, what is sent in which form, and what a model foretells of it."""
