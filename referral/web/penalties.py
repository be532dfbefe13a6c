"""A supervisor's pages of what makes an option stand further back: the table, a rehearsal of another, its history."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from referral.accounts.permissions import changes_nothing
from referral.core import text
from referral.core.errors import Invalid, JejaringError, Stale
from referral.core.text import Message
from referral.extensions import db
from referral.matching import queries, weighing
from referral.matching.penalties import DATA_QUALITY_MOST
from referral.matching.reference import rules
from referral.matching.rehearsal import FIRST, LAST_RECEIPTS, Rehearsal, rehearse
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.formatting import label, say
from referral.web.language import chosen
from referral.web.naming import category_name

bp = Blueprint("penalties", __name__, url_prefix="/office/penalties")
Page = str | Response | tuple[str, int]

#: The table says what a rule comes to where the third-nearest place is this far.
NEAR_STEP_KM, FAR_STEP_KM = 2.0, 15.0
#: Services told by name for each kind of need.
MOST_NAMES = 3
MOST_VERSIONS = 10**6
#: Receipts told one by one.
MOST_CHANGES = 20
_NUMBER = re.compile(r"\d{1,4}(?:[.,]\d{1,2})?")


@bp.get("/")
@requires("penalty:edit")
def index() -> Page:
    """The table that holds for the office beside the one all share, and every earlier version."""
    return _index()


def _index(*, status: int = 200) -> Page:
    office = g.user.office
    holds = queries.penalty_table(db.session, office.id)
    versions = weighing.history(db.session, office)
    page = render_template(
        "matching/penalties.html",
        holds=holds,
        shared=queries.shared_table(db.session),
        rows=_rows(holds.steps, queries.shared_table(db.session).steps),
        near_km=NEAR_STEP_KM,
        far_km=FAR_STEP_KM,
        versions=versions,
        stale=status == 409,
    )
    return page, status


def _rows(steps: dict[str, float], shared: dict[str, float]) -> list[dict[str, Any]]:
    return [
        {
            "rule": rule,
            "label": label(f"penalties.rule.{rule}"),
            "why": label(f"penalties.why.{rule}"),
            "steps": steps[rule],
            "shared": shared[rule],
            "highest": _highest(rule),
        }
        for rule in rules()
    ]


def _highest(rule: str) -> float:
    return weighing.MOST_FOR_DATA_QUALITY if rule == DATA_QUALITY_MOST else weighing.MOST_STEPS


@bp.route("/edit", methods=["GET", "POST"])
@changes_nothing
@requires("penalty:edit")
def edit() -> Page:
    """The numbers to change; posted to by who comes back from a rehearsal with numbers of their own."""
    if request.method == "POST":
        return _edit(Answers(request.form))
    holds = queries.penalty_table(db.session, g.user.office_id)
    shown = {rule: _typed(value) for rule, value in holds.steps.items()}
    return _edit(Answers.of(based_on=_own_number(), **shown))


def _edit(answers: Answers) -> Page:
    holds = queries.penalty_table(db.session, g.user.office_id)
    page = render_template(
        "matching/penalties_edit.html",
        rows=_rows(holds.steps, queries.shared_table(db.session).steps),
        answers=answers,
        typed=_typed,
    )
    return page, answers.status


def _typed(value: float) -> str:
    """A number as people of the page's language type it."""
    return text.number(value, chosen(), digits=2)


def _own_number() -> int:
    own = queries.newest_own_table(db.session, g.user.office_id)
    return own.number if own else 0


@bp.post("/rehearsal")
@changes_nothing
@requires("penalty:edit")
def rehearsal() -> Page:
    """What the office's last matches would have been with other numbers; keeps nothing."""
    answers = Answers(request.form)
    if answers.shown("based_on") != str(_own_number()):
        return _index(status=409)
    steps = _asked(answers)
    if steps is None:
        return _edit(answers)
    return _rehearsal(answers, steps)


