"""Alembic's entry: runs the scripts on the connection and in the transaction of central/store/migrate.py."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
