"""referrals that never vanish"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = ()
depends_on = None


def upgrade() -> None:
    op.create_table(
        "office_day_off",
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id"], ["office.id"], name=op.f("fk_office_day_off_office_id_office")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office_day_off")),
        sa.UniqueConstraint("office_id", "on", name=op.f("uq_office_day_off_office_id")),
    )
    with op.batch_alter_table("office_day_off", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_office_day_off_office_id"), ["office_id"], unique=False
        )

    op.create_table(
        "calendar_link",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_calendar_link_user_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_link")),
        sa.UniqueConstraint("digest", name=op.f("uq_calendar_link_digest")),
    )
    with op.batch_alter_table("calendar_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_calendar_link_user_id"), ["user_id"], unique=False)

    op.create_table(
        "cover",
        sa.Column("absent_id", sa.Uuid(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["absent_id"], ["user.id"], name=op.f("fk_cover_absent_id_user")),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_cover_by_id_user")),
        sa.ForeignKeyConstraint(["made_by_id"], ["user.id"], name=op.f("fk_cover_made_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cover")),
    )
    with op.batch_alter_table("cover", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cover_absent_id"), ["absent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_cover_by_id"), ["by_id"], unique=False)

    op.create_table(
        "obstacle",
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("opened_by_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "removed",
                "exception",
                "alternative",
                "unchanged",
                name="advocacyoutcome",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("result_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["key_id"], ["data_key.id"], name=op.f("fk_obstacle_key_id_data_key")
        ),
        sa.ForeignKeyConstraint(
            ["office_id"], ["office.id"], name=op.f("fk_obstacle_office_id_office")
        ),
        sa.ForeignKeyConstraint(
            ["opened_by_id"], ["user.id"], name=op.f("fk_obstacle_opened_by_id_user")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("fk_obstacle_owner_id_user")),
        sa.ForeignKeyConstraint(
            ["reason_code"], ["reason_code.code"], name=op.f("fk_obstacle_reason_code_reason_code")
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_obstacle_service_id_service")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obstacle")),
    )
    with op.batch_alter_table("obstacle", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_obstacle_key_id"), ["key_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_obstacle_office_id"), ["office_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_obstacle_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_obstacle_service_id"), ["service_id"], unique=False)

    op.create_table(
        "webhook",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(), nullable=True),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["key_id"], ["data_key.id"], name=op.f("fk_webhook_key_id_data_key")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["user.id"], name=op.f("fk_webhook_made_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_webhook_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    with op.batch_alter_table("webhook", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_key_id"), ["key_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_webhook_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "advocacy_action",
        sa.Column("obstacle_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "call",
                "letter",
                "meeting",
                "alternative",
                name="advocacykind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_advocacy_action_by_id_user")),
        sa.ForeignKeyConstraint(
            ["key_id"], ["data_key.id"], name=op.f("fk_advocacy_action_key_id_data_key")
        ),
        sa.ForeignKeyConstraint(
            ["obstacle_id"], ["obstacle.id"], name=op.f("fk_advocacy_action_obstacle_id_obstacle")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_advocacy_action")),
    )
    with op.batch_alter_table("advocacy_action", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_advocacy_action_key_id"), ["key_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_advocacy_action_obstacle_id"), ["obstacle_id"], unique=False
        )

    op.create_table(
        "meeting",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("visit", "office", "call", name="meetingkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_meeting_case_id_case")),
        sa.ForeignKeyConstraint(
            ["key_id"], ["data_key.id"], name=op.f("fk_meeting_key_id_data_key")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["user.id"], name=op.f("fk_meeting_made_by_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting")),
    )
    with op.batch_alter_table("meeting", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_meeting_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_meeting_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_meeting_key_id"), ["key_id"], unique=False)

    op.create_table(
        "outgoing_event",
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("given_up_at", sa.DateTime(), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("dropped_because", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name=op.f("fk_outgoing_event_webhook_id_webhook")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_event")),
        sa.UniqueConstraint("webhook_id", "key", name=op.f("uq_outgoing_event_webhook_id")),
    )
    with op.batch_alter_table("outgoing_event", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_outgoing_event_next_try_at"), ["next_try_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_outgoing_event_webhook_id"), ["webhook_id"], unique=False
        )

    op.create_table(
        "complaint",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("obstacle_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("may_name", sa.Boolean(), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("wants_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_complaint_by_id_user")),
        sa.ForeignKeyConstraint(
            ["key_id"], ["data_key.id"], name=op.f("fk_complaint_key_id_data_key")
        ),
        sa.ForeignKeyConstraint(
            ["obstacle_id"], ["obstacle.id"], name=op.f("fk_complaint_obstacle_id_obstacle")
        ),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referral.id"], name=op.f("fk_complaint_referral_id_referral")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint")),
    )
    with op.batch_alter_table("complaint", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_complaint_key_id"), ["key_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_complaint_obstacle_id"), ["obstacle_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_complaint_referral_id"), ["referral_id"], unique=False)

    op.create_table(
        "harm_report",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "decision",
            sa.Enum("stays_suspended", "lifted", name="harmdecision", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("why_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_harm_report_by_id_user")),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user.id"], name=op.f("fk_harm_report_decided_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["key_id"], ["data_key.id"], name=op.f("fk_harm_report_key_id_data_key")
        ),
        sa.ForeignKeyConstraint(
            ["office_id"], ["office.id"], name=op.f("fk_harm_report_office_id_office")
        ),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referral.id"], name=op.f("fk_harm_report_referral_id_referral")
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_harm_report_service_id_service")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_harm_report")),
    )
    with op.batch_alter_table("harm_report", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_harm_report_key_id"), ["key_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_harm_report_office_id"), ["office_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_harm_report_referral_id"), ["referral_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_harm_report_service_id"), ["service_id"], unique=False)

    op.create_table(
        "letter",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "for_signature",
                "signed",
                "numbered",
                "handed_over",
                "delivered",
                "void",
                name="letterstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("sequence_year", sa.Integer(), nullable=True),
        sa.Column("signatory_name", sa.String(), nullable=True),
        sa.Column("signatory_title", sa.String(), nullable=True),
        sa.Column("signatory_nip", sa.String(), nullable=True),
        sa.Column("attachments", sa.Integer(), nullable=False),
        sa.Column("copies", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("signed_at", sa.DateTime(), nullable=True),
        sa.Column("signed_by_id", sa.Uuid(), nullable=True),
        sa.Column("numbered_at", sa.DateTime(), nullable=True),
        sa.Column("numbered_by_id", sa.Uuid(), nullable=True),
        sa.Column("handed_to", sa.String(), nullable=True),
        sa.Column("handed_on", sa.Date(), nullable=True),
        sa.Column("handed_over_at", sa.DateTime(), nullable=True),
        sa.Column("handed_over_by_id", sa.Uuid(), nullable=True),
        sa.Column("delivered_on", sa.Date(), nullable=True),
        sa.Column("delivered_at", sa.DateTime(), nullable=True),
        sa.Column("delivered_by_id", sa.Uuid(), nullable=True),
        sa.Column("voided_at", sa.DateTime(), nullable=True),
        sa.Column("voided_by_id", sa.Uuid(), nullable=True),
        sa.Column("receiver_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivered_by_id"], ["user.id"], name=op.f("fk_letter_delivered_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["handed_over_by_id"], ["user.id"], name=op.f("fk_letter_handed_over_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["key_id"], ["data_key.id"], name=op.f("fk_letter_key_id_data_key")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["user.id"], name=op.f("fk_letter_made_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["numbered_by_id"], ["user.id"], name=op.f("fk_letter_numbered_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["office_id"], ["office.id"], name=op.f("fk_letter_office_id_office")
        ),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referral.id"], name=op.f("fk_letter_referral_id_referral")
        ),
        sa.ForeignKeyConstraint(
            ["signed_by_id"], ["user.id"], name=op.f("fk_letter_signed_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["voided_by_id"], ["user.id"], name=op.f("fk_letter_voided_by_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
        sa.UniqueConstraint("office_id", "number", name=op.f("uq_letter_office_id")),
    )
    with op.batch_alter_table("letter", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_letter_key_id"), ["key_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_letter_office_id"), ["office_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_letter_referral_id"), ["referral_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_letter_state"), ["state"], unique=False)

    op.create_table(
        "parked",
        sa.Column("need_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_parked_by_id_user")),
        sa.ForeignKeyConstraint(["need_id"], ["need.id"], name=op.f("fk_parked_need_id_need")),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referral.id"], name=op.f("fk_parked_referral_id_referral")
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_parked_service_id_service")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parked")),
    )
    with op.batch_alter_table("parked", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_parked_need_id"), ["need_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_parked_service_id"), ["service_id"], unique=False)

    op.create_table(
        "reply_link",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("used_at", sa.DateTime(), nullable=True),
        sa.Column("token_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("code_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["key_id"], ["data_key.id"], name=op.f("fk_reply_link_key_id_data_key")
        ),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referral.id"], name=op.f("fk_reply_link_referral_id_referral")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply_link")),
        sa.UniqueConstraint("code_digest", name=op.f("uq_reply_link_code_digest")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_reply_link_token_digest")),
    )
    with op.batch_alter_table("reply_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reply_link_key_id"), ["key_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_reply_link_referral_id"), ["referral_id"], unique=False
        )

    op.create_table(
        "task",
        sa.Column("key_text", sa.String(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum("report", "ask_transport", name="taskkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("done_at", sa.DateTime(), nullable=True),
        sa.Column("done_by_id", sa.Uuid(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_task_case_id_case")),
        sa.ForeignKeyConstraint(["done_by_id"], ["user.id"], name=op.f("fk_task_done_by_id_user")),
        sa.ForeignKeyConstraint(["key_id"], ["data_key.id"], name=op.f("fk_task_key_id_data_key")),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referral.id"], name=op.f("fk_task_referral_id_referral")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint("key_text", name=op.f("uq_task_key_text")),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_task_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_task_key_id"), ["key_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_task_referral_id"), ["referral_id"], unique=False)

    with op.batch_alter_table("exclusion", schema=None) as batch_op:
        batch_op.alter_column("by_id", existing_type=sa.Uuid(), nullable=True)

    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.alter_column("recorded_by_id", existing_type=sa.Uuid(), nullable=True)

    with op.batch_alter_table("office", schema=None) as batch_op:
        batch_op.add_column(sa.Column("letterhead", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("outgoing_mail", schema=None) as batch_op:
        batch_op.add_column(sa.Column("dropped_because", sa.String(), nullable=True))

    with op.batch_alter_table("referral_step", schema=None) as batch_op:
        batch_op.add_column(sa.Column("happened_at", sa.DateTime(), nullable=True))

    with op.batch_alter_table("service_standing", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("decided", sa.Integer(), nullable=False, server_default=sa.text("0"))
        )
        batch_op.add_column(
            sa.Column("accepted", sa.Integer(), nullable=False, server_default=sa.text("0"))
        )
        batch_op.add_column(
            sa.Column("claimed", sa.Integer(), nullable=False, server_default=sa.text("0"))
        )
        batch_op.add_column(
            sa.Column("asked", sa.Integer(), nullable=False, server_default=sa.text("0"))
        )
        batch_op.add_column(
            sa.Column("confirmed", sa.Integer(), nullable=False, server_default=sa.text("0"))
        )
        batch_op.add_column(
            sa.Column("suspended", sa.Boolean(), nullable=False, server_default=sa.false())
        )

    # The defaults were for the rows that were there.
    with op.batch_alter_table("service_standing", schema=None) as batch_op:
        for name in ("decided", "accepted", "claimed", "asked", "confirmed", "suspended"):
            batch_op.alter_column(name, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.alter_column("recorded_by_id", existing_type=sa.Uuid(), nullable=False)

    with op.batch_alter_table("exclusion", schema=None) as batch_op:
        batch_op.alter_column("by_id", existing_type=sa.Uuid(), nullable=False)

    with op.batch_alter_table("service_standing", schema=None) as batch_op:
        batch_op.drop_column("suspended")
        batch_op.drop_column("confirmed")
        batch_op.drop_column("asked")
        batch_op.drop_column("claimed")
        batch_op.drop_column("accepted")
        batch_op.drop_column("decided")

    with op.batch_alter_table("outgoing_mail", schema=None) as batch_op:
        batch_op.drop_column("dropped_because")

    with op.batch_alter_table("referral_step", schema=None) as batch_op:
        batch_op.drop_column("happened_at")

    with op.batch_alter_table("office", schema=None) as batch_op:
        batch_op.drop_column("letterhead")

    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_task_referral_id"))
        batch_op.drop_index(batch_op.f("ix_task_key_id"))
        batch_op.drop_index(batch_op.f("ix_task_case_id"))

    op.drop_table("task")
    with op.batch_alter_table("reply_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reply_link_referral_id"))
        batch_op.drop_index(batch_op.f("ix_reply_link_key_id"))

    op.drop_table("reply_link")
    with op.batch_alter_table("parked", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_parked_service_id"))
        batch_op.drop_index(batch_op.f("ix_parked_need_id"))

    op.drop_table("parked")
    with op.batch_alter_table("letter", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_letter_state"))
        batch_op.drop_index(batch_op.f("ix_letter_referral_id"))
        batch_op.drop_index(batch_op.f("ix_letter_office_id"))
        batch_op.drop_index(batch_op.f("ix_letter_key_id"))

    op.drop_table("letter")
    with op.batch_alter_table("harm_report", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_harm_report_service_id"))
        batch_op.drop_index(batch_op.f("ix_harm_report_referral_id"))
        batch_op.drop_index(batch_op.f("ix_harm_report_office_id"))
        batch_op.drop_index(batch_op.f("ix_harm_report_key_id"))

    op.drop_table("harm_report")
    with op.batch_alter_table("complaint", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_complaint_referral_id"))
        batch_op.drop_index(batch_op.f("ix_complaint_obstacle_id"))
        batch_op.drop_index(batch_op.f("ix_complaint_key_id"))

    op.drop_table("complaint")
    with op.batch_alter_table("outgoing_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outgoing_event_webhook_id"))
        batch_op.drop_index(batch_op.f("ix_outgoing_event_next_try_at"))

    op.drop_table("outgoing_event")
    with op.batch_alter_table("meeting", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_meeting_key_id"))
        batch_op.drop_index(batch_op.f("ix_meeting_case_id"))
        batch_op.drop_index(batch_op.f("ix_meeting_at"))

    op.drop_table("meeting")
    with op.batch_alter_table("advocacy_action", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_advocacy_action_obstacle_id"))
        batch_op.drop_index(batch_op.f("ix_advocacy_action_key_id"))

    op.drop_table("advocacy_action")
    with op.batch_alter_table("webhook", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_webhook_organization_id"))
        batch_op.drop_index(batch_op.f("ix_webhook_key_id"))

    op.drop_table("webhook")
    with op.batch_alter_table("obstacle", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_obstacle_service_id"))
        batch_op.drop_index(batch_op.f("ix_obstacle_owner_id"))
        batch_op.drop_index(batch_op.f("ix_obstacle_office_id"))
        batch_op.drop_index(batch_op.f("ix_obstacle_key_id"))

    op.drop_table("obstacle")
    with op.batch_alter_table("cover", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cover_by_id"))
        batch_op.drop_index(batch_op.f("ix_cover_absent_id"))

    op.drop_table("cover")
    with op.batch_alter_table("calendar_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_calendar_link_user_id"))

    op.drop_table("calendar_link")
    with op.batch_alter_table("office_day_off", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_office_day_off_office_id"))

    op.drop_table("office_day_off")
