"""From results to a journal, results.json, JUnit XML and tables."""
