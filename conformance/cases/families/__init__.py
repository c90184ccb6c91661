"""Families of named cases, made from an operation's data: fields, codes, malformed bodies, frames, forms."""
