"""One section of a listing as a form. What it says goes into a draft; nothing typed is lost on the way."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from referral.directory.reference import coded, taxonomy
from referral.directory.upkeep import editing, saying
from referral.extensions import db
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.language import chosen
from referral.web.listings import areas, hours, rows
from referral.web.listings.door import KEEPERS, Kept, Page, bp, in_words, keep, kept, lists
from referral.web.listings.fields import LISTS
from referral.web.listings.sections import SECTIONS, Section, filled, read
from referral.web.listings.stale import Conflict, stale_page


@bp.get("/<uuid:service_id>/edit/<section>")
@bp.get("/new/edit/<section>", defaults={"service_id": None})
@requires(*KEEPERS)
def edit(section: str, service_id: UUID | None) -> Page:
    """The form of one section, filled with what the draft or the listing says."""
    found, subject = _section(section), kept(service_id)
    fields = _fields(found, subject)
    return _form(found, subject, filled(fields, subject.shown), subject.shown)


@bp.post("/<uuid:service_id>/edit/<section>")
@bp.post("/new/edit/<section>", defaults={"service_id": None})
@requires(*KEEPERS)
def save(section: str, service_id: UUID | None) -> Page:
    """Do what a row's button says, or keep the section in the draft."""
    found, subject = _section(section), kept(service_id)
    fields = _fields(found, subject)
    seen = _seen(fields)
    answers = Answers(MultiDict(request.form))
    if deed := request.form.get("do", ""):
        focus = press(answers.given, deed)
        return _form(found, subject, answers, seen, focus=focus)
    values = read(answers, fields, subject.shown, lists())
    if answers.errors:
        return _form(found, subject, answers, seen)
    typed = editing.changed(values, seen)
    conflicts = [
        Conflict(name, seen[name], subject.shown[name], typed[name])
        for name in typed
        if not editing.is_same(name, subject.shown[name], seen[name])
        and not editing.is_same(name, subject.shown[name], typed[name])
    ]
    keep(subject, {name: value for name, value in typed.items() if not _is_in(name, conflicts)})
    db.session.commit()
    if conflicts:
        return stale_page(subject, conflicts)
    if request.form.get("then") == "later":
        flash(_("Kept as a draft. Nobody sees it until you send it."), "good")
        return redirect(_overview(subject), 303)
    return redirect(url_for(".review_own", service_id=service_id), 303)


def _overview(subject: Kept) -> str:
    if subject.service_id is None:
        return url_for(".index")
    return url_for(".check", service_id=subject.service_id)


def _section(key: str) -> Section:
    if key not in SECTIONS:
        abort(404)
    return SECTIONS[key]


def _fields(section: Section, subject: Kept) -> list[str]:
    """The section's fields that this person may see of this listing."""
    return [name for name in section.fields if name in subject.values]


def _seen(fields: list[str]) -> dict[str, Any]:
    """What the form showed before anything was typed, as it travelled with the form."""
    try:
        seen = json.loads(request.form.get("seen", ""))
    except (ValueError, RecursionError):
        abort(400)
    if not isinstance(seen, dict) or set(fields) - set(seen):
        abort(400)
    return seen


def _is_in(name: str, conflicts: list[Conflict]) -> bool:
    return any(conflict.field == name for conflict in conflicts)


def press(given: MultiDict[str, str], deed: str) -> str:
    """Do what a button in a listing's form says; gives the id of the field to go on with, "" for none."""
    return (
        hours.press(given, deed) or areas.pick(given, deed) or rows.press(given, deed, LISTS) or ""
    )


def parts(answers: Answers) -> dict[str, Any]:
    """What the fields of a listing's form are drawn from."""
    lang = chosen()
    return {
        "answers": answers,
        "rows_of": lambda name: rows.typed(answers.given, name, LISTS[name]),
        "offered": areas.offered(answers),
        "place_hint": areas.hint(),
        "days": hours.day_names(),
        "nth": hours.nth_names(),
        "rules": [
            (text, " ".join(in_words("hours", [{"rule": json.loads(text)}])))
            for text in answers.chosen("kept-all")
            if _is_object(text)
        ],
        **{
            name: [(one.code, one.name[lang]) for one in coded(name).values()]
            for name in ("documents", "disabilities", "languages")
        },
    }


def _form(
    section: Section,
    subject: Kept,
    answers: Answers,
    seen: Mapping[str, Any],
    *,
    focus: str = "",
) -> Page:
    fields = _fields(section, subject)
    page = render_template(
        f"listings/edit_{section.key}.html",
        section=section,
        subject=subject,
        fields=fields,
        seen=json.dumps({name: seen[name] for name in fields}, sort_keys=True),
        focus=focus,
        categories=_categories(),
        as_of=saying.as_of(subject.values["capacity"]),
        **parts(answers),
    )
    return page, answers.status


def _categories() -> list[tuple[str, list[tuple[str, str]]]]:
    tree, lang = taxonomy(), chosen()
    return [
        (domain.name[lang], [(leaf.code, leaf.name[lang]) for leaf in tree.leaves(domain.code)])
        for domain in tree.domains()
    ]


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
