"""My cases, and one case with everything in it."""

from collections import Counter
from typing import Any
from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from referral.accounts.models import User
from referral.casework import agreements, meetings, operations, queries
from referral.casework.contact import printed
from referral.casework.models import Case, Purpose, Stage, WorkerRole
from referral.core.db import forget_deleted
from referral.core.errors import Invalid, NotAllowed
from referral.core.paging import page_of
from referral.directory import organizations
from referral.extensions import db
from referral.planning.unmet import ledger
from referral.planning.unmet import queries as unmet_queries
from referral.referrals import parking
from referral.referrals import queries as referrals
from referral.referrals.lifecycle import LIVE
from referral.referrals.loop import NeedState
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.casework.crisis import first_numbers
from referral.web.casework.files import (
    ENDED,
    LOOKING,
    NEED_TONE,
    Page,
    bp,
    file_of,
    file_to_change,
    need_states,
    now,
    saved,
    to_look_for,
)
from referral.web.casework.helped import own_in
from referral.web.formatting import capital, label
from referral.web.naming import area_name, category_name
from referral.web.reading import seen
from referral.web.told import choices_in, unmet_in
from referral.web.unmet.lines import gap_lines

STAGES = tuple(Stage)


@bp.get("/cases")
@requires("case:read")
def index() -> Page:
    """The cases a person works on or supervises, crises first."""
    closed = request.args.get("show") == "closed"
    number = request.args.get("page", 1, type=int)
    page = page_of(db.session, queries.cases_of(g.user, closed=closed), number=number)
    for case in page.items:
        seen(case, client_id=case.client_id)
    states = need_states(need for case in page.items for need in case.needs)
    return render_template(
        "casework/index.html",
        page=page,
        closed=closed,
        notices=unmet_queries.notices(db.session, g.user),
        category_name=category_name,
        counts={
            case.id: Counter(states[need.id] for need in case.needs).most_common()
            for case in page.items
        },
        tone=NEED_TONE,
    )


@bp.get("/cases/<uuid:case_id>")
@requires("case:read")
def case(case_id: UUID) -> Page:
    """One case: who, what was agreed, which needs, and what comes next."""
    case = file_of(case_id)
    if case.client.erased_at is not None:
        return render_template("casework/erased.html", case=case)
    at = now()
    bases = queries.bases_of(db.session, case.client_id)
    states = need_states(case.needs)
    gaps = {
        line.need.id: line for line in gap_lines(unmet_queries.in_case(db.session, g.user, case.id))
    }
    return render_template(
        "casework/case.html",
        parked=parking.parked(db.session, [need.id for need in case.needs]),
        case=case,
        stages=STAGES,
        states=states,
        tone=NEED_TONE,
        choices=choices_in(case),
        unmet=unmet_in(case),
        looking=LOOKING,
        to_plan=to_look_for(case, states),
        ended=ENDED,
        numbers=first_numbers(case) if case.crisis_since else [],
        contract=agreements.current_contract(case),
        consent=queries.basis_for(
            db.session,
            case.client_id,
            purpose=Purpose.CASEWORK,
            organization_id=None,
            now=at,
        ),
        bases=bases,
        recipients={
            basis.organization_id: organizations.name_of(db.session, basis.organization_id)
            for basis in bases
        },
        today=at.date(),
        referrals=referrals.of_case(db.session, case.id),
        **own_in(case, states, ENDED),
        excluded=queries.exclusions_of(db.session, case.id),
        meetings=meetings.of_case(db.session, case.id),
        place=_place_label(case),
        registered=area_name(case.client.registered_in),
        contact=case.client.safe_contact or {},
        printed=printed,
        notices=[
            found
            for found in unmet_queries.notices(db.session, g.user)
            if found[1].case_id == case.id
        ],
        gaps=gaps,
        gaps_to_confirm=sum(line.unmet.confirmed_at is None for line in gaps.values()),
        category_name=category_name,
        next_step=_next_step(case, states, has_consent=bool(bases)),
        acted_as=list(WorkerRole),
        events=_events(case),
        calls_count=len(queries.calls_of(db.session, case.id)),
        answers=Answers.of(stage=case.stage.value, acted_as=WorkerRole.BROKER.value),
    )


