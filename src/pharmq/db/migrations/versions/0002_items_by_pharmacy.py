"""whether a job touched a pharmacy or a VM is asked for every job in a list: indexes answer it"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("job_items", schema=None) as batch_op:
        batch_op.create_index("ix_job_items_job_id_pharmacy_id", ["job_id", "pharmacy_id"], unique=False)
        batch_op.create_index("ix_job_items_vm_id_job_id", ["vm_id", "job_id"], unique=False)
        batch_op.drop_index("ix_job_items_vm_id")


def downgrade() -> None:
    raise RuntimeError("PharmQ's migrations only go forward; restore a backup instead")
