"""What each person has before them in a scene, and that it is no more than they may see."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from referral.accounts.models import User
from referral.casework import contact
from referral.casework.models import Need
from referral.casework.stories import Suggestion
from referral.cli.demo.cast import Cast
from referral.cli.demo.people import MOTHER, TEENAGER, Fictional
from referral.cli.demo.telling import Teller
from referral.core.text import Message, km, km_range, label
from referral.directory import hours
from referral.directory.models import ServiceAtLocation
from referral.directory.reference import taxonomy
from referral.matching import queries as receipts
from referral.matching.models import MatchReceipt
from referral.matching.receipts import printed
from referral.places.queries import gazetteer
from referral.planning.unmet import queries as unmet_queries
from referral.referrals import queries as loop
from referral.referrals.cards import RELEASABLE, View
from referral.referrals.models import Referral

OPTIONS_SHOWN, REASONS_SHOWN = 2, 1


def blind_card(cast: Cast, agency: User, referral: Referral, person: Fictional) -> None:
    """What the agency has before it decides; and that nothing in it points at the person."""
    session, teller = cast.session, cast.teller
    inbox = session.scalars(loop.inbox(agency)).all()
    card = referral.blind_card
    answers = [
        Message(
            f"demo.answer.{answer}",
            {"rules": [label(f"demo.rule.{rule}", teller.lang) for rule in rules]},
        )
        for answer, rules in _by_answer(card["criteria"]).items()
    ]
    teller.sees(
        "agency",
        Message(
            "demo.blind",
            {
                "number": referral.number,
                "area": gazetteer(session).label(card["area_code"]),
                "band": card["age_band"],
                "priority": Message(f"casework.urgency.{card['priority']}"),
            },
        ),
        *answers,
    )
    shown = json.dumps(card, ensure_ascii=False)
    telling = (person.name.split()[0], person.number[-6:], person.place.split()[1], "HE05", "FC05")
    teller.check(
        inbox == [referral]
        and loop.agency_view(session, referral, now=cast.clock.now) is View.BLIND
        and not any(word in shown for word in telling),
        "demo.check.blind",
    )


def _by_answer(criteria: Mapping[str, str]) -> dict[str, list[str]]:
    rules: dict[str, list[str]] = {}
    for rule, answer in criteria.items():
        rules.setdefault(answer, []).append(rule)
    return rules


def released(cast: Cast, released: Mapping[str, Any]) -> list[Message]:
    """What the agency sees of the client after accepting."""
    lang = cast.teller.lang
    values = dict(released)
    if "need" in values:
        values["need"] = names(cast, [values["need"]])
    if "sex" in values:
        values["sex"] = label(f"demo.sex.{values['sex']}", lang)
    if "contact" in values:
        values["contact"] = contact.printed(values["contact"])
    facts = [
        f"{label(f'demo.fact.{name}', lang)} {values[name]}"
        for name in (*RELEASABLE, "for_whom")
        if name in values
    ]
    return [Message("demo.sees_now", {"facts": "; ".join(facts)})]


def options(cast: Cast, receipt: MatchReceipt) -> dict[str, Any]:
    """Shows the broker what a match gave, shortened; gives it whole, in words."""
    teller, lang = cast.teller, cast.teller.lang
    content = printed(receipt.content or {}, lang)
    lines: list[str] = [content["coverage"]]
    for rank, one in enumerate(content["options"][:OPTIONS_SHOWN], 1):
        lines.append(f"{rank}. {one['name']}: {_distance(teller, one)}")
        doubts = [penalty["because"] for penalty in one["penalties"]]
        if doubts:
            lines.append(f"   {'; '.join(doubts)}")
    remote = [one["name"] for one in content["remote"][:OPTIONS_SHOWN]]
    if remote:
        lines.append(teller.say("demo.beside", names=remote))
    for one in content["why_not"][:REASONS_SHOWN]:
        lines.append(teller.say("demo.why_not", name=one["name"], would=one["would_fit_if"]))
    teller.sees("broker", *lines)
    return content


def plan(cast: Cast, trip: Mapping[str, Any]) -> dict[str, list[str]]:
    """Shows the broker a plan for several needs; gives the needs that are met at a stop, and from home."""
    session, teller = cast.session, cast.teller
    met: dict[str, list[str]] = {"stops": [], "remote": []}
    lines: list[str] = []

    def line(part: str, mark: str, sites: Mapping[str, str]) -> None:
        codes = [session.get_one(Need, UUID(need_id)).category for need_id in sites]
        found = receipts.sites(session, [UUID(site_id) for site_id in sites.values()])
        services = list(dict.fromkeys(site.service.name for site in found.values()))
        met[part] += codes
        lines.append(f"{mark} {', '.join(services)}: {names(cast, codes)}")

    for number, stop in enumerate(trip["stops"], 1):
        line("stops", f"{number}.", stop["sites"])
    for need_id, site_id in trip["remote"].items():
        line("remote", "☎", {need_id: site_id})
    if trip["way_km"] is not None:
        lines.append(teller.say("demo.plan.way", km=km(trip["way_km"], teller.lang)))
    teller.sees("broker", *lines)
    return met


def _distance(teller: Teller, option: Mapping[str, Any]) -> str:
    if option["distance_km"] is None:
        return teller.say("demo.no_distance")
    band = option["distance_band"]
    if band is None:
        return km(option["distance_km"], teller.lang)
    return km_range(band, teller.lang)


def proposed(cast: Cast, suggestion: Suggestion) -> None:
    """Shows the broker what was read out of the story, with the words behind each need."""
    lines = [
        f"{need.code} {names(cast, [need.code])} ← "
        + ", ".join(f"“{s.text}”" for s in need.because)
        for need in suggestion.needs
    ]
    cast.teller.step("demo.proposed")
    cast.teller.sees("broker", *lines)


def handout(cast: Cast, site: ServiceAtLocation) -> None:
    """What the client takes home: where to go and whom to call; no reasons against others, no need, no "referral"."""
    teller, service = cast.teller, site.service
    lines = [service.name]
    addresses = site.location.addresses if site.location else []
    if addresses:
        street, city = addresses[0].address_1, addresses[0].city
        lines.append(street if city in street else f"{street}, {city}")
    if service.phones:
        lines.append(f"☎ {service.phones[0].number}")
    open_hours = hours.in_words(service.schedules, teller.lang)
    lines += [f"{days} {times}" for days, times in open_hours]
    lines += [f"→ {step.office}" for step in service.entry_steps]
    teller.sees("client", teller.say("demo.handout"), *lines)
    text = " ".join(lines).lower()
    forbidden = ("rujukan", "referral", "krisis", MOTHER.name.lower(), TEENAGER.name.lower())
    teller.check(
        len(lines) > 1 and not any(word in text for word in forbidden), "demo.check.handout"
    )


def names(cast: Cast, codes: Sequence[str]) -> str:
    """Categories as people call them."""
    names = [taxonomy().get(code).name[cast.teller.lang] for code in codes]
    return ", ".join(names)


def reason(cast: Cast, code: str | None) -> str:
    """A reason of an unmet need, in words."""
    for reason in unmet_queries.reasons(cast.session):
        if reason.code == code:
            return f"{code} {reason.name_id if cast.teller.lang == 'id' else reason.name_en}"
    return "-"
