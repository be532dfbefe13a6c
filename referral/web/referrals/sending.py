"""Check before sending: the service, why it fits, the basis for this recipient, the way to reach the client safely."""

from typing import Any
from uuid import UUID

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from referral.casework import agreements
from referral.casework import operations as casework
from referral.casework import queries as cases
from referral.casework.models import BasisKind, LawfulBasis, Method, Need, Purpose, Urgency
from referral.core.errors import Invalid, JejaringError, NotFound
from referral.directory.duplicates import queries as duplicates
from referral.directory.models import AnswerMode, ServiceAtLocation
from referral.extensions import db
from referral.matching.models import MatchReceipt
from referral.matching.queries import get_receipt
from referral.matching.receipts import printed
from referral.referrals import operations, queries, reminders, replies
from referral.referrals.cards import RELEASABLE, USUALLY_RELEASED
from referral.referrals.given import Given
from referral.referrals.lifecycle import Actor, Event, Status
from referral.referrals.models import Referral
from referral.referrals.standing import is_full
from referral.web.access import requires
from referral.web.answers import LONG, Answers
from referral.web.formatting import label, say
from referral.web.language import chosen
from referral.web.matching.options import reasons_of
from referral.web.naming import category_name
from referral.web.reading import seen
from referral.web.referrals.steps import Page, bp, done, now

REFUSED, IN_FORCE = "refused", "in_force"


@bp.route("/needs/<uuid:need_id>/referrals/new", methods=["GET", "POST"])
@requires("referral:send")
def new(need_id: UUID) -> Page:
    """Check before sending; `?site=` names the service at its place, `?receipt=` the match that led there."""
    need = cases.get_need(db.session, g.user, need_id)
    site = _site(need)
    receipt, based_on = _receipt(need), _based_on()
    seen(need, client_id=need.case.client_id)
    organization_id = site.service.organization_id
    basis = cases.basis_for(
        db.session,
        need.case.client_id,
        purpose=Purpose.REFERRAL,
        organization_id=organization_id,
        now=now(),
    )
    draft = queries.live_duplicate(db.session, need.id, site.service_id)
    if draft is not None and draft.status is not Status.DRAFT:
        flash(_("This need is already referred to this service."), "wait")
        return redirect(url_for(".show", referral_id=draft.id), 303)
    problem: JejaringError | None = None
    sent_to = ""
    if request.method == "POST":
        answers = Answers(request.form)
        try:
            sent_to = _send(need, site, receipt, based_on, basis, draft, answers)
        except Invalid as error:
            answers.refused(error)
        except NotFound:
            raise
        except JejaringError as error:
            problem = error
        if not answers.errors and problem is None:
            db.session.commit()
            return redirect(sent_to, 303)
        # Neither the client's answer nor a draft is kept from a form that comes back.
        db.session.rollback()
        need, site = cases.get_need(db.session, g.user, need_id), _site(need)
        receipt, based_on = _receipt(need), _based_on()
    else:
        answers = _asked(need, basis, draft)
    page = render_template(
        "referrals/new.html",
        need=need,
        case=need.case,
        site=site,
        service=site.service,
        category=category_name(need.category),
        receipt=receipt,
        based_on=based_on,
        draft=draft,
        basis=basis,
        basis_refused=_refused_before(need, organization_id, basis),
        reasons=_reasons(receipt, site),
        full=is_full(site.service, now()),
        contact=need.case.client.safe_contact or {},
        contact_is_safe=casework.has_safe_contact(need.case),
        walk_in=site.service.answer_mode is AnswerMode.WALK_IN,
        burden=reminders.asked_lately(db.session, organization_id, now=now()),
        answers=answers,
        problem=say(problem.message) if problem else None,
        releasable=[
            (name, label(f"referral.fact.{name}"), _plain(name))
            for name in RELEASABLE
            # No agency gets a number that only the worker may call.
            if name != "contact"
            or not (need.case.client.safe_contact or {}).get("through_worker_only")
        ],
        kinds=[kind.value for kind in BasisKind if kind is not BasisKind.CONSENT],
        methods=list(Method),
        priorities=[urgency.value for urgency in Urgency],
    )
    return page, 409 if problem else answers.status


def _site(need: Need) -> ServiceAtLocation:
    site = duplicates.site_now(db.session, _id("site"))
    excluded = cases.excluded_organizations(db.session, need.case_id)
    if site is None or site.service.organization_id in excluded:
        raise NotFound("referral.none")
    return site


def _receipt(need: Need) -> MatchReceipt | None:
    if not request.values.get("receipt"):
        return None
    receipt = get_receipt(db.session, g.user, _id("receipt"))
    if receipt.need_id != need.id:
        raise NotFound("referral.none")
    return receipt


def _based_on() -> Referral | None:
    if not request.values.get("based_on"):
        return None
    return queries.get(db.session, g.user, _id("based_on"))


def _id(name: str) -> UUID:
    try:
        return UUID(request.values.get(name, ""))
    except ValueError:
        raise NotFound("referral.none") from None


def _asked(need: Need, basis: LawfulBasis | None, draft: Referral | None) -> Answers:
    return Answers.of(
        basis=IN_FORCE if basis else None,
        fields=list(USUALLY_RELEASED),
        method="spoken",
        priority=(draft.priority if draft else need.urgency).value,
        known_service_reason=draft.known_service_reason if draft else None,
    )


