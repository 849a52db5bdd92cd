"""Who has asked for what a record tells, and what they called their request."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("records", sa.Column("asked_by", sa.Text))
    op.add_column("records", sa.Column("operation_reference", sa.BigInteger))


def downgrade() -> None:
    op.drop_column("records", "operation_reference")
    op.drop_column("records", "asked_by")
