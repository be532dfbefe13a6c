"""What stands in a referral letter and on its reply slip, as data for the typesetter. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from referral.casework.contact import printed
from referral.core.text import Message, day, label, number, render
from referral.directory.kinds import AnswerMode
from referral.referrals.cards import RELEASABLE, View
from referral.referrals.letters.qr import modules


@dataclass(frozen=True)
class Letterhead:
    """Who writes. Only the name is always known; `parent` is the government the office belongs to."""

    name: str
    parent: str | None = None
    address: str | None = None
    phone: str | None = None
    email: str | None = None
    #: where letters are dated, as "Semarang"
    place: str | None = None


@dataclass(frozen=True)
class Signatory:
    name: str | None = None
    title: str | None = None
    #: number of a civil servant; an NGO's signatory has none
    nip: str | None = None


@dataclass(frozen=True)
class Released:
    """What the lawful basis lets this recipient know, in words of the letter's language."""

    facts: Mapping[str, Any]
    need: str | None = None

    @property
    def contact_rules(self) -> Mapping[str, Any]:
        rules: Mapping[str, Any] = self.facts.get("contact_rules") or {}
        return rules


@dataclass(frozen=True)
class Blind:
    """The blind card: the agency's own conditions answered, and no more than a regency and an age band."""

    criteria: Mapping[str, str]
    age_band: str | None = None
    area: str | None = None


@dataclass(frozen=True)
class LetterFacts:
    """Everything a letter may say. What is not here can't get onto the paper."""

    office: Letterhead
    signatory: Signatory
    #: our own number of the referral, by which a reply is recognized
    referral_number: str
    #: as in the agenda book; None: a line to fill by hand
    number: str | None
    #: None: a line to fill by hand
    on: date | None
    organization: str
    service: str
    mode: AnswerMode
    priority: str
    about: Released | Blind
    #: the agency has said yes: this letter brings what it needs
    accepted: bool
    worker: str
    #: where the recipient is, no finer than its regency or city; None: must stay secret, or not known
    seat: str | None = None
    attachments: int = 0
    #: names of those who get a copy, each with the client's consent
    copies: Sequence[str] = ()
    #: names of the reasons for which an agency may say no
    declines: Sequence[str] = ()
    reply_url: str | None = None
    short_code: str | None = None


def letter_content(facts: LetterFacts, lang: str) -> dict[str, Any]:
    """The letter in one language, every text ready to be set."""

    def words(key: str, **params: Any) -> str:
        return render(Message(key, params), lang)

    office = facts.office
    reach = [
        office.address,
        office.phone and words("letter.phone", number=office.phone),
        office.email,
    ]
    service = facts.service if facts.service != facts.organization else None
    return {
        "lang": lang,
        "title": words("letter.title", number=facts.referral_number),
        "head": {
            "parent": office.parent,
            "name": office.name,
            "reach": " · ".join(filter(None, reach)),
        },
        "dated": ", ".join(filter(None, [office.place, day(facts.on, lang) if facts.on else None])),
        "has_day": facts.on is not None,
        "rows": [
            {"name": words("letter.row.number"), "text": facts.number},
            {"name": words("letter.row.classification"), "text": words("letter.confidential")},
            {
                "name": words("letter.row.attachments"),
                "text": _attachments(facts.attachments, lang),
            },
            {"name": words("letter.row.subject"), "text": words("letter.subject")},
        ],
        "to": {
            "dear": words("letter.to"),
            "name": facts.organization,
            "service": service,
            "at": words("letter.at_place", place=facts.seat) if facts.seat else None,
        },
        "opening": words("letter.opening"),
        "request": _request(facts, service, words),
        "facts": _facts(facts, lang),
        "story": _story(facts.about),
        "priority": None
        if facts.priority == "routine"
        else words(f"letter.priority.{facts.priority}"),
        "rules": _rules(facts, words),
        "closing": words("letter.closing"),
        "sign": {
            "title": facts.signatory.title or words("letter.worker"),
            "name": facts.signatory.name,
            "nip": facts.signatory.nip,
            "has_nip": facts.signatory.nip is not None or office.parent is not None,
        },
        "copies": {"title": words("letter.copies"), "names": list(facts.copies)},
        "slip": _slip(facts, words),
        "page": {
            "page": words("letter.page"),
            "of": words("letter.of"),
            "number": facts.referral_number,
        },
    }


def _attachments(count: int, lang: str) -> str:
    return render(Message("letter.attachments", {"count": count}), lang) if count else "–"


