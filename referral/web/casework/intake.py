"""Opening a case, and changing what is held on the client. Only the kind of client is required."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from referral.casework import operations, queries
from referral.casework.contact import normal_number, printed
from referral.casework.models import Case, Client, ClientKind, Protection
from referral.core.crypto import KeyRing
from referral.core.errors import Invalid
from referral.directory import reference
from referral.directory.kinds import OLDEST_YEARS
from referral.extensions import db
from referral.places.gazetteer import Gazetteer, PlaceNotClear
from referral.places.queries import gazetteer
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.casework.files import Page, bp, file_to_change, now, saved
from referral.web.formatting import say
from referral.web.language import chosen

LONGEST_PLACE = 300
#: what the worker chooses to keep a place that is in no gazetteer
AS_WRITTEN = "as_written"


class ClientForm(Answers):
    """The form of a client; `offered` holds the places a text could mean, by field."""

    def __init__(self, given: Any = None) -> None:
        super().__init__(given)
        self.offered: dict[str, list[tuple[str, str]]] = {}


@dataclass(frozen=True)
class Told:
    """What was told about a client, checked."""

    name: str | None
    facts: dict[str, Any]
    stays_at: dict[str, Any]
    registered_in: str | None
    safe_contact: dict[str, Any]
    protections: list[str]


@bp.route("/cases/new", methods=["GET", "POST"])
@requires("case:open")
def new() -> Page:
    """Open a case for a person, a family or a community."""
    form = ClientForm(request.form)
    if request.method == "POST":
        kind = form.choice("kind", [kind.value for kind in ClientKind])
        form.require("kind", kind, _("Choose whom the case is for."))
        told = read_client(form, gazetteer(db.session))
        if kind and not form.errors:
            case = operations.open_case(
                db.session,
                office=g.user.office,
                broker=g.user,
                kind=ClientKind(kind),
                by=g.user,
                now=now(),
                **vars(told),
            )
            number = case.number
            _tell_of_same_number(case)
            db.session.commit()
            flash(_("Case %(number)s is open. Now listen to the story.", number=number), "good")
            return redirect(url_for(".story", case_id=case.id), 303)
    page = render_template("casework/new.html", **_choices(), answers=form)
    return page, form.status


@bp.route("/cases/<uuid:case_id>/client", methods=["GET", "POST"])
@requires("case:write")
def client(case_id: UUID) -> Page:
    """Change what is held on the client."""
    case = file_to_change(case_id)
    form = ClientForm(request.form) if request.method == "POST" else _filled(case)
    if request.method == "POST":
        told = read_client(form, gazetteer(db.session), before=case.client)
        if not form.errors:
            operations.update_client(db.session, case, by=g.user, now=now(), **vars(told))
            _tell_of_same_number(case)
            changed = saved(case, _("What is held on the client has changed."), part="client")
            # Who came from a match goes back to it; there the search is made again with one press.
            match = request.args.get("match", type=UUID)
            return (
                redirect(url_for("matching.receipt", receipt_id=match), 303) if match else changed
            )
    page = render_template("casework/client.html", case=case, **_choices(), answers=form)
    return page, form.status


def read_client(form: ClientForm, places: Gazetteer, before: Client | None = None) -> Told:
    """The form, checked; places are looked up unless they stand as before."""
    stays_before = (before.stays_at if before else None) or {}
    registered_before = before.registered_in if before else None
    protections = form.choices("protections", [one.value for one in Protection])
    return Told(
        name=form.text("name"),
        facts=read_facts(form),
        stays_at=_stays_at(form, places, stays_before),
        registered_in=_registered_in(form, places, registered_before),
        safe_contact=_safe_contact(form),
        protections=protections,
    )


def read_facts(form: Answers) -> dict[str, Any]:
    """Facts of a client or of somebody else a need is about."""
    return {
        "age_years": form.whole("age_years", 0, OLDEST_YEARS),
        "sex": form.choice("sex", ("female", "male")),
        "desil": form.whole("desil", 1, 10),
        "disability": form.choices("disability", reference.coded("disabilities")),
        "languages": form.choices("languages", reference.coded("languages")),
        "documents_lacking": form.choices("documents_lacking", reference.coded("documents")),
        "able_to_pay": form.yes_no("able_to_pay"),
    }


def _stays_at(form: ClientForm, places: Gazetteer, before: dict[str, Any]) -> dict[str, Any]:
    text = form.text("stays", longest=LONGEST_PLACE)
    if text is None or "stays" in form.errors:
        return {}
    if text == before.get("text") and not form.given.get("stays_pick"):
        return before
    code = _looked_up(form, "stays", text, places, may_keep=True)
    if code is None:
        return {"text": text}
    located = places.locate(code)
    return {"text": text, "code": code} | (
        {
            "lat": located.latitude,
            "lon": located.longitude,
            "precision_km": located.precision_km,
        }
        if located
        else {}
    )


def _registered_in(form: ClientForm, places: Gazetteer, before: str | None) -> str | None:
    text = form.text("registered", longest=LONGEST_PLACE)
    if text is None or "registered" in form.errors:
        return None
    if before and before in places and text == places.label(before):
        return before
    return _looked_up(form, "registered", text, places, may_keep=False)


def _looked_up(
    form: ClientForm, name: str, text: str, places: Gazetteer, *, may_keep: bool
) -> str | None:
    """The code a text means; where it means several or none, the form asks and None comes back."""
    pick = form.given.get(f"{name}_pick", "")
    # A choice holds for the text it was offered for, not for one typed since.
    if pick and form.given.get(f"{name}_pick_for") == text:
        if pick == AS_WRITTEN and may_keep:
            return None
        if pick in places:
            return pick
    try:
        return places.resolve(text).code
    except PlaceNotClear as error:
        form.wrong(name, say(error.message))
        form.offered[name] = [(one["code"], one["name"]) for one in error.candidates]
        if may_keep:
            form.offered[name].append(
                (AS_WRITTEN, _("Keep it as written: distances will be unknown"))
            )
    return None


def _safe_contact(form: Answers) -> dict[str, Any]:
    number = form.text("contact_number", longest=40)
    if number is not None and "contact_number" not in form.errors:
        try:
            number = normal_number(number)
        except Invalid as error:
            form.refused(error, "contact_number")
    return {
        "number": number,
        "when": form.text("contact_when"),
        "who_may_answer": form.text("contact_who"),
        "name_to_use": form.text("contact_name"),
        "may_leave_text": form.yes_no("contact_text"),
        "through_worker_only": form.yes_no("through_worker"),
    }


def _tell_of_same_number(case: Case) -> None:
    """Other files with the same number may be the same person: say so, and leave it to the worker."""
    number = (case.client.safe_contact or {}).get("number")
    if not number:
        return
    keyring: KeyRing = db.session.info["keyring"]
    db.session.flush()
    others = queries.same_contact(db.session, g.user, keyring.blind(number), besides=case.client_id)
    if others:
        numbers = ", ".join(other.number for other in others)
        flash(
            ngettext(
                "Another case has the same contact number: %(numbers)s. Is it the same person?",
                "Other cases have the same contact number: %(numbers)s. Is it the same person?",
                len(others),
                numbers=numbers,
            ),
            "wait",
        )


def _filled(case: Case) -> ClientForm:
    client = case.client
    contact, facts = client.safe_contact or {}, client.facts or {}
    places = gazetteer(db.session)
    registered = client.registered_in
    return ClientForm.of(
        name=client.name,
        stays=(client.stays_at or {}).get("text"),
        registered=places.label(registered) if registered and registered in places else registered,
        contact_number=printed(contact["number"]) if contact.get("number") else None,
        contact_when=contact.get("when"),
        contact_who=contact.get("who_may_answer"),
        contact_name=contact.get("name_to_use"),
        contact_text=contact.get("may_leave_text"),
        through_worker=contact.get("through_worker_only"),
        protections=case.protections or [],
        **facts,
    )


def _choices() -> dict[str, Any]:
    """What the form offers, in the page's language."""
    lang = chosen()
    return {
        "kinds": list(ClientKind),
        "protections": list(Protection),
        **{
            name: [(item.code, item.name[lang]) for item in reference.coded(name).values()]
            for name in ("disabilities", "languages", "documents")
        },
    }
