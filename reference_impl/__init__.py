"""A faithful server of the three order-cancellation calls, with a world, faults and equivalents."""
