"""The corpus: request values generated once for a contract, and the wire forms that each of them is sent in."""
