"""The story box: what the client tells, the needs it may speak for, and the worker's word on each."""

from collections.abc import Iterable
from uuid import UUID

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from referral.casework import operations
from referral.casework.models import Case, Urgency
from referral.casework.stories import Suggestion, suggest
from referral.casework.story_spans import Span
from referral.core.errors import Invalid
from referral.directory import reference
from referral.extensions import db
from referral.places.queries import gazetteer
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.casework.crisis import first_numbers
from referral.web.casework.files import (
    Page,
    bp,
    category_choices,
    file_to_change,
    is_leaf,
    now,
    saved,
    term,
)
from referral.web.casework.needs import URGENCIES, beneficiary_choices, chosen_beneficiary


@bp.route("/cases/<uuid:case_id>/story", methods=["GET", "POST"])
@requires("case:write")
def story(case_id: UUID) -> Page:
    """Write the story down as it is told."""
    case = file_to_change(case_id)
    answers = Answers(request.form) if request.method == "POST" else Answers.of(story=case.story)
    if request.method == "POST":
        text = request.form.get("story", "").replace("\r\n", "\n")
        try:
            operations.tell_story(db.session, case, text, by=g.user, now=now())
        except Invalid as error:
            answers.refused(error, "story")
        else:
            db.session.commit()
            if not text.strip():
                return saved(case, _("The story is empty now."))
            return redirect(url_for(".proposals", case_id=case.id), 303)
    page = render_template(
        "casework/story.html", case=case, answers=answers, limit=operations.STORY_LIMIT
    )
    return page, answers.status


@bp.route("/cases/<uuid:case_id>/proposals", methods=["GET", "POST"])
@requires("case:write")
def proposals(case_id: UUID) -> Page:
    """Needs the story may speak for; what the worker ticks becomes an assessed need."""
    case = file_to_change(case_id)
    if not case.story:
        return redirect(url_for(".story", case_id=case.id), 303)
    suggestion = suggest(case.story, reference.taxonomy(), gazetteer=gazetteer(db.session))
    answers = Answers(request.form)
    if request.method == "POST":
        count = _confirm(case, suggestion, answers)
        if not answers.errors:
            return saved(
                case,
                ngettext("%(num)s need is confirmed.", "%(num)s needs are confirmed.", count),
            )
    page = render_template(
        "casework/proposals.html",
        case=case,
        suggestion=suggestion,
        story=highlighted(case.story, _all_spans(suggestion)),
        numbers=first_numbers(case) if suggestion.crisis else [],
        answers=answers,
        categories=category_choices(),
        urgencies=URGENCIES,
        usual={need.code: _usual_urgency(need.code) for need in suggestion.needs},
        beneficiaries=beneficiary_choices(case),
        already={need.category for need in case.needs if need.withdrawn_at is None},
    )
    return page, answers.status


def _confirm(case: Case, suggestion: Suggestion, answers: Answers) -> int:
    """Assesses what was ticked, or leaves errors; the words behind are ours, never the form's."""
    because = {need.code: [one.as_json() for one in need.because] for need in suggestion.needs}
    ticked = answers.choices("need", because)
    other = answers.shown("other")
    if other and not is_leaf(other):
        answers.wrong("other", _("Choose a need from the list."))
    codes = list(dict.fromkeys([*ticked, *([other] if other else [])]))
    if not codes:
        answers.wrong("need", _("Tick at least one need, or choose another one from the list."))
    confirmed = []
    for code in codes:
        suffix = "other" if code == other and code not in ticked else code
        urgency = answers.choice(f"urgency-{suffix}", [one.value for one in URGENCIES])
        whom = chosen_beneficiary(case, answers, f"whom-{suffix}")
        confirmed.append((code, Urgency(urgency) if urgency else _usual_urgency(code), whom))
    if answers.errors:
        return 0
    for code, urgency, whom in confirmed:
        operations.assess_need(
            db.session,
            case,
            category=code,
            urgency=urgency,
            beneficiary=whom,
            because=because.get(code, ()),
            by=g.user,
            now=now(),
        )
    return len(confirmed)


def _usual_urgency(code: str) -> Urgency:
    return Urgency.EMERGENCY if term(code).crisis_default else Urgency.ROUTINE


def _all_spans(suggestion: Suggestion) -> list[Span]:
    return [
        *(one for need in suggestion.needs for one in need.because),
        *suggestion.crisis_because,
    ]


def highlighted(text: str, spans: Iterable[Span]) -> Markup:
    """The text, safe to print, with the words of the spans marked."""
    merged: list[list[int]] = []
    for one in sorted(spans):
        if merged and one.start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], one.end)
        else:
            merged.append([one.start, one.end])
    pieces, at = [], 0
    for start, end in merged:
        pieces.append(Markup("{}<mark>{}</mark>").format(text[at:start], text[start:end]))
        at = end
    return Markup("").join([*pieces, Markup("{}").format(text[at:])])
