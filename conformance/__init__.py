"""Contract-testing and conformance harness for order-cancellation APIs."""
