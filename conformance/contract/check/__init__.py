"""Checks the contract: files, schemas, cases, instances, and two engines each for JSON Schema and XSD."""
