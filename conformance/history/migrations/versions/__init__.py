"""One module for each revision, the newest last."""
