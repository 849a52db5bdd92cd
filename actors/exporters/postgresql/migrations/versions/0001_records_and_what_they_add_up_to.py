"""Records, and the rows that they add up to."""

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT: Final = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "records",
        sa.Column("partition", sa.SmallInteger, primary_key=True),
        sa.Column("entry", sa.BigInteger, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("time", _MOMENT, nullable=False),
        sa.Column("value_type", sa.Text, nullable=False),
        sa.Column("intent", sa.Text, nullable=False),
        sa.Column("key", sa.BigInteger),
        sa.Column("process_instance_key", sa.BigInteger),
        sa.Column("value", postgresql.JSONB, nullable=False),
        sa.Column("cause", sa.Text),
        sa.Column("hash", sa.LargeBinary),
    )
    op.create_index("records_of_instance", "records", ["process_instance_key"])
    op.create_index("records_by_time", "records", ["time"])
    _entity(
        "process_instances",
        sa.Column("process_definition_key", sa.BigInteger),
        sa.Column("process_id", sa.Text),
        sa.Column("version", sa.Integer),
        sa.Column("tenant_id", sa.Text),
        sa.Column("business_id", sa.Text),
        sa.Column("parent_key", sa.BigInteger),
        sa.Column("state", sa.Text),
        sa.Column("started_at", _MOMENT),
        sa.Column("ended_at", _MOMENT),
    )
    op.create_index("process_instances_by_process", "process_instances", ["process_id", "state"])
    _entity(
        "jobs",
        sa.Column("process_instance_key", sa.BigInteger),
        sa.Column("process_id", sa.Text),
        sa.Column("element_id", sa.Text),
        sa.Column("type", sa.Text),
        sa.Column("state", sa.Text),
        sa.Column("worker", sa.Text),
        sa.Column("retries", sa.Integer),
        sa.Column("error_message", sa.Text),
        sa.Column("created_at", _MOMENT),
        sa.Column("ended_at", _MOMENT),
    )
    _entity(
        "incidents",
        sa.Column("process_instance_key", sa.BigInteger),
        sa.Column("process_id", sa.Text),
        sa.Column("element_id", sa.Text),
        sa.Column("job_key", sa.BigInteger),
        sa.Column("error_type", sa.Text),
        sa.Column("error_message", sa.Text),
        sa.Column("state", sa.Text),
        sa.Column("created_at", _MOMENT),
        sa.Column("resolved_at", _MOMENT),
    )
    _entity(
        "user_tasks",
        sa.Column("process_instance_key", sa.BigInteger),
        sa.Column("process_id", sa.Text),
        sa.Column("element_id", sa.Text),
        sa.Column("assignee", sa.Text),
        sa.Column("candidate_groups", postgresql.ARRAY(sa.Text)),
        sa.Column("candidate_users", postgresql.ARRAY(sa.Text)),
        sa.Column("due_at", _MOMENT),
        sa.Column("priority", sa.Integer),
        sa.Column("state", sa.Text),
        sa.Column("created_at", _MOMENT),
        sa.Column("ended_at", _MOMENT),
    )
    for table in ("jobs", "incidents", "user_tasks"):
        op.create_index(f"{table}_of_instance", table, ["process_instance_key"])


def downgrade() -> None:
    for table in ("user_tasks", "incidents", "jobs", "process_instances", "records"):
        op.drop_table(table)


def _entity(name: str, *columns: "sa.Column[object]") -> None:
    op.create_table(
        name,
        sa.Column("key", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("entry", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        *columns,
    )
