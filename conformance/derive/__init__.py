"""From a vendor's page to a draft operation, and from a later page to what has changed since."""
