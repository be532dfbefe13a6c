"""Claims: somebody says that a listing is their organization's; a curator decides."""

from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from referral.core.errors import Invalid, NotAllowed
from referral.directory import queries
from referral.directory.upkeep import claims
from referral.directory.upkeep.kinds import ClaimStatus, Proof
from referral.directory.upkeep.models import Claim
from referral.extensions import db
from referral.web.access import public, requires
from referral.web.answers import LONG, Answers
from referral.web.directory import phone_of
from referral.web.formatting import labelled, say
from referral.web.language import chosen
from referral.web.upkeep.door import (
    HONEYPOT,
    Page,
    bp,
    has_sent,
    is_machine,
    not_now,
    now,
    pause,
    public_url,
)


@bp.route("/services/<uuid:service_id>/claim", methods=["GET", "POST"])
@public
def claim(service_id: UUID) -> Page:
    """Say that a listing is one's own organization's, and how one will show it."""
    listing = queries.get(db.session, service_id)
    answers = Answers(request.form) if request.method == "POST" else Answers.of(proof=Proof.MAIL)
    status = 200
    if request.method == "POST":
        if is_machine():
            return redirect(url_for("directory.show", service_id=service_id), 303)
        proof = answers.choice("proof", list(Proof)) or Proof.CURATOR
        try:
            pause()
            made = claims.make(
                db.session,
                service_id,
                name=answers.shown("name"),
                email=answers.shown("email"),
                message=answers.text("message", longest=LONG) or "",
                proof=Proof(proof),
                public_url=public_url(),
                lang=chosen(),
                now=now(),
            )
        except NotAllowed as error:
            db.session.rollback()
            listing = queries.get(db.session, service_id)
            status = not_now(error)
        except Invalid as error:
            db.session.rollback()
            listing = queries.get(db.session, service_id)
            answers.wrong(error.field or "name", say(error.message))
            status = 422
        else:
            db.session.commit()
            has_sent()
            return redirect(url_for(".claimed", claim_id=made.id), 303)
    page = render_template(
        "upkeep/claim.html",
        listing=listing,
        answers=answers,
        proofs=labelled(Proof, "upkeep.claim_proof"),
        honeypot=HONEYPOT,
    )
    return page, status


@bp.get("/claims/<uuid:claim_id>")
@public
def claimed(claim_id: UUID) -> Page:
    """How far a claim is, for whoever made it. Says nothing about anybody."""
    return _claimed(claims.get(db.session, claim_id), Answers())


@bp.post("/claims/<uuid:claim_id>/code")
@public
def code(claim_id: UUID) -> Page:
    """Type the code that was told by phone."""
    found = claims.get(db.session, claim_id)
    answers = Answers(request.form)
    fits = claims.try_code(db.session, found, answers.shown("code")[:40], now=now())
    db.session.commit()  # a wrong try counts
    if fits:
        return redirect(url_for(".claimed", claim_id=claim_id), 303)
    answers.wrong("code", say(claims.WRONG_CODE))
    return _claimed(found, answers)


def _claimed(found: Claim, answers: Answers) -> Page:
    page = render_template(
        "upkeep/claimed.html",
        claim=found,
        listing=queries.get(db.session, found.service_id),
        answers=answers,
        asks_code=found.status is ClaimStatus.WAITING and found.proof is Proof.PHONE,
        kept_days=claims.KEPT_DAYS,
    )
    return page, answers.status


@bp.get("/claims")
@requires("listing:approve")
def open_claims() -> Page:
    """Claims to decide, proven ones first."""
    page = claims.open_claims(db.session, page=request.args.get("page", 1, type=int))
    listings = queries.by_ids(db.session, {one.service_id for one in page.items})
    return render_template(
        "upkeep/claims.html",
        page=page,
        listings=listings,
        page_url=lambda number: url_for(".open_claims", page=number),
    )


@bp.get("/claims/<uuid:claim_id>/decide")
@requires("listing:approve")
def decide(claim_id: UUID) -> Page:
    """One claim with what helps to decide it."""
    return _decide(claims.get(db.session, claim_id), Answers())


@bp.post("/claims/<uuid:claim_id>/call")
@requires("listing:approve")
def give_code(claim_id: UUID) -> Page:
    """Make a code to tell on the phone; this page is the only one that ever shows it."""
    found = claims.get(db.session, claim_id)
    try:
        made = claims.give_code(db.session, found, by=g.user, now=now())
    except NotAllowed as error:
        return _refused(claim_id, error)
    db.session.commit()
    return _decide(found, Answers(), code=made)


@bp.post("/claims/<uuid:claim_id>/approve")
@requires("listing:approve")
def approve(claim_id: UUID) -> Page:
    """Give the claimant the agency's account."""
    found = claims.get(db.session, claim_id)
    try:
        issued = claims.approve(
            db.session, found, note=request.form.get("note", ""), by=g.user, now=now()
        )
    except (Invalid, NotAllowed) as error:
        return _refused(claim_id, error)
    db.session.commit()
    if issued is None:
        flash(_("Approved. The person signs in with the account they have."), "good")
        return redirect(url_for(".open_claims"), 303)
    return render_template(
        "upkeep/claim_link.html",
        user=issued.link.user,
        expires_at=issued.link.expires_at,
        address=url_for("accounts.take_link", key=issued.token, _external=True),
    )


@bp.post("/claims/<uuid:claim_id>/refuse")
@requires("listing:approve")
def refuse(claim_id: UUID) -> Page:
    """Turn a claim down, with the reason."""
    found = claims.get(db.session, claim_id)
    try:
        claims.refuse(db.session, found, request.form.get("note", ""), by=g.user, now=now())
    except (Invalid, NotAllowed) as error:
        return _refused(claim_id, error)
    db.session.commit()
    flash(_("The request is refused. Whoever made it reads the reason."), "good")
    return redirect(url_for(".open_claims"), 303)


def _refused(claim_id: UUID, error: Invalid | NotAllowed) -> Page:
    db.session.rollback()
    answers = Answers(request.form)
    answers.wrong("note", say(error.message))
    return _decide(claims.get(db.session, claim_id), answers)


def _decide(found: Claim, answers: Answers, *, code: str | None = None) -> Page:
    listing = queries.get(db.session, found.service_id)
    page = render_template(
        "upkeep/decide.html",
        claim=found,
        listing=listing,
        is_open=found.status in claims.OPEN,
        phones=[phone_of(phone) for phone in listing.service.phones],
        people=claims.people_of(db.session, found.organization_id),
        account=claims.account_of(db.session, found),
        answers=answers,
        code=code,
        code_hours=int(claims.CODE_LASTS.total_seconds() // 3600),
    )
    return page, answers.status