def _request(facts: LetterFacts, service: str | None, words: Any) -> str:
    """What is asked of the recipient, and what they are told for it."""
    where = words("letter.of_service", service=service) if service else words("letter.of_yours")
    if isinstance(facts.about, Blind):
        return str(words("letter.body.blind", service=where))
    if facts.accepted:
        return str(words("letter.body.accepted", service=where))
    return str(words("letter.body.bearer", service=where))


def _facts(facts: LetterFacts, lang: str) -> list[dict[str, str]]:
    about = facts.about
    if isinstance(about, Blind):
        return _blind(about, lang)
    rows = []
    for name in RELEASABLE:
        value = about.facts.get(name)
        if name == "story" or value is None:
            continue
        rows.append(
            {"name": label(f"referral.fact.{name}", lang), "text": _said(about, name, value, lang)}
        )
    return rows


def _said(about: Released, name: str, value: Any, lang: str) -> str:
    if name == "sex":
        return label(f"referral.sex.{value}", lang)
    if name == "age":
        return render(Message("letter.years", {"age": number(value, lang, digits=0)}), lang)
    if name == "contact":
        return printed(str(value))
    if name == "need":
        need, whom = about.need or str(value), about.facts.get("for_whom")
        return (
            render(Message("letter.for_whom", {"need": need, "whom": whom}), lang) if whom else need
        )
    return str(value)


def _blind(about: Blind, lang: str) -> list[dict[str, str]]:
    rows = [
        {
            "name": label(f"referral.criterion.{rule}", lang),
            "text": label(f"referral.criterion.verdict.{verdict}", lang),
        }
        for rule, verdict in about.criteria.items()
    ]
    if about.age_band:
        said = render(Message("letter.years", {"age": about.age_band.replace("-", "–")}), lang)
        rows.append({"name": label("letter.age_band", lang), "text": said})
    if about.area:
        rows.append({"name": label("letter.area", lang), "text": about.area})
    return rows


def _story(about: Released | Blind) -> str | None:
    return about.facts.get("story") if isinstance(about, Released) else None


def _rules(facts: LetterFacts, words: Any) -> list[str]:
    """How the client may be reached: a number never stands without its rules."""
    about = facts.about
    phone = facts.office.phone
    through = (
        words("letter.through_worker_at", worker=facts.worker, phone=phone)
        if phone
        else words("letter.through_worker", worker=facts.worker)
    )
    if isinstance(about, Blind) or "contact" not in about.facts:
        return [through]
    rules = about.contact_rules
    said = [
        words(f"letter.rule.{name}", said=rules[name])
        for name in ("when", "who_may_answer", "name_to_use")
        if rules.get(name)
    ]
    return [
        *said,
        words("letter.rule.text" if rules.get("may_leave_text") else "letter.rule.no_text"),
    ]


def _slip(facts: LetterFacts, words: Any) -> dict[str, Any]:
    """The part to tear off. Whoever finds it learns nothing about the client."""
    mode = (
        AnswerMode.REPLIES
        if facts.accepted and facts.mode is not AnswerMode.WALK_IN
        else facts.mode
    )
    ticks = {
        AnswerMode.REPLIES: ("accept", "ask", "decline"),
        AnswerMode.WALK_IN: ("came", "helped", "decline"),
        AnswerMode.DECISION: ("decision", "ask", "decline"),
    }[mode]
    reply = [words("letter.return_by_hand")]
    if facts.office.phone:
        reply.append(words("letter.return_by_phone", phone=facts.office.phone))
    if facts.reply_url:
        reply.append(words("letter.return_by_link"))
    return {
        "title": words("letter.slip"),
        "to": words("letter.slip_to", office=facts.office.name),
        "number": {"name": words("letter.row.number"), "text": facts.number},
        "referral": {"name": words("letter.referral"), "text": facts.referral_number},
        "code": {"name": words("letter.code"), "text": facts.short_code}
        if facts.short_code
        else None,
        "ticks": [
            {
                "text": words(f"letter.tick.{tick}"),
                "choices": list(facts.declines) if tick == "decline" else [],
                "note": words("letter.tick_note") if tick == "decline" else None,
                "line": tick in ("ask", "decision"),
            }
            for tick in ticks
        ],
        "sign": [words("letter.slip_name"), words("letter.slip_date"), words("letter.slip_stamp")],
        "reply": " ".join(reply),
        "qr": modules(facts.reply_url) if facts.reply_url else None,
        "qr_alt": words("letter.qr_alt"),
    }


def about_view(
    view: View, released: Released, blind: Blind, *, carried: bool
) -> Released | Blind | None:
    """What a letter may tell: who carries it into a walk-in service lets it be read there; any other agency
    gets the blind card until it accepts, and nothing once it ended. None: no letter may be printed.
    """
    if view is View.STUB:
        return None
    return released if carried or view is View.RELEASED else blind
