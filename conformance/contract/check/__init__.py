"""The contract held against itself: files, schemas, cases, instances, and two engines each for JSON Schema and XSD."""