@bp.post("/cases/<uuid:case_id>/stage")
@requires("case:write")
def move(case_id: UUID) -> Page:
    """Move the case to another stage, or close it."""
    case = file_to_change(case_id)
    answers = Answers(request.form)
    stage = answers.choice("stage", [stage.value for stage in STAGES])
    if stage is None:
        flash(_("Choose the stage first."), "bad")
        return redirect(url_for(".case", case_id=case.id), 303)
    live = [one.number for one in referrals.of_case(db.session, case.id) if one.status in LIVE]
    if stage == Stage.CLOSED and live:
        raise NotAllowed("casework.live_referrals", numbers=live)
    operations.move_to(db.session, case, Stage(stage), by=g.user, now=now())
    return saved(case, _("The stage of the case has changed."))


@bp.route("/cases/<uuid:case_id>/notes/new", methods=["GET", "POST"])
@requires("case:write")
def new_note(case_id: UUID) -> Page:
    """Write down what was done or learned, and in which role."""
    case = file_to_change(case_id)
    answers = Answers(request.form)
    if request.method == "POST":
        roles = [role.value for role in WorkerRole]
        acted_as = WorkerRole(answers.choice("acted_as", roles) or WorkerRole.BROKER)
        try:
            if not answers.errors:
                text = request.form.get("text", "").replace("\r\n", "\n")
                operations.add_note(db.session, case, text, acted_as=acted_as, by=g.user, now=now())
                return saved(case, _("The note is in the file."), part="notes")
        except Invalid as error:
            answers.refused(error, "text")
    page = render_template(
        "casework/note.html", case=case, answers=answers, acted_as=list(WorkerRole)
    )
    return page, answers.status


@bp.route("/cases/<uuid:case_id>/erase", methods=["GET", "POST"])
@requires("client:erase")
def erase(case_id: UUID) -> Page:
    """Forget this person for good, after saying what that means."""
    case = file_to_change(case_id)
    answers = Answers(request.form)
    live = [one.number for one in referrals.of_case(db.session, case.id) if one.status in LIVE]
    if request.method == "POST":
        if answers.shown("number").strip().upper() != case.number:
            answers.wrong("number", _("Write the case number, %(number)s.", number=case.number))
        if live:
            raise NotAllowed("casework.live_referrals", numbers=live)
        if not answers.errors:
            operations.erase_client(db.session, case.client, by=g.user, now=now())
            ledger.forget(db.session, case.client)
            db.session.commit()
            forget_deleted(db.engine)
            return saved(
                case, _("The personal data of case %(number)s are erased.", number=case.number)
            )
    page = render_template("casework/erase.html", case=case, answers=answers, live=live)
    return page, answers.status


def _events(case: Case) -> list[dict[str, Any]]:
    """Notes and handovers in the order in which they happened."""
    events = [
        {
            "at": note.at,
            "title": capital(label(f"casework.acted_as.{note.acted_as}")),
            "who": note.author.name,
            "note": note.text,
            "icon": "notebook-pen",
        }
        for note in case.notes
    ]
    for handover in queries.handovers_of(db.session, case.id):
        giver, taker = (db.session.get(User, one) for one in (handover.from_id, handover.to_id))
        events.append(
            {
                "at": handover.at,
                "title": _("Handed over"),
                "who": f"{giver.name if giver else '–'} → {taker.name if taker else '–'}",
                "note": handover.note,
                "icon": "users",
                "tone": "wait",
            }
        )
    return sorted(events, key=lambda event: event["at"])


def _place_label(case: Case) -> str | None:
    stays = case.client.stays_at or {}
    return area_name(stays.get("code")) or stays.get("text")


def _next_step(case: Case, states: dict[UUID, NeedState], *, has_consent: bool) -> str | None:
    """What a case lacks most, in the order of the work; None when every need is on its way."""
    if case.stage is Stage.CLOSED:
        return None
    if not case.needs:
        return "need"
    if not has_consent:
        return "basis"
    if agreements.current_contract(case) is None:
        return "contract"
    if not operations.has_safe_contact(case):
        return "contact"
    return "match" if set(states.values()) & LOOKING else None
