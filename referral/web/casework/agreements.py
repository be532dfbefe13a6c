"""What client and worker agreed: lawful bases, and service contracts with what is in and out of scope."""

from uuid import UUID

from flask import flash, g, redirect, render_template, request
from flask_babel import gettext as _

from referral.casework import agreements, queries
from referral.casework.models import BasisKind, Case, Method, Purpose
from referral.core.errors import Invalid
from referral.core.text import LANGUAGES
from referral.directory import organizations
from referral.directory.models import Organization
from referral.extensions import db
from referral.referrals import queries as referrals
from referral.referrals.cards import RELEASABLE, USUALLY_RELEASED
from referral.referrals.lifecycle import LIVE
from referral.web.access import requires
from referral.web.addresses import is_own
from referral.web.answers import LONG, Answers
from referral.web.casework.files import ENDED, Page, bp, file_to_change, need_states, now, saved
from referral.web.language import chosen


@bp.route("/cases/<uuid:case_id>/basis", methods=["GET", "POST"])
@requires("case:write")
def basis(case_id: UUID) -> Page:
    """Record a consent, a refusal or another lawful ground; `?organization=` asks for one agency."""
    case = file_to_change(case_id)
    answers = Answers(request.form) if request.method == "POST" else _asked()
    offered: list[tuple[str, str]] = []
    if request.method == "POST":
        offered = _record_basis(case, answers)
        if not answers.errors:
            done = saved(case, _("The client's answer is in the file."))
            back = answers.shown("next")
            return redirect(back, 303) if is_own(back) else done
    page = render_template(
        "casework/basis.html",
        case=case,
        answers=answers,
        offered=offered,
        kinds=list(BasisKind),
        methods=list(Method),
        fields=RELEASABLE,
        languages=LANGUAGES,
    )
    return page, answers.status


def _asked() -> Answers:
    """The form as the worker finds it: the usual answers, and the agency they came for."""
    wanted = request.args.get("organization", "", type=str)
    organization = _organization(wanted)
    return Answers.of(
        purpose=(Purpose.REFERRAL if organization else Purpose.CASEWORK).value,
        agency=organization.name if organization else None,
        agency_pick=organization.id if organization else None,
        agency_pick_for=organization.name if organization else None,
        kind=BasisKind.CONSENT.value,
        # A proposal for what this agency needs; nothing is ticked where nothing goes out.
        fields=list(USUALLY_RELEASED) if organization else [],
        language=chosen(),
        next=request.args.get("next"),
    )


def _organization(wanted: str) -> Organization | None:
    try:
        return db.session.get(Organization, UUID(wanted))
    except ValueError:
        return None


def _record_basis(case: Case, answers: Answers) -> list[tuple[str, str]]:
    """Records what the form says, or leaves errors in it and gives the agencies it could mean."""
    purpose = answers.choice("purpose", [one.value for one in Purpose])
    answers.require("purpose", purpose, _("Choose what the basis is for."))
    kind = answers.choice("kind", [one.value for one in BasisKind])
    answers.require("kind", kind, _("Choose the lawful ground."))
    reply = answers.choice("answer", ("given", "refused"))
    answers.require("answer", reply, _("Choose whether the client agrees."))
    if reply == "refused" and kind not in (None, BasisKind.CONSENT):
        answers.wrong("answer", _("Only a consent can be refused. Choose consent as the ground."))
    method = answers.choice("method", list(Method))
    answers.require("method", method, _("Choose how the client answered."))
    fields = answers.choices("fields", RELEASABLE)
    if purpose == Purpose.REFERRAL and reply == "given" and not fields:
        answers.wrong("fields", _("Choose at least one thing the agency may know."))
    expires_on = answers.day("expires_on")
    witness, reason = answers.text("witness"), answers.text("reason", longest=LONG)
    language = answers.choice("language", LANGUAGES) or chosen()
    organization_id: UUID | None = None
    offered: list[tuple[str, str]] = []
    if purpose == Purpose.REFERRAL:
        organization_id, offered = _recipient(answers)
    if answers.errors or not (purpose and kind and method):
        return offered
    try:
        agreements.give_basis(
            db.session,
            case.client,
            kind=BasisKind(kind),
            purpose=Purpose(purpose),
            fields=fields if purpose == Purpose.REFERRAL else (),
            organization_id=organization_id,
            refused=reply == "refused",
            method=method,
            language=language,
            witness=witness,
            reason=reason,
            expires_on=expires_on,
            by=g.user,
            now=now(),
        )
    except Invalid as error:
        answers.refused(error, "reason", "expires_on")
    return offered


