"""a matcher that knows the roads"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = ()
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fairness_release",
        sa.Column("office_id", sa.Uuid(), nullable=True),
        sa.Column("quarter", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id"], ["office.id"], name=op.f("fk_fairness_release_office_id_office")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fairness_release")),
        sa.UniqueConstraint("office_id", "quarter", name=op.f("uq_fairness_release_office_id")),
    )
    with op.batch_alter_table("fairness_release", schema=None) as batch_op:
        batch_op.create_index(
            "ix_fairness_release_shared_quarter",
            ["quarter"],
            unique=True,
            sqlite_where=sa.text("office_id IS NULL"),
            postgresql_where=sa.text("office_id IS NULL"),
        )

    op.create_table(
        "api_token",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("begins", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=True),
        sa.Column("organization_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_api_token_created_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["office_id"], ["office.id"], name=op.f("fk_api_token_office_id_office")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_api_token_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_token_digest")),
    )
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_token_office_id"), ["office_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_api_token_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "known_route",
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("from_code", sa.String(), nullable=False),
        sa.Column("to_code", sa.String(), nullable=False),
        sa.Column("km", sa.Double(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_known_route_by_id_user")),
        sa.ForeignKeyConstraint(
            ["office_id"], ["office.id"], name=op.f("fk_known_route_office_id_office")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_route")),
    )
    with op.batch_alter_table("known_route", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_known_route_office_id"), ["office_id"], unique=False)

    op.create_table(
        "visit_plan",
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_visit_plan_by_id_user")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_visit_plan_case_id_case")),
        sa.ForeignKeyConstraint(
            ["key_id"], ["data_key.id"], name=op.f("fk_visit_plan_key_id_data_key")
        ),
        sa.ForeignKeyConstraint(
            ["office_id"], ["office.id"], name=op.f("fk_visit_plan_office_id_office")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_plan")),
    )
    with op.batch_alter_table("visit_plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_visit_plan_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_plan_key_id"), ["key_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_plan_office_id"), ["office_id"], unique=False)

    with op.batch_alter_table("penalty_table", schema=None) as batch_op:
        batch_op.add_column(sa.Column("by_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("reason", sa.String(), nullable=True))
        batch_op.create_index(
            "ix_penalty_table_shared_number",
            ["number"],
            unique=True,
            sqlite_where=sa.text("office_id IS NULL"),
            postgresql_where=sa.text("office_id IS NULL"),
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_penalty_table_by_id_user"), "user", ["by_id"], ["id"]
        )


def downgrade() -> None:
    with op.batch_alter_table("penalty_table", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_penalty_table_by_id_user"), type_="foreignkey")
        batch_op.drop_index(
            "ix_penalty_table_shared_number",
            sqlite_where=sa.text("office_id IS NULL"),
            postgresql_where=sa.text("office_id IS NULL"),
        )
        batch_op.drop_column("reason")
        batch_op.drop_column("by_id")

    with op.batch_alter_table("visit_plan", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_visit_plan_office_id"))
        batch_op.drop_index(batch_op.f("ix_visit_plan_key_id"))
        batch_op.drop_index(batch_op.f("ix_visit_plan_case_id"))

    op.drop_table("visit_plan")
    with op.batch_alter_table("known_route", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_known_route_office_id"))

    op.drop_table("known_route")
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_token_organization_id"))
        batch_op.drop_index(batch_op.f("ix_api_token_office_id"))

    op.drop_table("api_token")

    with op.batch_alter_table("fairness_release", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_fairness_release_shared_quarter",
            sqlite_where=sa.text("office_id IS NULL"),
            postgresql_where=sa.text("office_id IS NULL"),
        )

    op.drop_table("fairness_release")