def _refused_before(need: Need, organization_id: UUID, basis: LawfulBasis | None) -> bool:
    """Whether the client's last word on this agency was a no."""
    if basis is not None:
        return False
    mine = [
        one
        for one in cases.bases_of(db.session, need.case.client_id)
        if one.purpose is Purpose.REFERRAL and one.organization_id == organization_id
    ]
    return bool(mine) and mine[0].refused


def _reasons(receipt: MatchReceipt | None, site: ServiceAtLocation) -> list[tuple[str, str]]:
    """What the match said about this service, in the page's language."""
    if receipt is None or not receipt.content:
        return []
    shown = printed(receipt.content, chosen())
    has_phone = any(one.type != "fax" for one in site.service.phones)
    for option in [*shown["options"], *shown["remote"]]:
        if option["service_at_location_id"] == str(site.id):
            return reasons_of(option, has_phone=has_phone)
    return []


def _plain(name: str) -> str:
    """What letting a fact go means, as one would say it to the client."""
    words: dict[str, str] = {
        "name": _("the name you use with us"),
        "contact": _("the number we agreed is safe, with its rules"),
        "age": _("how old the person is"),
        "sex": _("female or male"),
        "area": _("where you stay now, as you told us"),
        "need": _("what help is asked for, and for whom"),
        "story": _("what you told us, in full"),
    }
    return words[name]


def _send(
    need: Need,
    site: ServiceAtLocation,
    receipt: MatchReceipt | None,
    based_on: Referral | None,
    basis: LawfulBasis | None,
    draft: Referral | None,
    answers: Answers,
) -> str:
    """Record the client's answer, keep the draft, and send it unless it is to be kept; gives the next page."""
    only_keep = answers.ticked("keep")
    priority = answers.choice("priority", [urgency.value for urgency in Urgency])
    answers.require("priority", priority, _("Choose how urgent it is."))
    reason = answers.text("known_service_reason", longest=operations.TEXT_LIMIT)
    note = answers.text("note", longest=operations.TEXT_LIMIT)
    said = answers.choice("basis", [IN_FORCE, REFUSED, *(kind.value for kind in BasisKind)])
    if not only_keep:
        answers.require("basis", said, _("Say what the client answered, or on what other ground."))
    if said == IN_FORCE and basis is None:
        answers.wrong("basis", _("There is no basis in force any more. Ask the client again."))
    if said is not None and said != IN_FORCE:
        _record_basis(need, site, said, answers)
    if answers.errors or priority is None:
        return ""
    if said == REFUSED:
        flash(
            _("The client's no is recorded. Nothing was sent; other services stay open to them."),
            "wait",
        )
        return url_for("casework.case", case_id=need.case_id)
    if draft is None:
        draft = operations.draft(
            db.session,
            need,
            site,
            receipt=receipt,
            known_service_reason=reason,
            based_on=based_on,
            by=g.user,
            now=now(),
        )
    draft.priority = Urgency(priority)
    db.session.flush()
    if only_keep:
        flash(_("The draft is kept. Nothing was sent."), "info")
        return url_for(".show", referral_id=draft.id)
    operations.take_step(
        db.session,
        draft,
        Event.SEND,
        actor=Actor.BROKER,
        by=g.user,
        now=now(),
        version=draft.version,
        given=Given(note=note),
        confirmed_full=answers.ticked("confirmed_full"),
    )
    if draft.answer_mode is not AnswerMode.WALK_IN:
        replies.issue(db.session, draft, now=now())
        public_url = current_app.config["SETTINGS"].PUBLIC_URL
        replies.ask_by_mail(db.session, draft, public_url=public_url, now=now())
    flash(done(Event.SEND), "good")
    page = ".letter" if draft.answer_mode is AnswerMode.WALK_IN else ".show"
    return url_for(page, referral_id=draft.id)


def _record_basis(need: Need, site: ServiceAtLocation, said: str, answers: Answers) -> None:
    refused = said == REFUSED
    kind = BasisKind.CONSENT if refused else BasisKind(said)
    fields = [] if refused else answers.choices("fields", RELEASABLE)
    method = answers.choice("method", list(Method)) or "spoken"
    ground = answers.text("reason", longest=LONG)
    until = answers.day("expires_on")
    if not refused and not fields:
        answers.wrong("fields", _("Choose at least one thing the agency may know."))
    if answers.errors:
        return
    try:
        agreements.give_basis(
            db.session,
            need.case.client,
            kind=kind,
            purpose=Purpose.REFERRAL,
            organization_id=site.service.organization_id,
            fields=fields,
            refused=refused,
            method=method,
            language=chosen(),
            reason=ground,
            expires_on=until,
            by=g.user,
            now=now(),
        )
    except Invalid as error:
        answers.refused(error, "reason", "expires_on")


def values_of(referral: Referral) -> dict[str, Any]:
    """The parameters that open `new` for a kept draft."""
    return {
        "need_id": referral.need_id,
        "site": referral.service_at_location_id,
        "receipt": referral.receipt_id,
        "based_on": referral.based_on_id,
    }
