"""The runs of every endpoint, kept and compared: a store, questions to it, and a web page; needs the extra `history`."""