def _recipient(answers: Answers) -> tuple[UUID | None, list[tuple[str, str]]]:
    """The agency the form names; where several bear the name, the form offers them."""
    name = answers.text("agency")
    if name is None:
        answers.wrong("agency", _("Write the name of the agency that may receive it."))
        return None, []
    picked = _organization(answers.shown("agency_pick"))
    if picked is not None and answers.shown("agency_pick_for") == name:
        return picked.id, [(str(picked.id), picked.name)]
    found = organizations.named(db.session, name)
    if len(found) == 1:
        return found[0].id, []
    if not found:
        answers.wrong("agency", _("No agency of the directory has this name. Try a part of it."))
    else:
        answers.wrong("agency", _("Several agencies have this name. Choose one."))
    return None, [(str(one.id), one.name) for one in found]


@bp.post("/cases/<uuid:case_id>/basis/<uuid:basis_id>/withdraw")
@requires("case:write")
def withdraw_basis(case_id: UUID, basis_id: UUID) -> Page:
    """The client takes a consent back."""
    case = file_to_change(case_id)
    basis = queries.get_basis(db.session, case.client_id, basis_id)
    agreements.withdraw_basis(db.session, basis, by=g.user, now=now())
    running = [
        one.number
        for one in referrals.of_case(db.session, case.id)
        if one.basis_id == basis.id and one.status in LIVE
    ]
    if running:
        flash(
            _(
                "Sent with this consent and still running: %(numbers)s. Cancel them within 3 × 24 hours.",
                numbers=", ".join(running),
            ),
            "wait",
        )
    return saved(case, _("The consent is withdrawn and may not be used any more."), part="basis")


@bp.route("/cases/<uuid:case_id>/contract", methods=["GET", "POST"])
@requires("case:write")
def contract(case_id: UUID) -> Page:
    """Agree with the client what is worked on and what is not; a change is a new version."""
    case = file_to_change(case_id)
    current = agreements.current_contract(case)
    states = need_states(case.needs)
    running = [need for need in case.needs if states[need.id] not in ENDED]
    if request.method == "POST":
        answers = Answers(request.form)
        chosen_ids = answers.choices("in_scope", [str(need.id) for need in running])
        method = answers.choice("method", list(Method))
        answers.require("method", method, _("Choose how the client agreed."))
        terms = answers.text("terms", longest=LONG)
        ends_on = answers.day("ends_on")
        if not answers.errors:
            try:
                # An ended need keeps the scope it had.
                ended = [n.id for n in case.needs if n not in running and n.in_scope]
                agreed = agreements.agree_contract(
                    db.session,
                    case,
                    terms=terms or "",
                    in_scope=[*(UUID(one) for one in chosen_ids), *ended],
                    method=method or "",
                    ends_on=ends_on,
                    by=g.user,
                    now=now(),
                )
            except Invalid as error:
                answers.refused(error, "ends_on", "in_scope")
            else:
                sentence = _("Version %(number)s of the contract is agreed.", number=agreed.number)
                return saved(case, sentence)
    else:
        answers = Answers.of(
            in_scope=[need.id for need in running if need.in_scope],
            terms=current.terms if current else None,
            ends_on=current.ends_on if current else None,
        )
    page = render_template(
        "casework/contract.html",
        case=case,
        answers=answers,
        running=running,
        current=current,
        methods=list(Method),
    )
    return page, answers.status
