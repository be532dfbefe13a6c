"""Referrals for an agency's own system, under /api/v1/referrals: what was sent to it, in FHIR R4, and its answers."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, g, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, UnsupportedMediaType

from referral.accounts.permissions import requires_scope
from referral.api import signed
from referral.api.answers import language, not_answered, problem, refused, unkept
from referral.changes import audit
from referral.core.db import take_write_lock
from referral.core.errors import JejaringError, NotFound, Stale
from referral.extensions import db, limiter
from referral.planning.unmet.noticing import notice
from referral.referrals.exchange import fhir, operations
from referral.referrals.models import Referral

bp = Blueprint("exchange", __name__, url_prefix="/api/v1/referrals")
bp.register_error_handler(HTTPException, not_answered)

FHIR_JSON = "application/fhir+json"
LARGEST_TASK = 32 * 1024
_STATUS = {NotFound: 404, Stale: 409}


@bp.get("", strict_slashes=False)
@requires_scope("referral")
@limiter.limit(signed.rate, key_func=signed.asker)
def listing() -> Response:
    """The running referrals of the agency, or with `ended=1` the others: a FHIR searchset of Tasks, no person."""
    found = operations.of_agency(
        db.session, _agency(), live=request.args.get("ended") not in ("1", "true")
    )
    now = datetime.now(UTC)
    entries = [
        {
            "fullUrl": f"urn:uuid:{one.id}",
            "resource": fhir.task(operations.told_to_agency(db.session, one, now=now)),
        }
        for one in found
    ]
    searchset = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    return unkept(searchset | {"entry": entries}, FHIR_JSON)


@bp.get("/<uuid:referral_id>")
@requires_scope("referral")
@limiter.limit(signed.rate, key_func=signed.asker)
def document(referral_id: UUID) -> Response:
    """One referral as a FHIR document: blind before the yes, what was agreed after it, a stub at its end."""
    referral = operations.get(db.session, _agency(), referral_id)
    now = datetime.now(UTC)
    told = operations.told_to_agency(db.session, referral, now=now)
    made = fhir.document(told, at=now)
    if told.facts:
        _note_reading(referral, now)
    return unkept(made, FHIR_JSON)


@bp.post("/<uuid:referral_id>")
@requires_scope("referral")
@limiter.limit(signed.rate, key_func=signed.asker)
def update(referral_id: UUID) -> Response:
    """Take the agency's step from a Task; the answer is the Task as it is then, or 409 where it had moved on."""
    referral = operations.get(db.session, _agency(), referral_id)
    now = datetime.now(UTC)
    operations.take_update(db.session, referral, _task(), now=now)
    notice(db.session, referral.need_id, by=operations.AGENCY_BY_SYSTEM, now=now)
    db.session.commit()
    told = operations.told_to_agency(db.session, referral, now=now)
    return unkept(fhir.task(told), FHIR_JSON)


@bp.errorhandler(JejaringError)
def _refused(error: JejaringError) -> Response:
    """A step that came late is told what the referral is now."""
    return refused(error, _STATUS.get(type(error), 422), language())


def _agency() -> UUID:
    """Whose referrals this system may ask for. An office's token has none."""
    if g.system.organization_id is None:
        raise NotFound("referral.none")
    organization_id: UUID = g.system.organization_id
    return organization_id


def _task() -> Mapping[str, Any]:
    if request.mimetype not in (FHIR_JSON, "application/json"):
        raise UnsupportedMediaType
    content = request.get_data()
    if len(content) > LARGEST_TASK:
        raise RequestEntityTooLarge
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        abort(problem(400))
    return told


def _note_reading(referral: Referral, now: datetime) -> None:
    """Who read of this person is kept, before they read."""
    referral_id, client_id = referral.id, referral.client_id
    db.session.rollback()
    with db.sessionmaker() as session:
        take_write_lock(session)
        subject = session.get_one(Referral, referral_id)
        audit.record(
            session,
            "referral.read",
            subject,
            by=operations.AGENCY_BY_SYSTEM,
            now=now,
            client_id=client_id,
            token=str(g.system.token_id),
        )
        session.commit()
