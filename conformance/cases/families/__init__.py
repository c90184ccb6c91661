"""Families of named cases that follow from an operation's data alone: fields, codes, malformed bodies, frames, forms."""
