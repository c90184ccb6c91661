"""What Alembic calls to carry out revisions: on the connection that `store.py` hands over, within its transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], target_metadata=None)
context.run_migrations()