def _asked(answers: Answers) -> dict[str, float] | None:
    """The numbers that are asked for: those of all, of an earlier version, or typed; None where they can't be taken."""
    if answers.ticked("shared"):
        return dict(queries.shared_table(db.session).steps)
    if answers.shown("version"):
        table = queries.get_own_table(db.session, g.user, _uuid(answers.shown("version")))
        return dict(table.steps)
    typed = {rule: _number(answers, rule) for rule in rules()}
    for rule, message in weighing.wrong_with(typed).items():
        answers.wrong(rule, say(message))
    steps = {rule: value for rule, value in typed.items() if value is not None}
    if not answers.errors and steps == queries.penalty_table(db.session, g.user.office_id).steps:
        answers.wrong(rules()[0], say(Message("penalties.wrong.same")))
    return None if answers.errors else steps


def _number(answers: Answers, rule: str) -> float | None:
    typed = answers.shown(rule).strip()
    if not typed:
        return None
    if not _NUMBER.fullmatch(typed):
        answers.wrong(rule, say(Message("penalties.wrong.number")))
        return None
    return float(typed.replace(",", "."))


def _uuid(typed: str) -> UUID:
    try:
        return UUID(typed)
    except ValueError:
        return UUID(int=0)  # of no table


def _rehearsal(answers: Answers, steps: dict[str, float]) -> Page:
    office = g.user.office
    holds = queries.penalty_table(db.session, office.id)
    differences = weighing.differing(holds.steps, steps)
    found = rehearse(db.session, office, steps)
    page = render_template(
        "matching/penalties_rehearsal.html",
        answers=answers,
        shared=answers.ticked("shared"),
        steps={rule: _typed(value) for rule, value in steps.items()},
        differences=differences,
        found=found,
        categories=_categories(found),
        changes=[(_name(one.category), one) for one in found.changes[:MOST_CHANGES]],
        first=FIRST,
        last=LAST_RECEIPTS,
    )
    return page, answers.status


def _categories(found: Rehearsal) -> list[dict[str, Any]]:
    """One row for each kind of need, those that change most first."""

    def names(counter: Any) -> list[tuple[str, int]]:
        return [
            (found.names.get(site_id, "–"), count)
            for site_id, count in counter.most_common(MOST_NAMES)
        ]

    rows = [
        {
            "category": category,
            "name": _name(category),
            "asked": one.asked,
            "changed": one.changed,
            "first_place": one.first_place,
            "came": sum(one.came.values()),
            "went": sum(one.went.values()),
            "most_came": names(one.came),
            "most_went": names(one.went),
        }
        for category, one in found.categories.items()
    ]
    return sorted(rows, key=lambda row: (-row["changed"], row["category"]))


def _name(category: str) -> str:
    """What a kind of need is called; its code where the taxonomy has it no more."""
    try:
        return category_name(category)
    except JejaringError:
        return category


@bp.post("/")
@requires("penalty:edit")
def keep() -> Page:
    """Use other numbers from now on, with the reason; what was rehearsed comes back where something is wrong."""
    answers = Answers(request.form)
    steps = _asked(answers)
    if steps is None:
        return _edit(answers)
    reason = answers.shown("reason").replace("\r\n", "\n")
    based_on = answers.whole("based_on", 0, MOST_VERSIONS)
    how: dict[str, Any] = {
        "based_on": -1 if based_on is None else based_on,
        "reason": reason,
        "by": g.user,
        "now": datetime.now(UTC),
    }
    try:
        if answers.ticked("shared"):
            weighing.follow_shared(db.session, g.user.office, **how)
        else:
            weighing.change(db.session, g.user.office, steps, **how)
    except Stale:
        return _index(status=409)
    except Invalid as error:
        if error.field != "reason":
            answers.refused(error)
            return _edit(answers)
        answers.refused(error, "reason")
        return _rehearsal(answers, steps)
    db.session.commit()
    flash(
        _("The penalties are changed. Every search of your office uses them from now on."), "good"
    )
    return redirect(url_for(".index"), 303)
