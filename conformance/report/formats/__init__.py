"""The reports that are made of a summary: text, JUnit, Markdown, HTML."""
