"""What Alembic runs: the migrations on the connection that it is given."""

from alembic import context

from bpmnd.actors.exporters.postgresql.tables import METADATA

connection = context.config.attributes["connection"]
schema = context.config.attributes["schema"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    version_table="alembic_version",
    version_table_schema=schema,
)
with context.begin_transaction():
    context.run_migrations()
