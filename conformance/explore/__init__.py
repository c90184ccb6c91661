"""Exploring: a seed makes cases, a model predicts their answers, and failures are shrunk and frozen as files."""
