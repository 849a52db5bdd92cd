"""The tables of the exporter, as they are now. How they came to be so, the migrations say."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

METADATA: Final = MetaData()
_MOMENT: Final = DateTime(timezone=True)

RECORDS: Final = Table(
    "records",
    METADATA,
    Column("partition", SmallInteger, primary_key=True),
    Column("entry", BigInteger, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("time", _MOMENT, nullable=False),
    Column("value_type", Text, nullable=False),
    Column("intent", Text, nullable=False),
    Column("key", BigInteger),
    Column("process_instance_key", BigInteger),
    Column("value", JSONB, nullable=False),
    Column("cause", Text),
    Column("hash", LargeBinary),
    Column("asked_by", Text),
    Column("operation_reference", BigInteger),
)


def _entity(name: str, *columns: "Column[object]") -> Table:
    """Something that changes: one row, as the record at (`entry`, `number`) of its partition has left it."""
    return Table(
        name,
        METADATA,
        Column("key", BigInteger, primary_key=True, autoincrement=False),
        Column("partition", SmallInteger, nullable=False),
        Column("entry", BigInteger, nullable=False),
        Column("number", Integer, nullable=False),
        *columns,
    )


PROCESS_INSTANCES: Final = _entity(
    "process_instances",
    Column("process_definition_key", BigInteger),
    Column("process_id", Text),
    Column("version", Integer),
    Column("tenant_id", Text),
    Column("business_id", Text),
    Column("parent_key", BigInteger),
    Column("state", Text),
    Column("started_at", _MOMENT),
    Column("ended_at", _MOMENT),
)
JOBS: Final = _entity(
    "jobs",
    Column("process_instance_key", BigInteger),
    Column("process_id", Text),
    Column("element_id", Text),
    Column("type", Text),
    Column("state", Text),
    Column("worker", Text),
    Column("retries", Integer),
    Column("error_message", Text),
    Column("created_at", _MOMENT),
    Column("ended_at", _MOMENT),
)
INCIDENTS: Final = _entity(
    "incidents",
    Column("process_instance_key", BigInteger),
    Column("process_id", Text),
    Column("element_id", Text),
    Column("job_key", BigInteger),
    Column("error_type", Text),
    Column("error_message", Text),
    Column("state", Text),
    Column("created_at", _MOMENT),
    Column("resolved_at", _MOMENT),
)
USER_TASKS: Final = _entity(
    "user_tasks",
    Column("process_instance_key", BigInteger),
    Column("process_id", Text),
    Column("element_id", Text),
    Column("assignee", Text),
    Column("candidate_groups", ARRAY(Text)),
    Column("candidate_users", ARRAY(Text)),
    Column("due_at", _MOMENT),
    Column("priority", Integer),
    Column("state", Text),
    Column("created_at", _MOMENT),
    Column("ended_at", _MOMENT),
)
ENTITIES: Final = (PROCESS_INSTANCES, JOBS, INCIDENTS, USER_TASKS)
