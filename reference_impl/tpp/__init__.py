"""POST api/orders/cancellations: reading, negotiation, the instructions themselves and writing."""
