"""Which combinations of the levels of an operation's factors its cases cover, and the cases that cover the rest."""
