"""The revisions of the store's tables, in the form of Alembic."""
