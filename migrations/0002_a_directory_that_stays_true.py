"""a directory that stays true"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = ()
depends_on = None

_NOW_REQUIRED = (
    ("listing_report", "reported_by_role", sa.String()),
    ("listing_report", "is_quarantine", sa.Boolean()),
    ("organization", "trusted", sa.Boolean()),
    ("schedule", "is_closure", sa.Boolean()),
)
#: by which little is told from much: what must not be shown is rare
_RARE = (("organization", "system_type"), ("location", "confidential"))
_LISTED = ("organization", "service", "service_at_location", "taxonomy", "taxonomy_term")


def upgrade() -> None:
    op.create_table(
        "meta_table_description",
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("character_set", sa.String(), nullable=True),
        sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meta_table_description")),
    )
    op.create_table(
        "outgoing_mail",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("to", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("html", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("given_up_at", sa.DateTime(), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_mail")),
        sa.UniqueConstraint("key", name=op.f("uq_outgoing_mail_key")),
    )
    with op.batch_alter_table("outgoing_mail", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_outgoing_mail_next_try_at"), ["next_try_at"], unique=False
        )

    op.create_table(
        "search_miss",
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_miss")),
        sa.UniqueConstraint("words", "month", name=op.f("uq_search_miss_words")),
    )
    op.create_table(
        "organization_identifier",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("identifier_scheme", sa.String(), nullable=True),
        sa.Column("identifier_type", sa.String(), nullable=False),
        sa.Column("identifier", sa.String(), nullable=False),
        sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_organization_identifier_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization_identifier")),
    )
    with op.batch_alter_table("organization_identifier", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_organization_identifier_organization_id"),
            ["organization_id"],
            unique=False,
        )

    op.create_table(
        "program",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("alternate_name", sa.String(), nullable=True),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_program_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_program")),
    )
    with op.batch_alter_table("program", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_program_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "claim",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column(
            "proof",
            sa.Enum("mail", "phone", "curator", name="proof", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "proven",
                "approved",
                "refused",
                name="claimstatus",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("code_expires_at", sa.DateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("proven_at", sa.DateTime(), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("decision_note", sa.String(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user.id"], name=op.f("fk_claim_decided_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_claim_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_claim_service_id_service")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_claim_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
    )
    with op.batch_alter_table("claim", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_claim_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_claim_service_id"), ["service_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_claim_status"), ["status"], unique=False)

    op.create_table(
        "duplicate_pair",
        sa.Column("first_id", sa.Uuid(), nullable=False),
        sa.Column("second_id", sa.Uuid(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("open", "merged", "different", name="pairstatus", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("found_at", sa.DateTime(), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_duplicate_pair_in_order")),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user.id"], name=op.f("fk_duplicate_pair_decided_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["first_id"], ["service.id"], name=op.f("fk_duplicate_pair_first_id_service")
        ),
        sa.ForeignKeyConstraint(
            ["second_id"], ["service.id"], name=op.f("fk_duplicate_pair_second_id_service")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_pair")),
        sa.UniqueConstraint("first_id", "second_id", name=op.f("uq_duplicate_pair_first_id")),
    )
    with op.batch_alter_table("duplicate_pair", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_duplicate_pair_score"), ["score"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_duplicate_pair_second_id"), ["second_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_duplicate_pair_status"), ["status"], unique=False)

    op.create_table(
        "funding",
        sa.Column("organization_id", sa.Uuid(), nullable=True),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_funding_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_funding_service_id_service")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_funding")),
    )
    with op.batch_alter_table("funding", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_funding_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_funding_service_id"), ["service_id"], unique=False)

    op.create_table(
        "import_run",
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("file_hash", sa.LargeBinary(), nullable=True),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("mapping", sa.String(), nullable=True),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "running",
                "done",
                "failed",
                name="runstatus",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("seen_at", sa.DateTime(), nullable=True),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("rows_total", sa.Integer(), nullable=True),
        sa.Column("counts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("failure", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_import_run_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_run_status"), ["status"], unique=False)

    op.create_table(
        "listing_change",
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("organization_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "new",
                "edit",
                "correction",
                "revert",
                name="changekind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "waiting",
                "published",
                "refused",
                "withdrawn",
                "reverted",
                name="changestatus",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("values", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("previous", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("made_by_id", sa.Uuid(), nullable=True),
        sa.Column("made_by_role", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("decision_note", sa.String(), nullable=True),
        sa.Column("reverts_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user.id"], name=op.f("fk_listing_change_decided_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["user.id"], name=op.f("fk_listing_change_made_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_listing_change_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["reverts_id"],
            ["listing_change.id"],
            name=op.f("fk_listing_change_reverts_id_listing_change"),
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_listing_change_service_id_service")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_change")),
    )
    with op.batch_alter_table("listing_change", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_listing_change_made_by_id"), ["made_by_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_listing_change_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_listing_change_service_id"), ["service_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_listing_change_status"), ["status"], unique=False)

    op.create_table(
        "listing_use",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_listing_use_service_id_service")
        ),
        sa.PrimaryKeyConstraint("service_id", "month", name=op.f("pk_listing_use")),
    )
    op.create_table(
        "merge",
        sa.Column("kept_id", sa.Uuid(), nullable=False),
        sa.Column("gone_id", sa.Uuid(), nullable=False),
        sa.Column("moved", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("merged_by_id", sa.Uuid(), nullable=True),
        sa.Column("merged_at", sa.DateTime(), nullable=False),
        sa.Column("undone_by_id", sa.Uuid(), nullable=True),
        sa.Column("undone_at", sa.DateTime(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["gone_id"], ["service.id"], name=op.f("fk_merge_gone_id_service")),
        sa.ForeignKeyConstraint(["kept_id"], ["service.id"], name=op.f("fk_merge_kept_id_service")),
        sa.ForeignKeyConstraint(
            ["merged_by_id"], ["user.id"], name=op.f("fk_merge_merged_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["undone_by_id"], ["user.id"], name=op.f("fk_merge_undone_by_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge")),
    )
    with op.batch_alter_table("merge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_merge_gone_id"), ["gone_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_merge_kept_id"), ["kept_id"], unique=False)

    op.create_table(
        "url",
        sa.Column("organization_id", sa.Uuid(), nullable=True),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_url_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_url_service_id_service")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_url")),
    )
    with op.batch_alter_table("url", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_url_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_url_service_id"), ["service_id"], unique=False)

    op.create_table(
        "contact",
        sa.Column("organization_id", sa.Uuid(), nullable=True),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("service_at_location_id", sa.Uuid(), nullable=True),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=True),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"], ["location.id"], name=op.f("fk_contact_location_id_location")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_contact_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["service_at_location_id"],
            ["service_at_location.id"],
            name=op.f("fk_contact_service_at_location_id_service_at_location"),
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_contact_service_id_service")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_location_id"), ["location_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_contact_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_contact_service_at_location_id"),
            ["service_at_location_id"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_contact_service_id"), ["service_id"], unique=False)

    op.create_table(
        "import_finding",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("params", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["import_run.id"], name=op.f("fk_import_finding_run_id_import_run")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_finding")),
    )
    with op.batch_alter_table("import_finding", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_finding_run_id"), ["run_id"], unique=False)

    op.create_table(
        "listing_link",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "still_true",
                "closed",
                "fix",
                "claim",
                name="linkpurpose",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("used_at", sa.DateTime(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["claim.id"], name=op.f("fk_listing_link_claim_id_claim")
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_listing_link_service_id_service")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_listing_link_token_hash")),
    )
    with op.batch_alter_table("listing_link", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_listing_link_service_id"), ["service_id"], unique=False
        )

    with op.batch_alter_table("accessibility", schema=None) as batch_op:
        batch_op.add_column(sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("address", schema=None) as batch_op:
        batch_op.add_column(sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("attribute", schema=None) as batch_op:
        batch_op.add_column(sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("cost_option", schema=None) as batch_op:
        batch_op.add_column(sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("language", schema=None) as batch_op:
        batch_op.add_column(sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True))
        batch_op.create_index(batch_op.f("ix_language_location_id"), ["location_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_language_phone_id"), ["phone_id"], unique=False)

    with op.batch_alter_table("listing_report", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("reported_by_role", sa.String(), nullable=False, server_default="public")
        )
        batch_op.add_column(sa.Column("field", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("value", sa.String(), nullable=True))
        batch_op.add_column(
            sa.Column("is_quarantine", sa.Boolean(), nullable=False, server_default=sa.false())
        )

    with op.batch_alter_table("location", schema=None) as batch_op:
        batch_op.add_column(sa.Column("url", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("organization_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("alternate_name", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("external_identifier", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("external_identifier_type", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_location_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_location_organization_id_organization"),
            "organization",
            ["organization_id"],
            ["id"],
        )

    with op.batch_alter_table("metadata", schema=None) as batch_op:
        batch_op.add_column(sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("organization", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tax_status", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("tax_id", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("year_incorporated", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("logo", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("uri", sa.String(), nullable=True))
        batch_op.add_column(
            sa.Column("trusted", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("phone", schema=None) as batch_op:
        batch_op.add_column(sa.Column("contact_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True))
        batch_op.create_index(batch_op.f("ix_phone_contact_id"), ["contact_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_phone_contact_id_contact"), "contact", ["contact_id"], ["id"]
        )

    with op.batch_alter_table("required_document", schema=None) as batch_op:
        batch_op.add_column(sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("schedule", schema=None) as batch_op:
        batch_op.add_column(sa.Column("schedule_link", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("attending_type", sa.String(), nullable=True))
        batch_op.add_column(
            sa.Column("is_closure", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(sa.Column("closed_on_holidays", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("service", schema=None) as batch_op:
        batch_op.add_column(sa.Column("program_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("wait_time", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("fees", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("accreditations", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("licenses", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("assured_by_role", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("merged_into_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_service_merged_into_id"), ["merged_into_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_service_program_id"), ["program_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_service_merged_into_id_service"), "service", ["merged_into_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_service_program_id_program"), "program", ["program_id"], ["id"]
        )

    with op.batch_alter_table("service_area", schema=None) as batch_op:
        batch_op.add_column(sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True))
        batch_op.alter_column("area_code", existing_type=sa.VARCHAR(), nullable=True)

    with op.batch_alter_table("service_at_location", schema=None) as batch_op:
        batch_op.add_column(sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("service_capacity", schema=None) as batch_op:
        batch_op.add_column(sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("taxonomy", schema=None) as batch_op:
        batch_op.add_column(sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("taxonomy_term", schema=None) as batch_op:
        batch_op.add_column(sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("as_stated", sa.JSON(none_as_null=True), nullable=True))

    for table, column in _RARE:
        with op.batch_alter_table(table) as batch_op:
            batch_op.create_index(batch_op.f(f"ix_{table}_{column}"), [column], unique=False)

    for table in _LISTED:
        with op.batch_alter_table(table) as batch_op:
            batch_op.add_column(sa.Column("entered_at", sa.DateTime(), nullable=True))
            batch_op.create_index(
                batch_op.f(f"ix_{table}_entered_at"), ["entered_at"], unique=False
            )

    # Rows that were there needed a value; new ones get theirs from the application.
    for table, column, kind in _NOW_REQUIRED:
        with op.batch_alter_table(table) as batch_op:
            batch_op.alter_column(column, existing_type=kind, server_default=None)


def downgrade() -> None:
    for table, column in _RARE:
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_index(batch_op.f(f"ix_{table}_{column}"))

    for table in _LISTED:
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_index(batch_op.f(f"ix_{table}_entered_at"))
            batch_op.drop_column("entered_at")

    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.drop_column("as_stated")

    with op.batch_alter_table("taxonomy_term", schema=None) as batch_op:
        batch_op.drop_column("as_stated")

    with op.batch_alter_table("taxonomy", schema=None) as batch_op:
        batch_op.drop_column("as_stated")

    with op.batch_alter_table("service_capacity", schema=None) as batch_op:
        batch_op.drop_column("as_stated")

    with op.batch_alter_table("service_at_location", schema=None) as batch_op:
        batch_op.drop_column("as_stated")

    op.execute("DELETE FROM service_area WHERE area_code IS NULL")
    with op.batch_alter_table("service_area", schema=None) as batch_op:
        batch_op.alter_column("area_code", existing_type=sa.VARCHAR(), nullable=False)
        batch_op.drop_column("as_stated")

    with op.batch_alter_table("service", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_service_program_id_program"), type_="foreignkey")
        batch_op.drop_constraint(
            batch_op.f("fk_service_merged_into_id_service"), type_="foreignkey"
        )
        batch_op.drop_index(batch_op.f("ix_service_program_id"))
        batch_op.drop_index(batch_op.f("ix_service_merged_into_id"))
        batch_op.drop_column("as_stated")
        batch_op.drop_column("merged_into_id")
        batch_op.drop_column("assured_by_role")
        batch_op.drop_column("licenses")
        batch_op.drop_column("accreditations")
        batch_op.drop_column("fees")
        batch_op.drop_column("wait_time")
        batch_op.drop_column("program_id")

    with op.batch_alter_table("schedule", schema=None) as batch_op:
        batch_op.drop_column("as_stated")
        batch_op.drop_column("closed_on_holidays")
        batch_op.drop_column("is_closure")
        batch_op.drop_column("attending_type")
        batch_op.drop_column("schedule_link")

    with op.batch_alter_table("required_document", schema=None) as batch_op:
        batch_op.drop_column("as_stated")

    with op.batch_alter_table("phone", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_phone_contact_id_contact"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_phone_contact_id"))
        batch_op.drop_column("as_stated")
        batch_op.drop_column("contact_id")

    with op.batch_alter_table("organization", schema=None) as batch_op:
        batch_op.drop_column("as_stated")
        batch_op.drop_column("trusted")
        batch_op.drop_column("uri")
        batch_op.drop_column("logo")
        batch_op.drop_column("year_incorporated")
        batch_op.drop_column("tax_id")
        batch_op.drop_column("tax_status")

    with op.batch_alter_table("metadata", schema=None) as batch_op:
        batch_op.drop_column("as_stated")

    with op.batch_alter_table("location", schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f("fk_location_organization_id_organization"), type_="foreignkey"
        )
        batch_op.drop_index(batch_op.f("ix_location_organization_id"))
        batch_op.drop_column("as_stated")
        batch_op.drop_column("external_identifier_type")
        batch_op.drop_column("external_identifier")
        batch_op.drop_column("alternate_name")
        batch_op.drop_column("organization_id")
        batch_op.drop_column("url")

    with op.batch_alter_table("listing_report", schema=None) as batch_op:
        batch_op.drop_column("is_quarantine")
        batch_op.drop_column("value")
        batch_op.drop_column("field")
        batch_op.drop_column("reported_by_role")

    with op.batch_alter_table("language", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_language_phone_id"))
        batch_op.drop_index(batch_op.f("ix_language_location_id"))
        batch_op.drop_column("as_stated")

    with op.batch_alter_table("cost_option", schema=None) as batch_op:
        batch_op.drop_column("as_stated")

    with op.batch_alter_table("attribute", schema=None) as batch_op:
        batch_op.drop_column("as_stated")

    with op.batch_alter_table("address", schema=None) as batch_op:
        batch_op.drop_column("as_stated")

    with op.batch_alter_table("accessibility", schema=None) as batch_op:
        batch_op.drop_column("as_stated")

    with op.batch_alter_table("listing_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_listing_link_service_id"))

    op.drop_table("listing_link")
    with op.batch_alter_table("import_finding", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_finding_run_id"))

    op.drop_table("import_finding")
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_service_id"))
        batch_op.drop_index(batch_op.f("ix_contact_service_at_location_id"))
        batch_op.drop_index(batch_op.f("ix_contact_organization_id"))
        batch_op.drop_index(batch_op.f("ix_contact_location_id"))

    op.drop_table("contact")
    with op.batch_alter_table("url", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_url_service_id"))
        batch_op.drop_index(batch_op.f("ix_url_organization_id"))

    op.drop_table("url")
    with op.batch_alter_table("merge", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_merge_kept_id"))
        batch_op.drop_index(batch_op.f("ix_merge_gone_id"))

    op.drop_table("merge")
    op.drop_table("listing_use")
    with op.batch_alter_table("listing_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_listing_change_status"))
        batch_op.drop_index(batch_op.f("ix_listing_change_service_id"))
        batch_op.drop_index(batch_op.f("ix_listing_change_organization_id"))
        batch_op.drop_index(batch_op.f("ix_listing_change_made_by_id"))

    op.drop_table("listing_change")
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_run_status"))

    op.drop_table("import_run")
    with op.batch_alter_table("funding", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_funding_service_id"))
        batch_op.drop_index(batch_op.f("ix_funding_organization_id"))

    op.drop_table("funding")
    with op.batch_alter_table("duplicate_pair", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_duplicate_pair_status"))
        batch_op.drop_index(batch_op.f("ix_duplicate_pair_second_id"))
        batch_op.drop_index(batch_op.f("ix_duplicate_pair_score"))

    op.drop_table("duplicate_pair")
    with op.batch_alter_table("claim", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_claim_status"))
        batch_op.drop_index(batch_op.f("ix_claim_service_id"))
        batch_op.drop_index(batch_op.f("ix_claim_organization_id"))

    op.drop_table("claim")
    with op.batch_alter_table("program", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_program_organization_id"))

    op.drop_table("program")
    with op.batch_alter_table("organization_identifier", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_organization_identifier_organization_id"))

    op.drop_table("organization_identifier")
    op.drop_table("search_miss")
    with op.batch_alter_table("outgoing_mail", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outgoing_mail_next_try_at"))

    op.drop_table("outgoing_mail")
    op.drop_table("meta_table_description")
