"""Legal background traffic for an endpoint that is judged meanwhile: Locust says how much, one session per process sends it."""
