"""A proposal on one page, for a meeting that decides: what it says, and a drawing of where. Long texts go to an annex.

Everything told here is in the proposal, and of its evidence only what everybody may read; nothing is looked up of
anybody's need.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import shapely
from sqlalchemy.orm import Session

from referral.core.text import Message, day, label, money, number, render
from referral.places.queries import gazetteer
from referral.planning.proposals import saying
from referral.planning.proposals.evidence import printed
from referral.planning.proposals.models import BudgetLine, Proposal, ProposalPartner, ProposalTask
from referral.planning.proposals.parts import cost
from referral.planning.proposals.saying import Names
from referral.planning.proposals.sites import Sites
from referral.referrals.letters.coast import coast
from referral.referrals.letters.pdf import pictures
from referral.referrals.letters.sketch import Spot, drawing


@dataclass(frozen=True)
class Room:
    """How much of each stands on the first page; the rest is in the annex. Characters, then numbers of lines."""

    problem: int
    title: int
    line: int
    who: int
    reasons: int
    sites: int
    partners: int
    budget: int
    tasks: int


#: The first with which the page is one page is taken.
ROOMS = (
    Room(560, 110, 90, 40, reasons=4, sites=4, partners=5, budget=6, tasks=4),
    Room(420, 90, 60, 26, reasons=4, sites=3, partners=4, budget=5, tasks=3),
    Room(300, 70, 44, 20, reasons=3, sites=2, partners=3, budget=4, tasks=3),
)
MAP_MM = (78.0, 58.0)
#: Outlines are drawn no finer than this, degrees.
_FINE = 0.004
#: Pictures on which pages are only counted, per inch.
_SMALL = 4


def content(
    session: Session,
    proposal: Proposal,
    names: Names,
    lang: str,
    *,
    on: date,
    is_as_filled_in: bool,
) -> dict[str, Any]:
    """What templates/proposals/case.typ prints: one page and, where something found no room on it, an annex.

    is_as_filled_in: nobody has written about the problem yet, so the figures alone tell it, in the language of the page.
    """
    page: dict[str, Any] = {}
    for room in ROOMS:
        page = _content(
            session, proposal, names, lang, room, on=on, is_as_filled_in=is_as_filled_in
        )
        if len(pictures("case", page | {"annex": []}, ppi=_SMALL, folder="proposals")) == 1:
            break
    return page


def _content(
    session: Session,
    proposal: Proposal,
    names: Names,
    lang: str,
    room: Room,
    *,
    on: date,
    is_as_filled_in: bool,
) -> dict[str, Any]:

    def words(key: str, **params: Any) -> str:
        return render(Message(f"proposals.case.{key}", params), lang)

    evidence = printed(proposal.evidence)
    kept = evidence.get("siting")
    sites = Sites.from_json(kept) if kept else None
    whole = "" if is_as_filled_in else proposal.problem or "–"
    problem = _cut(whole, room.problem)
    why = saying.why(evidence, names) if evidence else []
    office = proposal.owner.office if proposal.owner else None
    head = (office.letterhead or {}) if office else {}
    page: dict[str, Any] = {
        "lang": lang,
        "title": _line(proposal.title, room.title),
        "kicker": words("kicker"),
        "about": f"{names.category(proposal.category)} · {names.area(proposal.area_code)}",
        "dated": f"{day(on, lang)} · {label(f'planning.status.{proposal.status}', lang)}",
        "words": {
            name: words(name)
            for name in (
                *("missing", "people", "why", "nearest", "where", "plan", "partners", "budget"),
                *("schedule", "contact", "annex", "north", "reason", "remedy", "page", "of"),
            )
        },
        "problem": problem,
        "people": _people(evidence, names, lang, with_trend=is_as_filled_in),
        "why": [
            {"reason": one.reason, "people": _spoken(one.people, lang), "remedy": one.remedy}
            for one in why[: room.reasons]
        ],
        "why_of": words(
            "why_of", category=names.category(why[0].key[1]), area=names.area(why[0].key[0])
        )
        if why
        else words("no_why"),
        "nearest": _nearest(evidence, names, lang),
        "plan": words(
            "capacity" if proposal.capacity else "no_capacity",
            category=names.category(proposal.category),
            capacity=proposal.capacity or 0,
        ),
        "sites": _sites(sites, names, lang, room),
        "map": _map(session, proposal, sites, words, lang, room),
        "partners": [_partner(one, lang, room) for one in proposal.partners[: room.partners]]
        or [words("none")],
        "budget": [_budget(one, lang, room) for one in proposal.budget[: room.budget]],
        "totals": _totals(proposal, words, lang),
        "schedule": [_task(one, lang, room) for one in proposal.tasks[: room.tasks]]
        or [words("none")],
        "contact": " · ".join(
            part for part in (office.name, head.get("address"), head.get("phone")) if part
        )
        if office
        else None,
        "source": render(saying.source(evidence), lang) if evidence else "",
    }
    page["annex"] = _annex(proposal, sites, names, words, lang, room, is_cut=problem != whole)
    return page


def _people(evidence: dict[str, Any], names: Names, lang: str, *, with_trend: bool) -> list[str]:
    if not evidence:
        return []
    said = [saying.people(evidence, names), saying.asked(evidence)]
    if with_trend:
        said.append(saying.trend(evidence, names))
    lines = [render(one, lang) for one in said if one is not None]
    if evidence["unmet"] is not None:
        lines.append(render(Message("proposals.asked_only"), lang))
    return lines


def _nearest(evidence: dict[str, Any], names: Names, lang: str) -> list[str]:
    if not evidence:
        return []
    said = [saying.nearest(evidence, names), saying.coverage(evidence, names)]
    return [render(one, lang) for one in said if one is not None]


def _sites(sites: Sites | None, names: Names, lang: str, room: Room) -> list[str]:
    """Each place with whom it reaches, then all together and who is left out."""
    if sites is None:
        return [render(Message("proposals.case.no_sites"), lang)]
    lines = []
    for at, site in enumerate(sites.sites[: room.sites], 1):
        where = _line(site.name or names.area(site.area_code), room.line)
        key = "site" if site.people is not None else "site_only"
        lines.append(
            render(
                Message(
                    f"proposals.case.{key}", {"at": at, "where": where, "people": site.people or 0}
                ),
                lang,
            )
        )
    if sites.people is not None:
        by = Message(f"proposals.case.by.{sites.by}")
        params = {"people": sites.people, "all": sites.of, "km": sites.within_km, "by": by}
        lines.append(render(Message("proposals.case.reached", params), lang))
    if sites.left_out:
        listed = [names.area(code).partition(",")[0] for code in sites.left_out[: room.sites]]
        left: dict[str, Any] = {"areas": listed, "count": len(sites.left_out)}
        lines.append(render(Message("proposals.case.left_out", left), lang))
    else:
        lines.append(render(Message("proposals.case.none_left"), lang))
    return lines


def _map(
    session: Session,
    proposal: Proposal,
    sites: Sites | None,
    words: Callable[..., str],
    lang: str,
    room: Room,
) -> dict[str, Any] | None:
    """The area with the places it may stand at; None where nobody knows where the area is."""
    located = gazetteer(session).locate(proposal.area_code)
    if located is None:
        return None
    found = gazetteer(session).drawn([proposal.area_code], degrees=_FINE)
    outlines = [shapely.geometry.shape(one) for one in found.values()]
    start = Spot(located.latitude, located.longitude, 0.0 if outlines else located.precision_km)
    spots = (
        [Spot(one.latitude, one.longitude) for one in sites.sites[: room.sites]] if sites else []
    )
    width, height = MAP_MM
    drawn = drawing(start, spots, coast(), width=width, height=height, outlines=outlines)
    place = gazetteer(session).get(proposal.area_code).name
    return drawn | {
        "alt": words("map", area=place, count=len(spots)),
        "label": place,
        "scale_text": f"{number(drawn['scale']['km'], lang)} km",
        "note": words("map_note" if outlines else "map_note_rough"),
    }


def _partner(one: ProposalPartner, lang: str, room: Room) -> str:
    said = label(f"planning.answered.{one.answered}", lang)
    part = f": {one.part}" if one.part else ""
    return f"{_line(one.name + part, room.line)} ({said})"


def _budget(one: BudgetLine, lang: str, room: Room) -> dict[str, str]:
    when = label(f"proposals.case.{'yearly' if one.yearly else 'once'}", lang)
    who = one.source or label("proposals.case.no_source", lang)
    return {
        "item": _line(one.item, room.line),
        "amount": money(one.amount, lang),
        "when": when,
        "who": _line(who, room.who),
    }


def _totals(proposal: Proposal, words: Callable[..., str], lang: str) -> list[str]:
    if not proposal.budget:
        return [words("no_budget")]
    total = cost(proposal.budget, proposal.people_covered)
    lines = [words("total", once=money(total.once, lang), yearly=money(total.yearly, lang))]
    if total.per_person is not None:
        each = money(round(total.per_person), lang)
        lines.append(words("per_person", each=each, people=proposal.people_covered))
    return lines


def _task(one: ProposalTask, lang: str, room: Room) -> str:
    parts = [_line(one.title, room.line)]
    if one.who:
        parts.append(_line(one.who, room.who))
    if one.due_on:
        parts.append(day(one.due_on, lang))
    if one.done_at:
        parts.append(label("proposals.case.done", lang))
    return " · ".join(parts)


def _annex(
    proposal: Proposal,
    sites: Sites | None,
    names: Names,
    words: Callable[..., str],
    lang: str,
    room: Room,
    *,
    is_cut: bool,
) -> list[dict[str, Any]]:
    """What did not find room on the first page, whole; empty where everything did."""
    found: list[dict[str, Any]] = []

    def add(key: str, lines: Sequence[str]) -> None:
        found.append({"heading": words(key), "lines": list(lines)})

    if len(proposal.title) > room.title:
        add("title", [proposal.title])
    if is_cut and proposal.problem:
        add("missing", proposal.problem.split("\n"))
    if sites and len(sites.left_out) > room.sites:
        add("left_out_all", [", ".join(names.area(code) for code in sites.left_out)])
    partners = [
        f"{one.name}{': ' + one.part if one.part else ''} ({label(f'planning.answered.{one.answered}', lang)})"
        for one in proposal.partners
    ]
    if len(partners) > room.partners or any(
        _is_long(room.line, one.name, one.part) for one in proposal.partners
    ):
        add("partners", partners)
    if len(proposal.budget) > room.budget or any(
        _is_long(room.line, one.item) or len(one.source or "") > room.who for one in proposal.budget
    ):
        add(
            "budget",
            [
                f"{one.item}: {money(one.amount, lang)} "
                f"({label('proposals.case.yearly' if one.yearly else 'proposals.case.once', lang)})"
                f"{' · ' + one.source if one.source else ''}"
                for one in proposal.budget
            ],
        )
    if len(proposal.tasks) > room.tasks or any(
        _is_long(room.line, one.title) or len(one.who or "") > room.who for one in proposal.tasks
    ):
        add(
            "schedule",
            [
                " · ".join(
                    part
                    for part in (one.title, one.who, day(one.due_on, lang) if one.due_on else None)
                    if part
                )
                for one in proposal.tasks
            ],
        )
    return found


def _spoken(people: int | Message, lang: str) -> str:
    return render(people, lang) if isinstance(people, Message) else number(people, lang)


def _is_long(most: int, *parts: str | None) -> bool:
    return len(": ".join(part for part in parts if part)) > most


def _line(text: str, most: int) -> str:
    """The text, cut at its length with a mark."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _cut(text: str, most: int) -> str:
    """The text up to the last sentence that fits, with a mark where something is left out."""
    if len(text) <= most:
        return text
    head = text[:most]
    end = max(head.rfind(". "), head.rfind(".\n"))
    return (head[: end + 1] if end > most // 2 else head.rsplit(" ", 1)[0]) + " …"
