"""Alembic's entry: runs the migrations over the connection that ``pharmq.db.migrate`` hands over."""

from alembic import context

from pharmq.db.metadata import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    user_module_prefix="pharmq.db.",
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
