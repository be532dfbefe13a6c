"""from unmet needs to a new resource"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = ()
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gap_count",
        sa.Column(
            "measure",
            sa.Enum(
                "asked", "unmet", "closed", "helped", name="measure", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("quarter", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "measure", "quarter", "area", "category", "reason", name=op.f("pk_gap_count")
        ),
    )
    op.create_table(
        "gap_marking",
        sa.Column("quarter", sa.String(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("quarter", name=op.f("pk_gap_marking")),
    )
    op.create_table(
        "gap_release",
        sa.Column("quarter", sa.String(), nullable=False),
        sa.Column(
            "audience",
            sa.Enum("planners", "public", name="audience", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("certificate", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gap_release")),
        sa.UniqueConstraint("quarter", "audience", name=op.f("uq_gap_release_quarter")),
    )
    op.create_table(
        "access_run",
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("directory_version", sa.Integer(), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=True),
        sa.Column("radius_km", sa.Double(), nullable=False),
        sa.Column("areas", sa.JSON(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"], ["gap_release.id"], name=op.f("fk_access_run_release_id_gap_release")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_run")),
    )
    with op.batch_alter_table("access_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_run_made_at"), ["made_at"], unique=False)

    op.create_table(
        "area_boundary",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("shape", sa.LargeBinary(), nullable=False),
        sa.Column("west", sa.Double(), nullable=False),
        sa.Column("south", sa.Double(), nullable=False),
        sa.Column("east", sa.Double(), nullable=False),
        sa.Column("north", sa.Double(), nullable=False),
        sa.Column("area_km2", sa.Double(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["code"], ["place.code"], name=op.f("fk_area_boundary_code_place")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_area_boundary")),
    )
    op.create_table(
        "gap_figure",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column(
            "measure",
            sa.Enum(
                "asked", "unmet", "closed", "helped", name="measure", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("shown", sa.String(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["release_id"], ["gap_release.id"], name=op.f("fk_gap_figure_release_id_gap_release")
        ),
        sa.PrimaryKeyConstraint(
            "release_id",
            "measure",
            "category",
            "area",
            "reason",
            "period",
            name=op.f("pk_gap_figure"),
        ),
    )
    op.create_table(
        "access_result",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("supply", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("arrays", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["access_run.id"], name=op.f("fk_access_result_run_id_access_run")
        ),
        sa.PrimaryKeyConstraint("run_id", "category", "system", name=op.f("pk_access_result")),
    )
    op.create_table(
        "asker_group",
        sa.Column("quarter", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asker_group")),
    )
    with op.batch_alter_table("asker_group", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_asker_group_category"), ["category"], unique=False)
        batch_op.create_index(batch_op.f("ix_asker_group_quarter"), ["quarter"], unique=False)

    op.create_table(
        "access_work",
        sa.Column("made_by_id", sa.Uuid(), nullable=True),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("of", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "working",
                "done",
                "failed",
                name="workstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("heard_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("failure", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["user.id"], name=op.f("fk_access_work_made_by_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_work")),
    )
    with op.batch_alter_table("access_work", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_work_state"), ["state"], unique=False)

    op.create_table(
        "siting_case",
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=False),
        sa.Column("question", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("directory_version", sa.Integer(), nullable=False),
        sa.Column("release_quarter", sa.String(), nullable=True),
        sa.Column("answer", sa.JSON(none_as_null=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "working",
                "done",
                "failed",
                name="workstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("heard_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("failure", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["user.id"], name=op.f("fk_siting_case_made_by_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_siting_case")),
    )
    with op.batch_alter_table("siting_case", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_siting_case_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_siting_case_area_code"), ["area_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_siting_case_category"), ["category"], unique=False)

    op.create_table(
        "budget_line",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("yearly", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_budget_line_proposal_id_proposal")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_line")),
    )
    with op.batch_alter_table("budget_line", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_budget_line_proposal_id"), ["proposal_id"], unique=False
        )

    op.create_table(
        "proposal_comment",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["user.id"], name=op.f("fk_proposal_comment_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_proposal_comment_proposal_id_proposal")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal_comment")),
    )
    with op.batch_alter_table("proposal_comment", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_proposal_comment_proposal_id"), ["proposal_id"], unique=False
        )

    op.create_table(
        "proposal_partner",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=True),
        sa.Column(
            "answered",
            sa.Enum("to_ask", "asked", "yes", "no", name="answered", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_proposal_partner_proposal_id_proposal")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal_partner")),
    )
    with op.batch_alter_table("proposal_partner", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_proposal_partner_proposal_id"), ["proposal_id"], unique=False
        )

    op.create_table(
        "proposal_task",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("done_at", sa.DateTime(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_proposal_task_proposal_id_proposal")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal_task")),
    )
    with op.batch_alter_table("proposal_task", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_proposal_task_proposal_id"), ["proposal_id"], unique=False
        )

    op.create_table(
        "own_help",
        sa.Column("own_resource_id", sa.Uuid(), nullable=False),
        sa.Column("need_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("helped_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(), nullable=False),
        sa.Column("counted_in", sa.String(), nullable=True),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["need_id"], ["need.id"], name=op.f("fk_own_help_need_id_need")),
        sa.ForeignKeyConstraint(
            ["own_resource_id"],
            ["own_resource.id"],
            name=op.f("fk_own_help_own_resource_id_own_resource"),
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user.id"], name=op.f("fk_own_help_recorded_by_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_help")),
    )
    with op.batch_alter_table("own_help", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_own_help_category"), ["category"], unique=False)
        batch_op.create_index(batch_op.f("ix_own_help_need_id"), ["need_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_own_help_own_resource_id"), ["own_resource_id"], unique=False
        )

    with op.batch_alter_table("new_service_notice", schema=None) as batch_op:
        batch_op.add_column(sa.Column("done_as", sa.String(), nullable=True))

    with op.batch_alter_table("own_resource", schema=None) as batch_op:
        batch_op.add_column(sa.Column("agreed_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("agreed_method", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("agreed_text", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("capacity", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("byday", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("listing_change_id", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_own_resource_listing_change_id_listing_change"),
            "listing_change",
            ["listing_change_id"],
            ["id"],
        )

    with op.batch_alter_table("listing_change", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "system_type",
                sa.Enum(
                    "informal",
                    "formal",
                    "societal",
                    name="systemtype",
                    native_enum=False,
                    length=40,
                ),
                nullable=True,
            )
        )

    with op.batch_alter_table("organization", schema=None) as batch_op:
        batch_op.add_column(sa.Column("made_public_on", sa.Date(), nullable=True))

    with op.batch_alter_table("proposal", schema=None) as batch_op:
        batch_op.add_column(sa.Column("owner_id", sa.Uuid(), nullable=True))
        batch_op.add_column(
            sa.Column("evidence", sa.JSON(none_as_null=True), nullable=False, server_default="{}")
        )
        batch_op.add_column(sa.Column("siting_case_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("people_covered", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_proposal_owner_id_user"), "user", ["owner_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_proposal_siting_case_id_siting_case"),
            "siting_case",
            ["siting_case_id"],
            ["id"],
        )

    with op.batch_alter_table("unmet_need", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "origin",
                sa.Enum(
                    "no_match",
                    "all_failed",
                    "client_no",
                    "declined",
                    "no_response",
                    "long_hold",
                    "not_helped",
                    "withdrawn",
                    "broker",
                    name="origin",
                    native_enum=False,
                    length=40,
                ),
                nullable=False,
                server_default="broker",
            )
        )
        batch_op.add_column(sa.Column("counted_in", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("closing_counted_in", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("reopened_at", sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column("callback_asked_at", sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column("weighed_version", sa.Integer(), nullable=True))

    with op.batch_alter_table("need", schema=None) as batch_op:
        batch_op.add_column(sa.Column("counted_in", sa.String(), nullable=True))

    with op.batch_alter_table("client", schema=None) as batch_op:
        batch_op.add_column(sa.Column("area_code", sa.String(), nullable=True))

    # What stood before needed a value once; new rows bring their own.
    with op.batch_alter_table("proposal", schema=None) as batch_op:
        batch_op.alter_column("evidence", server_default=None)
    with op.batch_alter_table("unmet_need", schema=None) as batch_op:
        batch_op.alter_column("origin", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("client", schema=None) as batch_op:
        batch_op.drop_column("area_code")

    with op.batch_alter_table("need", schema=None) as batch_op:
        batch_op.drop_column("counted_in")

    with op.batch_alter_table("unmet_need", schema=None) as batch_op:
        batch_op.drop_column("weighed_version")
        batch_op.drop_column("callback_asked_at")
        batch_op.drop_column("closing_counted_in")
        batch_op.drop_column("counted_in")
        batch_op.drop_column("reopened_at")
        batch_op.drop_column("origin")

    with op.batch_alter_table("proposal", schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f("fk_proposal_siting_case_id_siting_case"), type_="foreignkey"
        )
        batch_op.drop_constraint(batch_op.f("fk_proposal_owner_id_user"), type_="foreignkey")
        batch_op.drop_column("people_covered")
        batch_op.drop_column("siting_case_id")
        batch_op.drop_column("evidence")
        batch_op.drop_column("owner_id")

    with op.batch_alter_table("organization", schema=None) as batch_op:
        batch_op.drop_column("made_public_on")

    with op.batch_alter_table("listing_change", schema=None) as batch_op:
        batch_op.drop_column("system_type")

    with op.batch_alter_table("own_resource", schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f("fk_own_resource_listing_change_id_listing_change"), type_="foreignkey"
        )
        batch_op.drop_column("listing_change_id")
        batch_op.drop_column("byday")
        batch_op.drop_column("capacity")
        batch_op.drop_column("agreed_text")
        batch_op.drop_column("agreed_method")
        batch_op.drop_column("agreed_on")

    with op.batch_alter_table("new_service_notice", schema=None) as batch_op:
        batch_op.drop_column("done_as")

    with op.batch_alter_table("own_help", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_own_help_own_resource_id"))
        batch_op.drop_index(batch_op.f("ix_own_help_need_id"))
        batch_op.drop_index(batch_op.f("ix_own_help_category"))

    op.drop_table("own_help")
    with op.batch_alter_table("proposal_task", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_proposal_task_proposal_id"))

    op.drop_table("proposal_task")
    with op.batch_alter_table("proposal_partner", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_proposal_partner_proposal_id"))

    op.drop_table("proposal_partner")
    with op.batch_alter_table("proposal_comment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_proposal_comment_proposal_id"))

    op.drop_table("proposal_comment")
    with op.batch_alter_table("budget_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_budget_line_proposal_id"))

    op.drop_table("budget_line")
    with op.batch_alter_table("siting_case", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_siting_case_category"))
        batch_op.drop_index(batch_op.f("ix_siting_case_area_code"))
        batch_op.drop_index(batch_op.f("ix_siting_case_state"))

    op.drop_table("siting_case")
    with op.batch_alter_table("access_work", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_access_work_state"))

    op.drop_table("access_work")
    with op.batch_alter_table("asker_group", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_asker_group_quarter"))
        batch_op.drop_index(batch_op.f("ix_asker_group_category"))

    op.drop_table("asker_group")
    op.drop_table("access_result")
    op.drop_table("gap_figure")
    op.drop_table("area_boundary")
    with op.batch_alter_table("access_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_access_run_made_at"))

    op.drop_table("access_run")
    op.drop_table("gap_release")
    op.drop_table("gap_marking")
    op.drop_table("gap_count")
