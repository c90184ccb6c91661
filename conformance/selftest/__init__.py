"""Every fault of the reference is caught and no permitted difference is failed: the suspects, and who tries them."""
